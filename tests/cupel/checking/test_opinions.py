"""Whatever a checker says must fit the batch: no number that is none, no silence without a reason."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.checking.opinions import Batch, Opinions, batch_of, predictions_of, reasons
from cupel.config.checking import Checking
from cupel.consensus.consensus import consensus
from cupel.errors import TableError

CLASSES = ("x", "y")
IDS = ["a", "b"]


def batch() -> Batch:
    people = consensus(pa.table({"item_id": IDS, "annotator": ["p", "p"], "label": ["x", "y"]}), IDS, CLASSES)
    return batch_of(pa.table({"item_id": IDS, "group_id": IDS}), people, CLASSES, Checking())


def test_opinions_become_predictions() -> None:
    scores = np.log([[0.9, 0.1], [0.5, 0.5]])
    found = predictions_of(batch(), Opinions(scores, pa.nulls(2, pa.string())), "m", "1")
    assert found["predicted_label"].to_pylist() == ["x", "x"], "of equally likely classes, the ontology's first"


@pytest.mark.parametrize(("scores", "silent"), [
    ([[0.0, np.inf], [0.0, 0.0]], [False, False]),
    ([[0.0, np.nan], [0.0, 0.0]], [True, False]),
    ([[np.nan, np.nan], [0.0, 0.0]], [False, False]),
    ([[0.0, 0.0], [0.0, 0.0]], [False, True]),
    ([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], [False, False]),
    ([[0.0, 0.0]], [False]),
])  # fmt: skip
def test_what_does_not_fit_is_refused(scores: list[list[float]], silent: list[bool]) -> None:
    with pytest.raises(TableError, match="a checker's scores"):
        predictions_of(batch(), Opinions(np.array(scores), reasons(np.array(silent), "why")), "m", "1")
