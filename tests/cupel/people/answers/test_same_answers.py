"""Labels may be the same although their texts differ, and two that are the same as a third may differ: 1, 2 and 3."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.contract.ontology import Ontology
from cupel.contract.tables.release import AUDIT, EXPERT_ANSWERS
from cupel.kinds.category import CATEGORY
from cupel.people.answers.experts import verdicts
from cupel.people.answers.same_answers import nothing_proposed, replace_same
from toy_kind import NUMBER

LINE = Ontology(tuple("0123456789"))
Said = list[tuple[str, str | None]]


def proposed(**labels: str) -> pa.Table:
    count = len(labels)
    columns = {"release": ["r"] * count, "batch": ["one"] * count, "item_id": list(labels), "label": [*labels.values()]}
    return pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})


def answers(said: Said) -> pa.Table:
    rows = [
        {"sequence": n, "batch": "one", "item_id": item, "purpose": "audit", "annotator": f"e{n}", "label": label}
        for n, (item, label) in enumerate(said)
    ]
    return pa.Table.from_pylist(rows, schema=EXPERT_ANSWERS.schema)


def texts(label: str, *said: str | None) -> list[str | None]:
    given_answers = answers([("i", one) for one in said])
    return list(replace_same(given_answers, proposed(i=label), NUMBER, LINE)["label"].to_pylist())


@pytest.mark.parametrize(
    ("label", "said", "found"),
    [
        # 1 is the same as 2, and 2 as 3, but 1 is not the same as 3.
        ("9", ["1", "2", "3"], ["1", "1", "3"]),
        ("9", ["3", "2", "1"], ["3", "3", "1"]),
        ("9", ["2", "1", "3"], ["2", "2", "2"]),
        ("9", ["1", "3", "2"], ["1", "3", "1"]),
        # An answer that became the proposed label stands for nothing else.
        ("1", ["2", "3"], ["1", "3"]),
        ("2", ["1", "3"], ["2", "2"]),
        ("1", ["3", "2", "4"], ["3", "1", "3"]),
        # The proposed label comes before all answers.
        ("3", ["5", "4"], ["5", "3"]),
        ("9", [None, "1", None, "2"], [None, "1", None, "1"]),
        ("9", [None], [None]),
    ],
)
def test_an_answer_becomes_the_label_that_it_is_the_same_as(
    label: str, said: list[str | None], found: list[str | None]
) -> None:
    assert texts(label, *said) == found


def one_by_one(label: str | None, said: list[str | None]) -> list[str | None]:
    """Replace answers as the rule says it, one after another: what the vectorised path is held against."""
    heads: list[str] = [] if label is None else [label]
    found: list[str | None] = []
    for one in said:
        same = [head for head in heads if one is not None and abs(float(head) - float(one)) <= 1]
        if one is not None and not same:
            heads.append(one)
        found.append(None if one is None else same[0] if same else one)
    return found


SAID = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["0", "1", "2", "3", "4", "5", None])), max_size=30)


@given(said=SAID, label=st.sampled_from("012345"))
def test_many_items_at_once_come_to_what_one_after_another_does(said: Said, label: str) -> None:
    found = replace_same(answers(said), proposed(a=label, b="5"), NUMBER, LINE)
    for item, own in {"a": label, "b": "5", "c": None}.items():
        theirs = [one for name, one in said if name == item]
        rows = zip(found["item_id"].to_pylist(), found["label"].to_pylist(), strict=True)
        assert [one for name, one in rows if name == item] == one_by_one(own, theirs)


@given(said=SAID, more=SAID)
def test_later_answers_change_nothing_about_earlier_ones(said: Said, more: Said) -> None:
    before = replace_same(answers(said), proposed(a="3"), NUMBER, LINE)
    after = replace_same(answers([*said, *more]), proposed(a="3"), NUMBER, LINE)
    assert after.slice(0, len(said)).equals(before)


@given(said=SAID)
def test_an_answer_has_the_text_of_the_proposed_label_exactly_where_it_is_the_same(said: Said) -> None:
    found = replace_same(answers(said), proposed(a="2", b="2", c="2"), NUMBER, LINE)
    is_same = [label is not None and abs(int(label) - 2) <= 1 for _, label in said]
    assert [label == "2" for label in found["label"].to_pylist()] == is_same


def test_the_order_of_rows_does_not_matter_but_that_of_answers_does() -> None:
    table = answers([("i", "1"), ("i", "2"), ("i", "3")])
    shuffled = table.take(pa.array([2, 0, 1]))
    assert replace_same(shuffled, proposed(i="9"), NUMBER, LINE).equals(
        replace_same(table, proposed(i="9"), NUMBER, LINE)
    )


def test_before_anything_is_proposed_answers_are_held_against_each_other() -> None:
    table = answers([("i", "1"), ("j", "2"), ("i", "2")]).drop_columns("batch")
    found = replace_same(table, nothing_proposed(), NUMBER, LINE, ("item_id",))
    assert found["label"].to_pylist() == ["1", "2", "1"]


@pytest.mark.parametrize("kind", [None, CATEGORY])
def test_where_texts_decide_the_answers_stay_the_very_table(kind: object) -> None:
    table = answers([("i", "1"), ("i", "2")])
    assert replace_same(table, proposed(i="9"), kind, LINE) is table  # type: ignore[arg-type]


def test_no_answers_are_no_answers() -> None:
    assert replace_same(answers([]), proposed(i="9"), NUMBER, LINE).num_rows == 0


@pytest.mark.parametrize(
    ("label", "said", "expert_label", "is_wrong", "count"),
    [
        ("2", ["1", "3"], "2", False, 2),
        ("1", ["2", "3", "3"], "3", True, 3),
        ("1", ["2", "3", "1"], "1", False, 3),
        ("9", ["1", "2", "3"], "1", True, 2),
        ("9", ["1", "3", "2"], "1", True, 3),
        ("9", ["1", "3", "5"], None, None, 3),
        ("1", ["3"], None, None, 1),
    ],
)
def test_the_protocol_works_on_what_answers_became(
    label: str, said: list[str], expert_label: str | None, is_wrong: bool | None, count: int
) -> None:
    items = proposed(i=label)
    replaced = replace_same(answers([("i", one) for one in said]), items, NUMBER, LINE)
    (row,) = verdicts(items, replaced, 2, AUDIT).to_pylist()
    assert (row["label"], row["expert_label"], row["is_wrong"], row["answers"]) == (
        label,
        expert_label,
        is_wrong,
        count,
    )


def test_hundreds_of_answers_on_one_item_are_no_trouble() -> None:
    said = [str(one) for one in np.random.default_rng(0).integers(0, 10, 500)]
    found = replace_same(answers([("i", one) for one in said]), proposed(i="9"), NUMBER, LINE)
    assert found["label"].to_pylist() == one_by_one("9", said)
