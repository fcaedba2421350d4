"""The verdict step: annotators are judged once by a belief, and by what experts said."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.consensus.coding import Coded, code
from cupel.consensus.dawid_skene import DawidSkeneSettings, dawid_skene
from cupel.consensus.verdict_step import SMOOTHING, judge_by_verdicts

NONE = np.zeros(0, np.int64)


def crowd(matrices: np.ndarray, items: int, votes: int, seed: int) -> tuple[Coded, np.ndarray]:
    """Return answers of annotators with these confusions, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, matrices.shape[1], items)
    who = rng.random((items, len(matrices))).argsort(axis=1)[:, :votes]
    rows = [
        (f"{item:04}", f"p{one:02}", "abcd"[rng.choice(matrices.shape[1], p=matrices[one, truth[item]])])
        for item in range(items)
        for one in who[item]
    ]
    table = pa.table(dict(zip(("item_id", "annotator", "label"), map(list, zip(*rows, strict=True)), strict=True)))
    return code(table, [f"{item:04}" for item in range(items)], tuple("abcd"[: matrices.shape[1]])), truth


def coins(right: list[float]) -> np.ndarray:
    return np.array([[[one, 1 - one], [1 - one, one]] for one in right])


CODED, TRUTH = crowd(coins([0.9, 0.8, 0.7, 0.6, 0.2]), 300, 4, 1)


def test_without_verdicts_it_is_one_step_of_dawid_skene() -> None:
    start = np.full((300, 2), 0.1)
    start[np.arange(300), TRUTH] = 0.9
    before = start.copy()
    found = judge_by_verdicts(CODED, start, NONE, NONE)
    one = DawidSkeneSettings(smoothing=SMOOTHING, max_iterations=1, tolerance=0.0)
    np.testing.assert_allclose(found, dawid_skene(CODED, one, start).posterior)
    assert (start == before).all()


def test_verdicts_tell_who_is_wrong_where_the_belief_does_not() -> None:
    # All but two annotators answer the other class: the belief of any method that trusts the many is upside down.
    coded, truth = crowd(coins([0.9, 0.9, 0.25, 0.25, 0.25, 0.25]), 400, 6, 2)
    start = dawid_skene(coded).posterior
    assert (start.argmax(axis=1) == truth).mean() < 0.5
    asked = np.arange(100)
    found = judge_by_verdicts(coded, start, asked, truth[asked])[100:].argmax(axis=1)
    assert (found == truth[100:]).mean() > (start[100:].argmax(axis=1) == truth[100:]).mean() + 0.1


def test_verdicts_that_say_what_is_believed_change_next_to_nothing() -> None:
    start = dawid_skene(CODED).posterior
    label = start.argmax(axis=1)
    sure = np.flatnonzero(start.max(axis=1) > 0.99)[:20]
    plain = judge_by_verdicts(CODED, start, NONE, NONE)
    found = judge_by_verdicts(CODED, start, sure, label[sure])
    assert (found.argmax(axis=1) == plain.argmax(axis=1)).mean() > 0.97


def test_classes_in_another_order_give_the_same_belief() -> None:
    start = dawid_skene(CODED).posterior
    turned = CODED._replace(label=1 - CODED.label)
    asked = np.arange(30)
    one = judge_by_verdicts(CODED, start, asked, TRUTH[asked])
    other = judge_by_verdicts(turned, np.ascontiguousarray(start[:, ::-1]), asked, 1 - TRUTH[asked])
    np.testing.assert_allclose(one, other[:, ::-1], atol=1e-9)


@pytest.mark.parametrize("weight", [1.0, 4.0, 16.0])
def test_the_more_a_verdict_counts_the_surer_it_judges(weight: float) -> None:
    start, asked = np.full((300, 2), 0.5), np.arange(20)
    found = judge_by_verdicts(CODED, start, asked, TRUTH[asked], weight)
    assert np.isfinite(found).all()
    right = found[np.arange(300), TRUTH][20:]
    more = judge_by_verdicts(CODED, start, asked, TRUTH[asked], 2 * weight)[np.arange(300), TRUTH][20:]
    assert np.log(more).mean() > np.log(right).mean() > np.log(0.5)
