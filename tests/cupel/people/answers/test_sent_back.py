from datetime import UTC, datetime
from functools import partial

import pyarrow as pa
import pytest

from cupel.contract.tables.answers import ANSWERS
from cupel.contract.tables.checking import ROUTES
from cupel.lake.send_back_log import SendBack, name_send_backs
from cupel.people.answers.annotations import annotations, keep_classes
from cupel.people.answers.sent_back import mark_answers, rework_by_item
from cupel.people.answers.tasks import label_tasks

AT = "2026-11-30T12:00:00+00:00"


def log(*rows: tuple[str, str | None, str | None], hours: dict[int, int] | None = None) -> pa.Table:
    """Return answers of an item, an annotator and a label each; `hours` says at which hour some were given."""
    return pa.Table.from_pylist(
        [
            {"sequence": n, "answer_id": str(n), "task_id": "0", "batch": "one", "item_id": item, "purpose": "label",
             "annotator": who, "label": label, "seconds_spent": None, "source": "recorded:a.csv", "hash": "",
             "answered_at": datetime(2026, 11, 30, hours[n], tzinfo=UTC) if hours and n in hours else None}
            for n, (item, who, label) in enumerate(rows, 1)
        ],
        schema=ANSWERS.schema,
    )  # fmt: skip


def event(*items: str, until: int, of: tuple[str, ...] = (), to: tuple[str, ...] = ()) -> SendBack:
    return SendBack("one", items, "read rule 4", "lea", "items.csv", of, to, until, (), AT)


def sort(answers: pa.Table, *events: SendBack) -> tuple[list[int], dict[int, tuple[str, str | None]]]:
    """Return the numbers of the answers that count, and reason and evidence of the others."""
    parse = partial(keep_classes, classes=("warm", "cold"))
    kept, rejected = annotations(answers, {"a", "b"}, parse, True, sent_back=mark_answers(answers, events))
    lost = {row["sequence"]: (row["reason"], row["evidence"]) for row in rejected.to_pylist()}
    return kept["sequence"].to_pylist(), lost


def test_answers_that_came_before_do_not_count_and_later_ones_of_the_same_people_do() -> None:
    answers = log(("a", "ann", "warm"), ("b", "ann", "warm"), ("a", "bob", "cold"), ("a", "ann", "cold"))
    assert sort(answers, event("a", until=3)) == (
        [2, 4], {1: ("sent_back", "read rule 4"), 3: ("sent_back", "read rule 4")}
    )  # fmt: skip


def test_an_answer_that_its_tool_dates_before_the_send_back_does_not_count_however_late_it_arrives() -> None:
    answers = log(("a", "ann", "warm"), ("a", "bob", "cold"), hours={1: 11, 2: 13})
    assert sort(answers, event("a", until=0)) == ([2], {1: ("sent_back", "read rule 4")})


def test_only_the_answers_of_those_who_are_named_go_back() -> None:
    answers = log(("a", "ann", "warm"), ("a", "bob", "cold"), ("a", "ann", "cold"))
    assert sort(answers, event("a", until=2, of=("ann",))) == ([2, 3], {1: ("sent_back", "read rule 4")})


def test_what_others_answer_than_those_it_was_sent_to_does_not_count() -> None:
    answers = log(("a", "ann", "warm"), ("a", "ann", "cold"), ("a", "dan", "cold"))
    kept, lost = sort(answers, event("a", until=1, to=("dan",)))
    assert kept == [3]
    assert lost == {1: ("sent_back", "read rule 4"), 2: ("sent_to_others", "to dan")}


def test_the_last_send_back_says_who_may_answer() -> None:
    answers = log(("a", "ann", "warm"), ("a", "dan", "cold"), ("a", "ann", "cold"))
    kept, lost = sort(answers, event("a", until=1, to=("dan",)), event("a", until=2))
    assert kept == [3]
    assert {reason for reason, _ in lost.values()} == {"sent_back"}


def test_who_could_not_decide_is_asked_anew_once_the_item_was_sent_back() -> None:
    answers = log(("a", "ann", None), ("a", "bob", "cold"))
    assert sort(answers, event("a", until=1)) == ([2], {1: ("sent_back", "read rule 4")})


def test_nothing_is_lost_and_without_send_backs_all_is_as_before() -> None:
    answers = log(("a", "ann", "warm"), ("a", "ann", "cold"), ("z", "ann", "warm"))
    kept, lost = sort(answers)
    assert (kept, [reason for reason, _ in lost.values()]) == ([1], ["answered_twice", "unknown_item"])
    kept, lost = sort(answers, event("a", until=2))
    assert len(kept) + len(lost) == answers.num_rows


def test_the_last_reason_is_asked_with_and_each_time_has_a_number() -> None:
    found = rework_by_item([event("a", "b", until=3), event("a", until=9, to=("dan",))])
    assert [(one.number, one.answers_until, one.asked) for one in found.values()] == [
        (2, 9, "sent back to dan: read rule 4"), (1, 3, "sent back: read rule 4")
    ]  # fmt: skip


def test_tasks_behind_the_old_answers_ask_with_the_reason_and_those_before_keep_theirs() -> None:
    routes = pa.Table.from_pylist(
        [
            {"item_id": "a", "route": "annotator", "reason": "awaits its first answers", "votes": 1, "label": None,
             "log_odds": None},
            {"item_id": "b", "route": "accept", "reason": "all agree", "votes": 2, "label": "warm", "log_odds": 3.0},
        ],
        schema=ROUTES.schema,
    )  # fmt: skip
    kept = pa.table({"item_id": ["a", "b", "b"], "sequence": [5, 3, 4]})
    gone = pa.table({"item_id": ["a", "a"], "sequence": [1, 2]})
    tasks = label_tasks("p", "one", routes, kept, gone, 2, sent_back=rework_by_item([event("a", until=4)]))
    rows = [(row["item_id"], row["slot"], row["is_answered"], row["reason"]) for row in tasks.to_pylist()]
    assert rows == [
        ("a", 1, True, "every item is asked"), ("a", 2, True, "every item is asked"),
        ("a", 3, True, "sent back: read rule 4"), ("a", 4, False, "sent back: read rule 4"),
        ("b", 1, True, "every item is asked"), ("b", 2, True, "every item is asked"),
    ]  # fmt: skip


@pytest.mark.parametrize("changed", [{"reason": "other"}, {"item_ids": ("b",)}, {"answers_until": 4}])
def test_another_send_back_has_another_version(changed: dict[str, object]) -> None:
    one = event("a", until=3)
    assert name_send_backs([one]) != name_send_backs([one._replace(**changed)])  # type: ignore[arg-type]
