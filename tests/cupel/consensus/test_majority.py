"""The most frequent answer; a tie stays a tie."""

from collections import Counter

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cupel.consensus.coding import Coded, code
from cupel.consensus.majority import majority

CLASSES = ("a", "b", "c")


def coded(answers: list[str]) -> Coded:
    ids, labels = [str(i) for i in range(len(answers))], "".join(answers)
    items = [str(i) for i, given in enumerate(answers) for _ in given]
    table = pa.table({
        "item_id": pa.array(items, pa.string()),
        "annotator": pa.nulls(len(items), pa.string()),
        "label": pa.array(list(labels), pa.string()),
    })  # fmt: skip
    return code(table, ids, CLASSES)


def test_a_tie_is_not_decided() -> None:
    result = majority(coded(["ab", "abc", "aabb"]))
    assert result.is_tie.tolist() == [True] * 3
    assert result.label.tolist() == [-1] * 3
    assert result.agreement.tolist() == [1 / 2, 1 / 3, 2 / 4]


def test_a_plurality_wins_without_a_majority() -> None:
    result = majority(coded(["aabc"]))
    assert (result.label.tolist(), result.agreement.tolist()) == ([0], [2 / 4])


def test_an_item_without_answers_is_no_tie() -> None:
    result = majority(coded(["", "b"]))
    assert (result.votes.tolist(), result.is_tie.tolist(), result.label.tolist()) == ([0, 1], [False] * 2, [-1, 1])
    assert np.isnan(result.agreement[0])


@given(st.lists(st.text("abc", max_size=6), min_size=1, max_size=8))
def test_it_says_what_counting_by_hand_says(answers: list[str]) -> None:
    result = majority(coded(answers))
    order = sorted(range(len(answers)), key=str)
    for place, item in enumerate(order):
        top = Counter(answers[item]).most_common()
        is_tie = len(top) > 1 and top[0][1] == top[1][1]
        assert result.votes[place] == len(answers[item])
        assert result.is_tie[place] == is_tie
        assert result.label[place] == (-1 if is_tie or not top else CLASSES.index(top[0][0]))


def test_the_belief_has_the_most_frequent_answer_first_and_ties_equal() -> None:
    result = majority(coded(["aab", "ab", "aaa", ""]))
    belief = result.posterior
    assert belief[0, 0] > belief[0, 1] > belief[0, 2]
    assert belief[1, 0] == belief[1, 1] > belief[1, 2]
    assert belief[2, 0] > belief[0, 0]
    assert belief[3].tolist() == [1 / 3] * 3


def test_the_belief_is_the_chance_under_annotators_who_are_right_equally_often() -> None:
    result = majority(coded(["aab", "aaa"]))
    # Of six pairs of votes four agree: p^2 + (1 - p)^2 / 2 = 4 / 6.
    right = 1 / 3 + np.sqrt((4 / 6 - 1 / 3) * 2 / 3)
    chances = np.array([right**2 * (1 - right) / 2, right * ((1 - right) / 2) ** 2, ((1 - right) / 2) ** 3])
    np.testing.assert_allclose(result.posterior[0], chances / chances.sum())
