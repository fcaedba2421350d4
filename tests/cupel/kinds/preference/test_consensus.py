from typing import Any

import pyarrow as pa
import pytest

from cupel.errors import TableError
from cupel.kinds.preference.consensus import compare_responses
from cupel.modalities.comparison import Comparison, as_text

CLASSES = ("first", "second", "tie")
ITEMS = {"x": ("p", "a", "b"), "y": ("p", "b", "c"), "z": ("p", "a", "c"), "other": ("q", "a", "b")}


def found(answers: list[tuple[str, str | None, str]], **items: Any) -> dict[str, pa.Table]:
    texts = {name: as_text(Comparison(*parts)) for name, parts in (ITEMS | items).items()}
    rows = {"item_id": [row[0] for row in answers], "annotator": [row[1] for row in answers]}
    annotations = pa.table(rows | {"label": [row[2] for row in answers]}, _schema())
    return compare_responses(
        annotations, pa.table({"item_id": list(texts), "text": list(texts.values())}), CLASSES
    )  # fmt: skip


def _schema() -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in ("item_id", "annotator", "label")])


ANSWERS: list[tuple[str, str | None, str]] = [
    (item, who, label) for who in ("ann", "bob") for item, label in (("x", "first"), ("y", "first"), ("z", "first"))
]


def test_every_item_has_a_row_and_the_unanswered_are_null() -> None:
    rows = found(ANSWERS)["consensus"].to_pylist()
    assert [row["item_id"] for row in rows] == ["other", "x", "y", "z"]
    assert rows[0]["posterior"] is None
    assert [row["consensus_label"] for row in rows] == [None, "first", "first", "first"]
    assert all(sum(row["posterior"]) == pytest.approx(1) for row in rows[1:])


def test_a_response_is_one_wherever_it_stands_and_another_under_another_prompt() -> None:
    responses = found(ANSWERS)["responses"].to_pylist()
    assert len(responses) == 5
    assert sorted(row["comparisons"] for row in responses) == [1, 1, 2, 2, 2]


def test_row_order_does_not_matter() -> None:
    assert found(ANSWERS) == found(ANSWERS[::-1])


def test_unnamed_annotators_share_one_habit() -> None:
    habits = found([(item, None, label) for item, _, label in ANSWERS])["habits"].to_pylist()
    assert [(row["annotator"], row["answers"], row["skill"]) for row in habits] == [(None, 6, None)]


def test_a_text_that_is_no_comparison_is_named() -> None:
    items = pa.table({"item_id": ["x"], "text": ["no comparison"]})
    with pytest.raises(TableError, match=r"item_id 'x'.*first_field"):
        compare_responses(_schema().empty_table(), items, CLASSES)
