"""What one more answer is worth: exact by hand, and by trying every answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.checking.worth import answer_accuracy, is_annotator_worth_more, removed_by_annotator
from cupel.config.prices import Prices


@given(st.lists(st.integers(0, 5), min_size=2, max_size=5).filter(any), st.floats(0.3, 0.99))
def test_an_answer_removes_what_trying_every_answer_says(weights: list[int], accuracy: float) -> None:
    belief = np.array(weights) / sum(weights)
    classes = len(belief)
    after = 0.0
    for said in range(classes):
        chance = np.where(np.arange(classes) == said, accuracy, (1 - accuracy) / (classes - 1))
        after += (belief * chance).max()
    found = removed_by_annotator(belief[None, :], accuracy)[0]
    assert found == pytest.approx(max(0.0, after - belief.max()), abs=1e-12)


def test_an_annotator_is_right_as_often_as_belief_says() -> None:
    belief = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    votes, agreement = np.array([4, 2, 0]), np.array([0.75, 0.5, np.nan])
    found = answer_accuracy(belief, belief.argmax(axis=1), votes, agreement, np.array([True, True, False]))
    assert found == pytest.approx((3 + 1) / 6)


def test_without_answers_an_annotator_is_hardly_better_than_a_guess() -> None:
    none = np.zeros(2, np.int64)
    accuracy = answer_accuracy(np.full((2, 4), 0.25), none, none, np.full(2, np.nan), none == 1)
    assert accuracy == pytest.approx(0.3)


def test_the_price_decides_where_both_would_help() -> None:
    belief = np.array([[0.6, 0.4]])
    # 0.2 of 0.4 removed: worth half an expert.
    for annotator, expert, is_worth in ((1.0, 2.0, True), (1.0, 1.99, False), (0.0, 0.0, True), (0.5, 0.0, False)):
        prices = Prices(annotator_answer=annotator, expert_answer=expert)
        assert is_annotator_worth_more(belief, 0.8, prices).tolist() == [is_worth]


def test_an_answer_that_cannot_change_the_label_is_not_bought() -> None:
    belief = np.array([[0.9, 0.1], [0.5, 0.5]])
    prices = Prices(annotator_answer=0.01, expert_answer=1.0)
    assert is_annotator_worth_more(belief, 0.8, prices).tolist() == [False, True]
