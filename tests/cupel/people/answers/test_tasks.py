import hashlib
import json
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.contract.table import empty, from_rows
from cupel.contract.tables.checking import ROUTES
from cupel.contract.tables.labeling import ANNOTATIONS, REJECTED_ANSWERS
from cupel.contract.tables.release import ADJUDICATIONS, AUDIT, REJECTED_EXPERT_ANSWERS
from cupel.people.answers.tasks import expert_tasks, label_tasks, task_id


def route(item: str, way: str, votes: int) -> dict[str, object]:
    return {"item_id": item, "route": way, "reason": "people disagree", "votes": votes, "label": None, "log_odds": None}


def annotation(item: str, sequence: int) -> dict[str, object]:
    return {
        "item_id": item, "sequence": sequence, "annotator": None, "label": "a", "seconds_spent": None,
        "answered_at": None,
    }  # fmt: skip


def tasks(
    routes: list[dict[str, object]], answered: list[dict[str, object]], rejected: pa.Table | None = None
) -> pa.Table:
    return label_tasks(
        "p", "one", from_rows(routes, ROUTES), from_rows(answered, ANNOTATIONS), rejected or empty(REJECTED_ANSWERS), 2
    )


def slots(table: pa.Table) -> list[tuple[int, bool]]:
    return sorted((row["slot"], row["is_answered"]) for row in table.to_pylist())


def test_an_item_without_answers_is_asked_as_often_as_the_project_says() -> None:
    assert slots(tasks([route("i", "annotator", 0)], [])) == [(1, False), (2, False)]


def test_an_item_on_which_people_disagree_is_asked_once_more() -> None:
    asked = tasks([route("i", "annotator", 2)], [annotation("i", 1), annotation("i", 2)])
    assert slots(asked) == [(1, True), (2, True), (3, False)]


def test_an_accepted_item_is_asked_no_more() -> None:
    asked = tasks([route("i", "accept", 2)], [annotation("i", 1), annotation("i", 2)])
    assert slots(asked) == [(1, True), (2, True)]


def test_an_answer_that_does_not_count_is_asked_for_again_in_a_new_slot() -> None:
    rejected = from_rows(
        [{"sequence": 2, "item_id": "i", "annotator": None, "reason": "undecided", "evidence": None}], REJECTED_ANSWERS
    )
    assert slots(tasks([route("i", "annotator", 1)], [annotation("i", 1)], rejected)) == [
        (1, True),
        (2, True),
        (3, False),
    ]


def test_the_same_question_has_the_same_id_and_another_has_another() -> None:
    names = [
        ("p", "b", "i", "label", 1),
        ("p", "b", "i", "label", 2),
        ("p", "b", "i", "audit", 1),
        ("p", "b", "j", "label", 1),
    ]
    assert len({task_id(*name) for name in names}) == 4
    assert task_id("p", "b", 'x","label', "label", 1) != task_id("p", "b", "x", 'label","label', 1)


def verdict_row(item: str, answers: int, is_settled: bool) -> dict[str, object]:
    return {
        "release": "r", "batch": "one", "item_id": item, "label": "a", "answers": answers, "is_settled": is_settled,
        "is_contested": False, "expert_label": "a" if is_settled else None, "is_wrong": False if is_settled else None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "is_settled", "asked", "open_slots"),
    [(0, False, 1, 1), (0, False, 2, 2), (1, False, 2, 1), (2, False, 2, 1), (2, True, 2, 0), (3, True, 2, 0)],
)
def test_experts_are_asked_until_the_item_is_settled(
    answers: int, is_settled: bool, asked: int, open_slots: int
) -> None:
    audit = from_rows([verdict_row("i", answers, is_settled)], AUDIT)
    table = expert_tasks("p", audit, empty(ADJUDICATIONS), empty(REJECTED_EXPERT_ANSWERS), asked)
    assert table["is_answered"].to_pylist().count(False) == open_slots
    assert table["is_answered"].to_pylist().count(True) == answers
    assert set(table["asked_of"].to_pylist()) == {"auditor"}


def test_an_expert_answer_that_does_not_count_is_asked_for_again_in_a_new_slot() -> None:
    audit = from_rows([verdict_row("i", 0, False)], AUDIT)
    lost = {
        "batch": "one",
        "sequence": 1,
        "item_id": "i",
        "annotator": "zed",
        "reason": "unknown_label",
        "evidence": "x",
    }
    table = expert_tasks("p", audit, empty(ADJUDICATIONS), from_rows([lost], REJECTED_EXPERT_ANSWERS), 1)
    assert slots(table) == [(1, True), (2, False)]


@given(st.text(), st.text(), st.text(), st.integers(1, 99))
def test_the_id_of_a_task_is_the_hash_of_its_name_as_json(project: str, batch: str, item: str, slot: int) -> None:
    name = json.dumps([project, batch, item, "label", slot])
    assert task_id(project, batch, item, "label", slot) == hashlib.sha256(name.encode()).hexdigest()[:32]


ITEMS = ["i", "j", "k", "l"]


@given(
    st.lists(st.tuples(st.sampled_from(["annotator", "accept", "expert"]), st.integers(0, 4)), max_size=4),
    st.lists(st.sampled_from([*ITEMS, "ghost"])),
    st.lists(st.sampled_from([*ITEMS, "ghost"])),
    st.integers(1, 3),
)
def test_questions_are_those_answered_and_those_that_the_route_asks_for(
    routes: list[tuple[str, int]], answered: list[str], lost: list[str], first: int
) -> None:
    rows = [route(item, way, votes) for item, (way, votes) in zip(ITEMS, routes, strict=False)]
    annotations = from_rows([annotation(item, n) for n, item in enumerate(answered)], ANNOTATIONS)
    rejected = [
        {"sequence": n, "item_id": item, "annotator": None, "reason": "undecided", "evidence": None}
        for n, item in enumerate(lost, 100)
    ]
    asked = label_tasks("p", "one", from_rows(rows, ROUTES), annotations, from_rows(rejected, REJECTED_ANSWERS), first)
    done = Counter(answered) + Counter(lost)
    expected = []
    for row in rows:
        item = str(row["item_id"])
        wanted = max(first - int(str(row["votes"])), 1) if row["route"] == "annotator" else 0
        for slot in range(1, done[item] + wanted + 1):
            later = row["reason"] if slot > done[item] else "asked once more"
            expected.append((
                task_id("p", "one", item, "label", slot), "one", item, "label", slot, "annotator",
                "every item is asked" if slot <= first else later, slot <= done[item],
            ))  # fmt: skip
    assert [tuple(row.values()) for row in asked.to_pylist()] == expected
