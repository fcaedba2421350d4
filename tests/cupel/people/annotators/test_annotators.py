"""What is known of each annotator, and that nobody is judged by the own answer."""

import pyarrow as pa
import pytest

from cupel.contract.tables.labeling import ANNOTATORS
from cupel.people.annotators.annotators import annotators
from cupel.people.annotators.study import study

CLASSES = ("x", "y")


def table(*rows: tuple[str, str | None, str, float | None]) -> pa.Table:
    items, names, labels, seconds = (list(column) for column in zip(*rows, strict=True))
    return pa.table({
        "item_id": items,
        "annotator": pa.array(names, pa.string()),
        "label": labels,
        "seconds_spent": pa.array(seconds, pa.float64()),
    })  # fmt: skip


def found(rows: pa.Table, gold: pa.Table | None = None) -> dict[str, dict[str, object]]:
    result = annotators(study(rows, sorted(set(rows["item_id"].to_pylist())), CLASSES, gold))
    assert result.schema.equals(ANNOTATORS.schema)
    return {row["annotator"]: row for row in result.to_pylist()}


def test_agreement_is_with_the_others_and_only_where_they_have_a_plurality() -> None:
    rows = table(
        ("1", "p", "x", 3.0), ("1", "q", "x", 1.0), ("1", "r", "y", None),
        ("2", "p", "x", 5.0), ("2", "q", "y", 9.0),
        ("3", "r", "x", None),
    )  # fmt: skip
    result = found(rows)
    # On item 1 the others of p say x and y: no plurality. On item 2 the other one says y.
    assert result["p"]["agreement_share"] == 0 / 1
    assert result["q"]["agreement_share"] == 0 / 1
    # On item 1 both others of r say x; on item 3 there is no other.
    assert result["r"]["agreement_share"] == 0 / 1
    assert [result[name]["answers"] for name in "pqr"] == [2, 2, 2]
    assert result["p"]["answer_share"] == 2 / 6
    assert [result[name]["seconds_spent"] for name in "pqr"] == [4.0, 5.0, None]


def test_agreement_is_null_for_who_was_always_alone() -> None:
    assert found(table(("1", "p", "x", None)))["p"]["agreement_share"] is None


def test_annotations_that_name_nobody_are_one_row_without_quality() -> None:
    result = found(table(("1", None, "x", None), ("1", None, "x", None), ("1", "p", "x", None)))
    assert result["anonymous"]["answers"] == 2
    assert result["anonymous"]["quality"] is None
    assert result["anonymous"]["agreement_share"] == 2 / 2
    assert result["p"]["quality"] is not None


def test_somebody_named_anonymous_keeps_the_name() -> None:
    assert sorted(found(table(("1", None, "x", None), ("1", "anonymous", "x", None)))) == ["anonymous", "anonymous*"]


def test_gold_counts_answers_on_known_items_only() -> None:
    gold = pa.table({"item_id": ["1", "2", "9"], "label": ["x", "x", "y"]})
    result = found(table(("1", "p", "x", None), ("2", "p", "y", None), ("3", "p", "x", None)), gold)
    assert (result["p"]["gold_answers"], result["p"]["gold_right"]) == (2, 1)


def test_the_better_annotator_has_the_higher_quality() -> None:
    rows = []
    for item in range(60):
        truth = CLASSES[item % 2]
        for name in ("p", "q", "r"):
            rows.append((str(item), name, truth, None))
        rows.append((str(item), "s", truth if item % 3 else CLASSES[1 - item % 2], None))
    result = found(table(*rows))
    assert result["p"]["quality"] == pytest.approx(1, abs=0.05)
    assert result["s"]["quality"] < 0.8
    assert result["s"]["agreement_share"] == 40 / 60


def test_without_answers_there_is_nobody() -> None:
    rows = table(("1", "p", "x", None)).slice(0, 0)
    assert annotators(study(rows, ["1"], CLASSES)).num_rows == 0
