"""One coin against another library, and where it is right and Dawid-Skene cannot tell."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from crowdkit.aggregation import OneCoinDawidSkene as Oracle

from cupel.consensus.coding import code
from cupel.consensus.one_coin import OneCoinSettings, one_coin

CLASSES = ("a", "b", "c")


def crowd(seed: int) -> pa.Table:
    """Return four answers on each of 200 items, true class its number modulo 3, annotators of mixed skill."""
    rng = np.random.default_rng(seed)
    skill = np.linspace(0.35, 0.95, 12)
    rows = []
    for item in range(200):
        for annotator in rng.choice(12, 4, replace=False):
            label = item % 3 if rng.random() < skill[annotator] else (item + rng.integers(1, 3)) % 3
            rows.append({"item_id": f"{item:04}", "annotator": f"w{annotator:02}", "label": CLASSES[label]})
    return pa.Table.from_pylist(rows)


@pytest.mark.parametrize("iterations", [1, 5, 40])
def test_without_smoothing_it_equals_crowd_kit(iterations: int) -> None:
    table = crowd(1)
    coded = code(table, [f"{item:04}" for item in range(200)], CLASSES)
    ours = one_coin(coded, OneCoinSettings(0.0, class_smoothing=0.0, tolerance=0.0, max_iterations=iterations))
    frame = pd.DataFrame(table.to_pydict()).rename(columns={"item_id": "task", "annotator": "worker"})
    oracle = Oracle(n_iter=iterations, tol=-np.inf).fit(frame)
    expected = oracle.probas_.sort_index()[list(CLASSES)].to_numpy()
    np.testing.assert_allclose(ours.posterior, expected, atol=1e-6)
    np.testing.assert_allclose(ours.accuracy, oracle.skills_.sort_index(), atol=1e-6)


def test_it_finds_who_is_good() -> None:
    coded = code(crowd(2), [f"{item:04}" for item in range(200)], CLASSES)
    accuracy = one_coin(coded).accuracy
    np.testing.assert_allclose(accuracy, np.linspace(0.35, 0.95, 12), atol=0.15)
    assert np.corrcoef(accuracy, np.arange(12))[0, 1] > 0.9


@pytest.mark.parametrize("smoothing", [0.0, 4.0])
def test_accuracy_is_the_share_of_right_answers_drawn_to_the_crowd(smoothing: float) -> None:
    rows = [(f"{item:03}", name, "ab"[item % 2]) for item in range(40) for name in "pqr"]
    rows = [(item, name, {"a": "b", "b": "a"}[label] if name == "r" else label) for item, name, label in rows]
    table = pa.table({key: [row[n] for row in rows] for n, key in enumerate(("item_id", "annotator", "label"))})
    found = one_coin(code(table, [f"{item:03}" for item in range(40)], ("a", "b")), OneCoinSettings(smoothing))
    # Of three answers two agree: pairs agree 1 time in 3, less than by chance, which counts as just above chance.
    expected = np.array([40 + smoothing * 0.55, 40 + smoothing * 0.55, smoothing * 0.55])
    np.testing.assert_allclose(found.accuracy, expected / (40 + smoothing), atol=1e-3)
