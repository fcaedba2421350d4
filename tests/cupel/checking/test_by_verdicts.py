"""By verdicts: another consensus is called in where experts bear it out, and only then."""

import numpy as np
import pyarrow as pa

from cupel.checking import by_verdicts
from cupel.checking.label_fusion import LabelFusion
from cupel.contract.ontology import Ontology
from cupel.kinds.category import CATEGORY

CLASSES = ("x", "y")
SIZE = 200


def consensus(chance_of_x: np.ndarray) -> pa.Table:
    rows = [[float(chance), float(1 - chance)] for chance in chance_of_x]
    return pa.table({"item_id": [f"{n:03}" for n in range(SIZE)], "posterior": pa.array(rows, pa.list_(pa.float64()))})


def silent() -> pa.Table:
    nothing = pa.nulls(SIZE, pa.list_(pa.float64()))
    return pa.table({"item_id": [f"{n:03}" for n in range(SIZE)], "posterior": nothing})


TRUTH = np.arange(SIZE) % 2
# Annotators share a mistake on every fourth item: one method learns the mistake, the other does not.
MISLED = consensus(np.where((TRUTH == 0) & (np.arange(SIZE) % 4 != 0), 0.9, 0.1))
RIGHT = consensus(np.where(TRUTH == 0, 0.8, 0.2))
VERDICTS = {f"{n:03}": CLASSES[TRUTH[n]] for n in range(SIZE)}


def fuse_by_verdicts(
    consensuses: dict[str, pa.Table], predictions: pa.Table, verdicts: dict[str, str]
) -> tuple[str, LabelFusion]:
    return by_verdicts.fuse_by_verdicts(consensuses, predictions, CATEGORY, Ontology(CLASSES), verdicts)


def some(count: int) -> dict[str, str]:
    return dict(list(VERDICTS.items())[:count])


def test_without_verdicts_the_first_counts() -> None:
    method, found = fuse_by_verdicts({"one": MISLED, "two": RIGHT}, silent(), {})
    assert method == "one"
    assert found.log_odds.tolist() == CATEGORY.fuse(MISLED, silent(), Ontology(CLASSES), None).log_odds.tolist()


def test_verdicts_call_in_the_method_that_they_bear_out() -> None:
    method, found = fuse_by_verdicts({"one": MISLED, "two": RIGHT}, silent(), some(40))
    assert method == "two"
    assert found.label.to_pylist() == [CLASSES[place] for place in TRUTH]


def test_a_verdict_or_two_call_in_nobody() -> None:
    assert fuse_by_verdicts({"one": MISLED, "two": RIGHT}, silent(), some(2))[0] == "one"


def test_the_method_that_is_right_stays_whatever_stands_beside_it() -> None:
    assert fuse_by_verdicts({"one": RIGHT, "two": MISLED}, silent(), some(40))[0] == "one"
    assert fuse_by_verdicts({"one": RIGHT, "two": RIGHT}, silent(), VERDICTS)[0] == "one"
