from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cupel.contract.tables.answers import ANSWERS
from cupel.people.answers.annotations import REASONS, UNFIT, annotations, expert_answers, keep_classes
from cupel.people.answers.guidelines import REASONS as GUIDELINE_REASONS
from cupel.people.answers.sent_back import REASONS as SEND_BACK_REASONS

CLASSES = ["a", "b"]
PARSE = partial(keep_classes, classes=CLASSES)


def log(*rows: tuple[str, str | None, str | None]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "sequence": n, "answer_id": str(n), "task_id": None, "batch": "one", "item_id": item,
                "purpose": "label", "annotator": annotator, "label": label, "seconds_spent": None,
                "answered_at": None, "source": "test", "hash": "",
            }
            for n, (item, annotator, label) in enumerate(rows, 1)
        ],
        schema=ANSWERS.schema,
    )  # fmt: skip


def reasons(rejected: pa.Table) -> list[str]:
    return rejected["reason"].to_pylist()


def test_every_answer_counts_or_is_rejected_with_its_reason() -> None:
    answers = log(
        ("i1", "ann", "a"), ("i1", "ann", "b"), ("i1", "bob", "c"), ("i9", "bob", "a"), ("i2", "bob", None),
        ("i2", None, "a"), ("i2", "bob", "b"), ("i2", "cy", "a"),
    )  # fmt: skip
    kept, rejected = annotations(answers, ["i1", "i2"], PARSE, True, removed={"cy": "guessing: so it is"})
    assert kept["sequence"].to_pylist() == [1, 7]
    assert reasons(rejected) == [
        "answered_twice", "unknown_label", "unknown_item", "undecided", "unknown_annotator", "annotator_removed",
    ]  # fmt: skip
    assert rejected["evidence"].to_pylist() == ["b", "c", None, None, None, "guessing: so it is"]
    assert kept.num_rows + rejected.num_rows == answers.num_rows
    assert {
        *reasons(rejected),
        "not_asked",
        "outside_item",
        "is_a_model",
        *UNFIT,
        *GUIDELINE_REASONS,
        *SEND_BACK_REASONS,
    } == set(REASONS)


def test_an_answer_from_a_tool_that_no_task_asks_for_does_not_count() -> None:
    answers = log(("i1", "ann", "a"), ("i1", "bob", "b"), ("i1", "ann", "b"))
    answers = answers.set_column(2, "task_id", pa.array(["t1", None, None]))
    answers = answers.set_column(10, "source", pa.array(["label_studio:1:2:3", "label_studio:1:2:4", "file"]))
    kept, rejected = annotations(answers.cast(ANSWERS.schema), ["i1"], PARSE, True)
    assert kept["sequence"].to_pylist() == [1]
    assert list(zip(reasons(rejected), rejected["evidence"].to_pylist(), strict=True)) == [
        ("not_asked", "b"), ("answered_twice", "b"),
    ]  # fmt: skip


def test_anonymous_annotators_may_answer_an_item_more_than_once() -> None:
    kept, rejected = annotations(log(("i1", None, "a"), ("i1", None, "a")), ["i1"], PARSE, False)
    assert kept.num_rows == 2
    assert rejected.num_rows == 0


def test_an_annotator_whose_first_answer_did_not_count_may_answer_again() -> None:
    kept, _ = annotations(log(("i1", "ann", "zzz"), ("i1", "ann", "a")), ["i1"], PARSE, True)
    assert kept["sequence"].to_pylist() == [2]


def test_the_order_of_the_rows_does_not_matter_only_their_sequence() -> None:
    answers = log(("i1", "ann", "a"), ("i1", "ann", "b"))
    shuffled = answers.take([1, 0])
    assert annotations(answers, ["i1"], PARSE, True) == annotations(shuffled, ["i1"], PARSE, True)


def test_an_expert_may_find_that_an_item_cannot_be_decided() -> None:
    kept, rejected = expert_answers(log(("i1", "eve", None), ("i1", "eve", "a")), ["i1"], PARSE)
    assert kept["label"].to_pylist() == [None]
    assert reasons(rejected) == ["answered_twice"]


def test_evidence_of_a_hostile_label_is_short() -> None:
    _, rejected = annotations(log(("i1", "ann", "'; DROP TABLE items; --" * 100)), ["i1"], PARSE, True)
    assert len(rejected["evidence"][0].as_py()) == 200


def one_by_one(answers: pa.Table, items: list[str], is_known: bool, may_be_undecided: bool) -> tuple[Any, Any]:
    """The definition: answers in sequence, each held against what was kept before it."""
    kept: list[int] = []
    rejected: list[tuple[int, str, str | None]] = []
    seen: set[tuple[str, str]] = set()
    for answer in answers.sort_by("sequence").to_pylist():
        pair = (answer["item_id"], answer["annotator"])
        if answer["item_id"] not in items:
            rejected.append((answer["sequence"], "unknown_item", None))
        elif answer["annotator"] is None and is_known:
            rejected.append((answer["sequence"], "unknown_annotator", None))
        elif answer["label"] is None and not may_be_undecided:
            rejected.append((answer["sequence"], "undecided", None))
        elif answer["label"] is not None and answer["label"] not in CLASSES:
            rejected.append((answer["sequence"], "unknown_label", answer["label"][:200]))
        elif pair in seen:
            rejected.append((answer["sequence"], "answered_twice", answer["label"]))
        else:
            kept.append(answer["sequence"])
            seen.update({pair} if answer["annotator"] is not None else ())
    return kept, rejected


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["i1", "i2", "i3"]),
            st.sampled_from([None, "ann", "bob", ""]),
            st.sampled_from([None, "a", "b", "", "\U0001f600" * 201]),
        )
    ),
    st.booleans(),
    st.data(),
)
def test_answers_sorted_together_are_answers_sorted_one_by_one(
    rows: list[tuple[str, str | None, str | None]], is_known: bool, data: st.DataObject
) -> None:
    answers = log(*rows).take(pa.array(data.draw(st.permutations(range(len(rows)))), pa.int64()))
    for may_be_undecided in (False, True):
        if may_be_undecided:
            kept, rejected = expert_answers(answers, pa.chunked_array([["i1"], ["i2"]]), PARSE)
        else:
            kept, rejected = annotations(answers, ["i1", "i2"], PARSE, is_known)
        expected = one_by_one(answers, ["i1", "i2"], is_known or may_be_undecided, may_be_undecided)
        found = [(row["sequence"], row["reason"], row["evidence"]) for row in rejected.to_pylist()]
        assert (kept["sequence"].to_pylist(), found) == expected


def test_an_answer_that_cannot_be_of_its_item_is_rejected_with_what_it_said() -> None:
    answers = log(("i1", "ann", "a"), ("i2", "ann", "b"), ("i9", "bob", "b"))

    def is_misfit(found: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.asarray([label == "b" for label in found["label"].to_pylist()])

    kept, rejected = annotations(answers, ["i1", "i2"], PARSE, True, is_misfit=is_misfit)
    assert kept["sequence"].to_pylist() == [1]
    assert reasons(rejected) == ["outside_item", "unknown_item"]
    assert rejected["evidence"].to_pylist() == ["b", None]
