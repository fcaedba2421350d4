"""A checker is as sure as people's answers bear out, whatever it claims; gold is never asked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.checking.calibration import MIN_JUDGES, MIN_PROBABILITY, answers_chance, calibrated, sharpness
from cupel.consensus.coding import Integers, Reals

ITEMS = 6_000


def crowd_of(truth: Integers, accuracy: float, answers: int, classes: int, rng: np.random.Generator) -> Reals:
    """Return what a crowd of known accuracy believes of items, classes being equally frequent."""
    logs = np.zeros((len(truth), classes))
    wrong = (1 - accuracy) / (classes - 1)
    for _ in range(answers):
        is_right = rng.random(len(truth)) < accuracy
        said = np.where(is_right, truth, (truth + rng.integers(1, classes, len(truth))) % classes)
        logs += np.log(wrong)
        logs[np.arange(len(truth)), said] += np.log(accuracy / wrong)
    belief = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(belief / belief.sum(axis=1, keepdims=True))


def drawn(sure: float, classes: int, seed: int) -> tuple[Reals, Integers, np.random.Generator]:
    """Return honest log-probabilities, and truths drawn from them."""
    rng = np.random.default_rng(seed)
    probability = np.full((ITEMS, classes), (1 - sure) / (classes - 1))
    named = rng.integers(0, classes, ITEMS)
    probability[np.arange(ITEMS), named] = sure
    truth = np.where(rng.random(ITEMS) < sure, named, (named + rng.integers(1, classes, ITEMS)) % classes)
    return np.log(probability), truth, rng


@pytest.mark.parametrize("claimed", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("answers", [1, 3])
def test_whatever_it_claims_it_is_as_sure_as_it_is_right(claimed: float, answers: int) -> None:
    honest, truth, rng = drawn(0.8, 3, seed=answers)
    crowd = crowd_of(truth, 0.75, answers, 3, rng)
    found = calibrated(claimed * honest, crowd, np.arange(ITEMS) % 5)
    np.testing.assert_allclose(found.max(axis=1), 0.8, atol=0.06)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-8)


def test_one_doubtful_answer_an_item_makes_no_doubtful_checker() -> None:
    # Held to agree with single answers that are right 6 times in 10, it would say 60%.
    honest, truth, rng = drawn(0.95, 2, seed=4)
    found = calibrated(honest, crowd_of(truth, 0.6, 1, 2, rng), np.arange(ITEMS) % 5)
    assert found.max(axis=1).mean() > 0.85


def test_a_checker_that_knows_nothing_is_left_with_hardly_a_claim() -> None:
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 2, ITEMS)
    named = rng.integers(0, 2, ITEMS)
    scores = np.where(np.arange(2) == named[:, None], np.log(0.99), np.log(0.01))
    found = calibrated(scores, crowd_of(truth, 0.8, 2, 2, rng), np.arange(ITEMS) % 5)
    assert found.max() < 0.6


def test_an_items_own_answers_do_not_decide_how_sure_the_checker_is_of_it() -> None:
    honest, truth, rng = drawn(0.8, 2, seed=1)
    crowd, fold = crowd_of(truth, 0.8, 2, 2, rng), np.arange(ITEMS) % 2
    first = calibrated(honest, crowd, fold)
    other = np.where((fold == 0)[:, None], crowd[:, ::-1], crowd)
    changed = calibrated(honest, other, fold)
    prior_moves = 1e-3
    np.testing.assert_allclose(changed[fold == 0], first[fold == 0], atol=prior_moves)
    assert np.abs(changed[fold == 1] - first[fold == 1]).max() > 0.1


def test_too_few_judges_leave_the_claims_as_they_are() -> None:
    honest = np.log(np.array([[0.9, 0.1]] * (MIN_JUDGES - 1)))
    crowd = np.array([[0.1, 0.9]] * (MIN_JUDGES - 1))
    found = calibrated(honest, crowd, np.arange(MIN_JUDGES - 1) % 2)
    np.testing.assert_allclose(found, [[0.9, 0.1]] * (MIN_JUDGES - 1), atol=1e-8)


def test_silence_stays_and_unanswered_items_are_judged_by_the_others() -> None:
    honest, truth, rng = drawn(0.8, 3, seed=2)
    crowd = crowd_of(truth, 0.8, 2, 3, rng)
    honest[::7], crowd[::5] = np.nan, np.nan
    found = calibrated(4 * honest, crowd, np.arange(ITEMS) % 5)
    assert np.isnan(found[::7]).all()
    assert not np.isnan(np.delete(found, np.s_[::7], axis=0)).any()


def test_no_class_is_ever_impossible() -> None:
    scores = np.array([[0.0, -800.0]] * 100)
    found = calibrated(scores, np.array([[0.9, 0.1]] * 100), np.arange(100) % 2)
    assert found.min() >= MIN_PROBABILITY * 0.99


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.permutations(range(3)))
def test_the_names_of_classes_do_not_matter(seed: int, order: list[int]) -> None:
    rng = np.random.default_rng(seed)
    scores, crowd = rng.normal(size=(80, 3)), rng.dirichlet(np.ones(3), 80)
    assert sharpness(scores, answers_chance(crowd)) == pytest.approx(
        sharpness(scores[:, order], answers_chance(crowd[:, order]))
    )
