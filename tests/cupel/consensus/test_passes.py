"""Passes: blocks and parts change nothing but the last digits, and warm starts save rounds."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.consensus import passes
from cupel.consensus.coding import Coded, code
from cupel.consensus.dawid_skene import dawid_skene
from cupel.consensus.passes import collect, is_answered, log_sum, prepare, softmax


def crowd(items: int = 300) -> Coded:
    """Return three answers an item, right 7 times in 10; every tenth item has none."""
    rng = np.random.default_rng(1)
    rows = [
        (f"{item:04}", f"w{who}", "abc"[item % 3 if rng.random() < 0.7 else rng.integers(0, 3)])
        for item in range(items)
        for who in rng.choice(8, 3, replace=False)
        if item % 10
    ]
    table = pa.table({key: [row[n] for row in rows] for n, key in enumerate(("item_id", "annotator", "label"))})
    return code(table, [f"{item:04}" for item in range(items)], tuple("abc"))


def test_answers_are_prepared_item_by_item() -> None:
    coded = crowd()
    found = prepare(coded)
    assert np.repeat(np.arange(300), np.diff(found.start)).tolist() == coded.item.tolist()
    assert np.divmod(found.cell, 3)[0].tolist() == coded.annotator.tolist()
    assert np.divmod(found.cell, 3)[1].tolist() == coded.label.tolist()
    assert found.items == 270 == is_answered(coded).sum()


@pytest.mark.parametrize("processors", [1, 2, 3])
def test_parts_side_by_side_give_what_one_gives_and_the_same_bytes_each_time(
    processors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    coded = crowd()
    one = dawid_skene(coded).posterior
    monkeypatch.setattr(passes, "MANY_ANSWERS", 0)
    eight = dawid_skene(coded).posterior
    np.testing.assert_allclose(eight, one, atol=1e-12)
    monkeypatch.setattr(passes.os, "cpu_count", lambda: processors)
    assert {dawid_skene(coded).posterior.tobytes() for _ in range(3)} == {eight.tobytes()}


def test_beliefs_are_counts_split_as_the_items_are() -> None:
    coded = crowd(30)
    belief = np.random.default_rng(2).dirichlet(np.ones(3), 30)
    expected = np.zeros((8, 3, 3))
    for item, who, what in zip(coded.item, coded.annotator, coded.label, strict=True):
        expected[who, what] += belief[item]
    found = collect(prepare(coded), belief)
    np.testing.assert_allclose(found.counts, expected)
    np.testing.assert_allclose(found.sums, belief[is_answered(coded)].sum(axis=0))


def test_a_warm_start_needs_fewer_rounds_and_ends_alike() -> None:
    coded = crowd()
    cold = dawid_skene(coded)
    warm = dawid_skene(coded, start=cold.posterior)
    assert warm.iterations < cold.iterations / 2
    np.testing.assert_allclose(warm.posterior, cold.posterior, atol=1e-3)
    new = cold.posterior.copy()
    new[:5] = np.nan
    np.testing.assert_allclose(dawid_skene(coded, start=new).posterior, cold.posterior, atol=1e-2)
    with pytest.raises(ValueError, match="start has shape"):
        dawid_skene(coded, start=cold.posterior[:5])


def test_softmax_takes_scores_of_any_size() -> None:
    scores = np.array([[1000.0, 1000.0], [-1000.0, -2000.0], [0.0, np.log(3)]])
    np.testing.assert_allclose(softmax(scores), [[0.5, 0.5], [1, 0], [0.25, 0.75]])
    np.testing.assert_allclose(log_sum(scores), [1000 + np.log(2), -1000, np.log(4)])
