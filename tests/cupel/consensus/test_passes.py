"""Passes: any crowd gets what the plainest loop finds, parts change the last digits alone, warm starts save rounds."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from cupel.consensus import passes
from cupel.consensus.coding import Coded, code
from cupel.consensus.dawid_skene import DawidSkeneSettings, dawid_skene
from cupel.consensus.kernels import exponentials
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


HOSTILE = {
    "one answer each": lambda n, rng: (n, n % 7, rng.integers(0, 3)),
    "one annotator": lambda n, rng: (n // 2, 0, rng.integers(0, 3)),
    "one class is never used": lambda n, rng: (n // 4, n % 4, rng.integers(0, 2)),
    "all say the same": lambda n, rng: (n // 4, n % 4, 1),
    "all answers on one item": lambda n, rng: (17, n % 90, rng.integers(0, 3)),
    "who answers twice": lambda n, rng: (n // 6, n % 2, rng.integers(0, 3)),
    "thirteen classes": lambda n, rng: (n // 5, rng.integers(0, 9), rng.integers(0, 13)),
    "one answer": lambda n, rng: (3, 0, 2),
}


def plain(rows: list[tuple[int, int, int]], items: int, classes: int, rounds: int) -> np.ndarray:
    """Return what Dawid-Skene as published finds, answer by answer, in the plainest way."""
    belief = np.zeros((items, classes))
    for item, _, label in rows:
        belief[item, label] += 1
    answered = belief.sum(axis=1) > 0
    belief = np.where(answered[:, None], belief / np.maximum(belief.sum(axis=1, keepdims=True), 1), 1 / classes)
    for _ in range(rounds):
        prior = belief[answered].mean(axis=0)
        counts = {who: np.zeros((classes, classes)) for _, who, _ in rows}
        for item, who, label in rows:
            counts[who][:, label] += belief[item]
        scores = np.tile(np.log(np.maximum(prior, 1e-10)), (items, 1))
        for item, who, label in rows:
            total = counts[who].sum(axis=1)
            share = np.where(total > 1e-10, counts[who][:, label] / np.maximum(total, 1e-300), 1 / classes)
            scores[item] += np.log(np.maximum(share, 1e-10))
        belief = np.exp(scores - np.logaddexp.reduce(scores, axis=1)[:, None])
    return belief


@pytest.mark.parametrize("processors", [1, 2, 3])
@pytest.mark.parametrize("crowd_of", HOSTILE.values(), ids=HOSTILE)
def test_any_crowd_gets_what_the_plainest_loop_finds(
    crowd_of: Callable[..., tuple[int, int, int]], processors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passes, "MANY_ANSWERS", 0)
    monkeypatch.setattr(passes.os, "cpu_count", lambda: processors)
    rng = np.random.default_rng(5)
    classes = 13 if crowd_of is HOSTILE["thirteen classes"] else 3
    rows = [tuple(int(value) for value in crowd_of(n, rng)) for n in range(600)]
    rows = rows[:1] if crowd_of is HOSTILE["one answer"] else rows
    items = max(row[0] for row in rows) + 3
    table = pa.table(
        {
            "item_id": [f"{row[0]:05}" for row in rows],
            "annotator": [f"w{row[1]:03}" for row in rows],
            "label": [str(row[2]) for row in rows],
        }
    )
    coded = code(table, [f"{n:05}" for n in range(items)], [str(n) for n in range(classes)])
    found = dawid_skene(coded, DawidSkeneSettings(0.0, 0.0, tolerance=-1.0, max_iterations=5))
    np.testing.assert_allclose(found.posterior, plain(rows, items, classes, 5), atol=1e-9)


def test_exponentials_are_right_to_the_last_digit_but_one() -> None:
    values = np.concatenate([-np.random.default_rng(3).random(5_000) * 690, -np.logspace(-300, 0, 500), [0.0, -0.0]])
    found = values.copy()
    exponentials(found)
    np.testing.assert_allclose(found, np.exp(values), rtol=4e-16)
    far = np.array([-701.0, -1e300, -np.inf])
    exponentials(far)
    assert far.tolist() == [0, 0, 0]
