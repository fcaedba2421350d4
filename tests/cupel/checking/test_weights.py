"""Weights of people and checker: earned by answers or verdicts, and what they were where nobody says otherwise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cupel.checking.weights import CHECKER_WEIGHTS, WEIGHTS, Weights, choose_weight, weights_by_verdicts

EVEN = np.log(np.full(2, 0.5))


@given(arrays(np.float64, st.tuples(st.integers(1, 20), st.integers(2, 4)), elements=st.floats(-50, 0)))
def test_an_opinion_without_content_gets_no_weight(answers: np.ndarray) -> None:
    prior = np.log(np.full(answers.shape[1], 1 / answers.shape[1]))
    assert choose_weight(answers, np.zeros(answers.shape), prior) == WEIGHTS[0] == 0


def test_without_items_the_checker_gets_no_weight() -> None:
    assert choose_weight(np.zeros((0, 2)), np.zeros((0, 2)), EVEN) == 0


@pytest.mark.parametrize("checker", [0.0, 0.5, 1.0])
def test_without_verdicts_nothing_changes(checker: float) -> None:
    none = np.zeros((0, 2))
    assert weights_by_verdicts(none, none, EVEN, np.zeros(0, np.int64), checker) == (Weights(1.0, checker), 0.0)


def test_one_verdict_hardly_moves_the_weights_and_many_do() -> None:
    # Answers that claim 99% and are wrong every other time; a checker that claims 80% and is right then.
    answers = np.log(np.tile([[0.99, 0.01]], (200, 1)))
    verdict = np.arange(200) % 2
    opinion = np.where(verdict[:, None] == 0, np.log([[0.8, 0.2]]), np.log([[0.2, 0.8]]))
    one = weights_by_verdicts(answers[1:2], opinion[1:2], EVEN, verdict[1:2], 1.0).weights
    many = weights_by_verdicts(answers, opinion, EVEN, verdict, 1.0).weights
    assert one.crowd >= 0.5
    assert many.crowd <= 0.3
    assert many.checker == max(CHECKER_WEIGHTS)


def test_a_checker_that_knew_nothing_stays_out() -> None:
    answers = np.log(np.tile([[0.9, 0.1]], (50, 1)))
    verdict = (np.arange(50) % 10 == 0).astype(np.int64)
    assert weights_by_verdicts(answers, np.zeros((50, 2)), EVEN, verdict, 0.0).weights.checker == 0


def test_answers_that_are_as_right_as_they_claim_keep_their_weight() -> None:
    answers = np.log(np.tile([[0.9, 0.1]], (500, 1)))
    verdict = (np.arange(500) % 10 == 0).astype(np.int64)
    assert weights_by_verdicts(answers, np.zeros((500, 2)), EVEN, verdict, 0.0).weights.crowd == 1.0
