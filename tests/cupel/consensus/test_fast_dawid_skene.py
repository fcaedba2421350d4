"""Fast Dawid-Skene: a round worked out by hand, and where it must end up."""

import numpy as np
import pyarrow as pa

from cupel.consensus.coding import Coded, code
from cupel.consensus.dawid_skene import PLAIN, DawidSkeneSettings, dawid_skene
from cupel.consensus.fast_dawid_skene import fast_dawid_skene
from cupel.consensus.kernels import decide


def pair_and_liar(items: int) -> Coded:
    """Return answers of two who are right and one who always says the opposite, on items that alternate."""
    rows = [(f"{i:03}", name, "xy"[(i + (name == "r")) % 2]) for i in range(items) for name in ("p", "q", "r")]
    table = pa.table({key: [row[n] for row in rows] for n, key in enumerate(("item_id", "annotator", "label"))})
    return code(table, [f"{i:03}" for i in range(items)], ("x", "y"))


def test_it_settles_in_one_round_where_the_majority_is_right_and_reads_the_liar() -> None:
    found = fast_dawid_skene(pair_and_liar(40), PLAIN)
    assert found.iterations == 1
    assert found.is_converged
    assert found.posterior.argmax(axis=1).tolist() == [0, 1] * 20
    assert found.confusion.tolist() == [[[1, 0], [0, 1]], [[1, 0], [0, 1]], [[0, 1], [1, 0]]]


def test_its_last_round_is_one_of_dawid_skene_from_settled_labels() -> None:
    coded = pair_and_liar(40)
    settled = np.eye(2)[[0, 1] * 20]
    one = dawid_skene(coded, DawidSkeneSettings(max_iterations=1), start=settled)
    np.testing.assert_allclose(fast_dawid_skene(coded).posterior, one.posterior)


def test_rounds_that_run_out_are_said() -> None:
    assert not fast_dawid_skene(pair_and_liar(40), DawidSkeneSettings(max_iterations=0)).is_converged


def test_the_first_of_equal_scores_is_chosen() -> None:
    scores = np.array([[1.0, 1.0], [0.0, 2.0], [5.0, 5.0]])
    decide(scores, 2)
    assert scores.tolist() == [[1, 0], [0, 1], [5, 5]]
