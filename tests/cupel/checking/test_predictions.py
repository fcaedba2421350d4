"""A team's own model: every row of its file becomes an opinion, an abstention with its reason, or an error."""

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cupel.checking import predictions as own
from cupel.checking.opinions import Batch, batch_of, predictions_of
from cupel.checking.predictions import read_predictions, version
from cupel.config.checking import Checking
from cupel.consensus.consensus import consensus
from cupel.errors import CheckerError
from cupel.tables import PREDICTIONS

CLASSES = ("bad", "fair", "good")
SETTINGS = Checking()


def batch(items: int = 6, answers: int = 2) -> Batch:
    ids = [f"{item:04}" for item in range(items)]
    rows = {
        "item_id": [item for item in ids for _ in range(answers)],
        "annotator": [name for _ in ids for name in ("ann", "bob", "cy")[:answers]],
        "label": [CLASSES[int(item) % 3] for item in ids for _ in range(answers)],
    }
    people = consensus(pa.table(rows, schema=pa.schema(dict.fromkeys(rows, pa.string()))), ids, CLASSES)
    return batch_of(pa.table({"item_id": ids, "group_id": ids}), people, CLASSES, SETTINGS)


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    path = folder / "model.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def probabilities(item: str, *values: object) -> dict[str, Any]:
    return {"item_id": item, **dict(zip(CLASSES, values, strict=True))}


def test_probabilities_become_opinions_and_items_without_a_row_abstentions(tmp_path: Path) -> None:
    path = written(tmp_path, [probabilities("0002", 0.1, 0.2, 0.7), probabilities("0000", 1, 0, 0)])
    said = read_predictions(path, "one", batch()).opinions
    found = predictions_of(batch(), said, "ours", "1")
    assert found.schema.equals(PREDICTIONS.schema)
    assert found["predicted_label"].to_pylist() == ["bad", None, "good", None, None, None]
    assert found["abstention"].to_pylist() == [None, own.NOT_IN_FILE, None, *[own.NOT_IN_FILE] * 3]
    np.testing.assert_allclose(found["posterior"][2].as_py(), [0.1, 0.2, 0.7], atol=1e-6)


@pytest.mark.parametrize(("values", "reason"), [
    (("nan", 0.5, 0.5), own.NOT_A_NUMBER),
    (("", 0.5, 0.5), own.NOT_A_NUMBER),
    (("inf", 0, 0), own.NOT_A_NUMBER),
    (("<b>", 0.5, 0.5), own.NOT_A_NUMBER),
    ((1.2, -0.1, -0.1), own.OUT_OF_RANGE),
    ((0.5, 0.3, 0.1), own.NOT_WHOLE),
    ((0, 0, 0), own.NOT_WHOLE),
    ((0.5, 0.3, 0.215), own.NOT_WHOLE),
    ((0.5, 0.3, 0.205), None),
    (("1e0", "0.", ".0"), None),
])  # fmt: skip
def test_a_row_that_makes_no_sense_is_an_abstention(tmp_path: Path, values: tuple[object, ...], reason: str) -> None:
    path = written(tmp_path, [probabilities("0000", *values), probabilities("0001", 0.2, 0.5, 0.3)])
    said = read_predictions(path, "one", batch()).opinions
    assert said.abstention[0].as_py() == reason
    assert np.isnan(said.scores[0]).all() == (reason is not None)
    assert said.abstention[1].as_py() is None


@pytest.mark.parametrize("values", [(math.nan, 0.5, 0.5), (None, 0.5, 0.5), (math.inf, 0.0, 0.0)])
def test_parquet_can_hold_what_is_no_number_too(tmp_path: Path, values: tuple[float | None, ...]) -> None:
    path = tmp_path / "model.parquet"
    pq.write_table(pa.Table.from_pylist([probabilities("0000", *values), probabilities("0001", 0.2, 0.5, 0.3)]), path)
    said = read_predictions(path, "one", batch()).opinions
    assert said.abstention.to_pylist()[:2] == [own.NOT_A_NUMBER, None]


@pytest.mark.parametrize(("label", "confidence", "reason"), [
    ("good", 0.7, None),
    ("good", "", own.NOT_A_CONFIDENCE),
    ("good", "NaN", own.NOT_A_CONFIDENCE),
    ("good", 70, own.NOT_A_CONFIDENCE),
    ("good", 0.3, own.CONTRADICTORY),
    ("great", 0.7, own.OUTSIDE_ONTOLOGY),
    ("", 0.7, own.NO_LABEL),
])  # fmt: skip
def test_a_label_with_its_confidence_is_enough(
    tmp_path: Path, label: str, confidence: object, reason: str | None
) -> None:
    rows = [{"item_id": f"{item:04}", "label": "fair", "confidence": 1} for item in range(1, 6)]
    path = written(tmp_path, [{"item_id": "0000", "label": label, "confidence": confidence}, *rows])
    said = read_predictions(path, "one", batch()).opinions
    assert said.abstention[0].as_py() == reason
    if reason is None:
        np.testing.assert_allclose(np.exp(said.scores[0]), [0.15, 0.15, 0.7])


def test_how_sure_a_model_is_that_does_not_say_is_learnt_from_people(tmp_path: Path) -> None:
    ours = batch(900, answers=3)
    rng = np.random.default_rng(0)
    right = rng.random(900) < 0.6
    labels = [CLASSES[(item + (0 if right[item] else 1)) % 3] for item in range(900)]
    path = written(tmp_path, [{"item_id": f"{item:04}", "label": label} for item, label in enumerate(labels)])
    found = predictions_of(ours, read_predictions(path, "one", ours).opinions, "ours", "1")
    assert found["predicted_label"].to_pylist() == labels
    sure = np.array(found["posterior"].to_pylist()).max(axis=1)
    assert sure.mean() == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize(("rows", "said"), [
    ([{"item_id": "0000", "bad": 0.5, "good": 0.5}], "missing columns \\['fair'\\]"),
    ([{**probabilities("0000", 0.2, 0.2, 0.2), "great": 0.4}], "unknown columns \\['great'\\]"),
    ([{"bad": 1, "fair": 0, "good": 0}], "missing columns \\['item_id'\\]"),
    ([{"item_id": "0000", "label": "bad", "score": 0.5}], "unknown columns \\['score'\\]"),
    ([probabilities("0000", 1, 0, 0), probabilities("0000", 0, 1, 0)], "item '0000' stands twice"),
    ([probabilities("0000", 1, 0, 0)] * 2, "item '0000' stands twice"),
    ([probabilities("x", 1, 0, 0)], "none of its 1 rows"),
])  # fmt: skip
def test_a_file_that_is_wrong_as_a_whole_is_an_error(tmp_path: Path, rows: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(CheckerError, match=said):
        read_predictions(written(tmp_path, rows), "one", batch())


def test_what_is_no_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckerError, match="no such file"):
        read_predictions(tmp_path / "none.parquet", "one", batch())
    garbage = tmp_path / "model.parquet"
    garbage.write_bytes(b"\x00\xff" * 100)
    with pytest.raises(CheckerError, match="not a CSV or Parquet file"):
        read_predictions(garbage, "one", batch())
    empty = tmp_path / "model.csv"
    empty.write_text("")
    with pytest.raises(CheckerError, match="not a CSV or Parquet file"):
        read_predictions(empty, "one", batch())
    nested = tmp_path / "nested.parquet"
    pq.write_table(pa.table({"item_id": ["0000"], **{name: [[1.0]] for name in CLASSES}}), nested)
    with pytest.raises(CheckerError, match="column bad is of type list"):
        read_predictions(nested, "one", batch())


def test_rows_of_items_that_the_batch_does_not_have_are_counted(tmp_path: Path) -> None:
    path = written(tmp_path, [probabilities("0000", 1, 0, 0), probabilities("dropped", 0, 1, 0)])
    assert read_predictions(path, "one", batch()).unknown_rows == 1


def test_a_file_of_several_batches_names_them(tmp_path: Path) -> None:
    rows = [
        {"batch": name, **probabilities("0000", *values)} for name, values in (("one", (1, 0, 0)), ("two", (0, 0, 1)))
    ]
    path = written(tmp_path, rows)
    for name, label in (("one", "bad"), ("two", "good")):
        found = predictions_of(batch(), read_predictions(path, name, batch()).opinions, "ours", "1")
        assert found["predicted_label"][0].as_py() == label


def test_numbers_as_ids_are_the_texts_that_they_look_like(tmp_path: Path) -> None:
    ids = ["1", "2"]
    people = consensus(pa.table({"item_id": ids, "annotator": ["a", "a"], "label": ["bad", "good"]}), ids, CLASSES)
    ours = batch_of(pa.table({"item_id": ids, "group_id": ids}), people, CLASSES, SETTINGS)
    path = tmp_path / "model.parquet"
    pq.write_table(pa.table({"item_id": [2, 1], "label": ["good", "bad"]}), path)
    assert read_predictions(path, "one", ours).opinions.abstention.null_count == 2


def test_row_order_changes_no_byte(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [probabilities(f"{item:04}", *values) for item, values in enumerate(rng.dirichlet(np.ones(3), 300).round(6))]
    ours = batch(300)
    first = predictions_of(ours, read_predictions(written(tmp_path, rows), "one", ours).opinions, "m", "1")
    again = predictions_of(ours, read_predictions(written(tmp_path, rows[::-1]), "one", ours).opinions, "m", "1")
    assert again.equals(first)


def test_the_version_is_that_of_the_file_the_classes_and_the_folds() -> None:
    versions = {
        version("aa", CLASSES, SETTINGS), version("ab", CLASSES, SETTINGS), version("aa", CLASSES[::-1], SETTINGS),
        version("aa", CLASSES, Checking(folds=4)), version("aa", CLASSES, Checking(seed=8)),
    }  # fmt: skip
    assert len(versions) == 5
    assert version("aa", CLASSES, Checking(accept_log_odds=9)) == version("aa", CLASSES, SETTINGS)
