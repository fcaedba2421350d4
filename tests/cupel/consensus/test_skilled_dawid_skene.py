"""Skilled Dawid-Skene: a poor annotator with few answers is known for one."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.consensus.coding import Coded, code
from cupel.consensus.dawid_skene import dawid_skene
from cupel.consensus.skilled_dawid_skene import SkilledSettings, at_skill, skilled_dawid_skene

POOL = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])


def guessers(seed: int) -> tuple[Coded, np.ndarray]:
    """Return five answers on each of 600 items; 20 annotators are good, 80 guess, with 30 answers each."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 5, 600)
    item = np.repeat(np.arange(600), 5)
    annotator = rng.permutation(np.repeat(np.arange(100), 30))
    is_right = rng.random(3000) < np.where(annotator < 20, 0.95, 0.25)
    label = np.where(is_right, truth[item], rng.integers(0, 5, 3000))
    table = pa.table({
        "item_id": [f"{i:03}" for i in item],
        "annotator": [f"w{a:02}" for a in annotator],
        "label": ["abcde"[place] for place in label],
    })  # fmt: skip
    return code(table, [f"{i:03}" for i in range(600)], tuple("abcde")), truth


def test_an_annotator_like_the_crowd_gets_the_crowds_matrix() -> None:
    counts = POOL[None] * np.array([30, 20, 10])[None, :, None]
    np.testing.assert_allclose(at_skill(POOL, counts, 0.6, 4.0)[0], POOL, atol=1e-12)


def test_without_answers_it_is_the_crowds_matrix() -> None:
    np.testing.assert_allclose(at_skill(POOL, np.zeros((1, 3, 3)), 0.6, 4.0)[0], POOL, atol=1e-12)


@pytest.mark.parametrize(("right", "is_better"), [(0.95, True), (0.3, False)])
def test_skill_shifts_all_classes_alike_in_odds(right: float, is_better: bool) -> None:
    rows = np.full((3, 3), (1 - right) / 2)
    np.fill_diagonal(rows, right)
    found = at_skill(POOL, 50 * rows[None], 0.6, 4.0)[0]
    np.testing.assert_allclose(found.sum(axis=1), 1)
    odds = np.diag(found) / (1 - np.diag(found)) / (np.diag(POOL) / (1 - np.diag(POOL)))
    np.testing.assert_allclose(odds, odds[0])
    assert bool(odds[0] > 1) is is_better
    # Where it errs, it errs as the crowd does.
    np.testing.assert_allclose(found[0, 1] / found[0, 2], 2)


def test_few_answers_tell_guessers_from_the_good_where_matrices_cannot() -> None:
    ours, plain = 0, 0
    for seed in range(5):
        coded, truth = guessers(seed)
        ours += int((skilled_dawid_skene(coded).posterior.argmax(axis=1) == truth).sum())
        plain += int((dawid_skene(coded).posterior.argmax(axis=1) == truth).sum())
    assert ours > plain + 30


def test_with_all_belief_in_the_crowds_skill_it_is_dawid_skene() -> None:
    coded, _ = guessers(1)
    held = skilled_dawid_skene(coded, SkilledSettings(skill_smoothing=1e9))
    np.testing.assert_allclose(held.posterior, dawid_skene(coded).posterior, atol=0.01)
