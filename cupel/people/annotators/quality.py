"""Quality: the chance that an annotator's answer is right, by hidden gold and by what the others say, with bounds."""

from typing import NamedTuple

import numpy as np
from scipy.special import betaincinv

from cupel.consensus.coding import Coded, Reals
from cupel.people.annotators.beliefs import Beliefs, Flags

SIDE = 0.025
# Answers' worth of belief that an annotator is as good as the usual one.
PRIOR_ANSWERS = 2.0
# Chances of a right answer that are held against the answers.
GRID = (np.arange(100) + 0.5) / 100


class Quality(NamedTuple):
    """Of each annotator, shape annotators: mean and 95% interval of the chance of a right answer.

    `gold_low` and `gold_high` are the exact interval by hidden gold alone, 0 to 1 where there is none.
    """

    mean: Reals
    low: Reals
    high: Reals
    gold_low: Reals
    gold_high: Reals


def quality(coded: Coded, found: Beliefs, usual: Reals, is_right: Flags | None = None) -> Quality:
    """Return how often each annotator is right, as far as gold and the others can tell.

    Bayes' rule over the chance of a right answer: an answer is right with that chance and else one of the usual
    mistakes, and its item is what gold or the others say, as far as they are sure. Nobody's own answer enters
    the belief that judges it, and an answer that nobody else can judge says nothing.

    Args:
        coded: The annotations.
        found: Beliefs of their items.
        usual: How the usual annotator answers, true class x answer.

    Source: the interval by gold is Clopper and Pearson (1934), Biometrika 26(4).
    """
    people, who = len(coded.annotators), coded.annotator
    mistakes = usual * (1 - np.eye(len(usual)))
    mistakes /= np.maximum(mistakes.sum(axis=1, keepdims=True), 1e-12)
    rows = np.arange(len(who))
    if_right = found.others[rows, coded.label]
    if_wrong = (found.others @ mistakes)[rows, coded.label]
    accuracy = float((np.diagonal(usual) * found.prior).sum())
    logs = np.empty((people, len(GRID)))
    for place, chance in enumerate(GRID):
        likely = np.log(np.maximum(chance * if_right + (1 - chance) * if_wrong, 1e-300))
        logs[:, place] = np.bincount(who, np.where(found.is_judged, likely, 0.0), people)
    logs += (PRIOR_ANSWERS * accuracy) * np.log(GRID) + (PRIOR_ANSWERS * (1 - accuracy)) * np.log1p(-GRID)
    chances = np.exp(logs - logs.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    tested = np.bincount(who, found.is_gold, people)
    passed = np.bincount(who, found.is_gold & (if_right > 0.5 if is_right is None else is_right), people)
    return Quality(
        mean=chances @ GRID,
        low=_quantile(chances, SIDE),
        high=_quantile(chances, 1 - SIDE),
        gold_low=np.where(passed > 0, betaincinv(np.maximum(passed, 1), tested - passed + 1, SIDE), 0.0),
        gold_high=np.where(tested > passed, betaincinv(passed + 1, np.maximum(tested - passed, 1), 1 - SIDE), 1.0),
    )


def _quantile(chances: Reals, share: float) -> Reals:
    """Return where so much of each row's chances lies below, the grid's steps taken as even."""
    step = 1 / len(GRID)
    below = np.cumsum(chances, axis=1)
    place = np.minimum((below < share).sum(axis=1), len(GRID) - 1)
    rows = np.arange(len(chances))
    rest = share - (below[rows, place] - chances[rows, place])
    return np.asarray((place + np.clip(rest / np.maximum(chances[rows, place], 1e-300), 0, 1)) * step)


def certainty(others: Reals) -> Reals:
    """Return the share of the doubt about a class that a belief takes away, 0 to 1.

    >>> certainty(np.array([[0.5, 0.5], [1.0, 0.0]])).round(3).tolist()
    [0.0, 1.0]
    """
    entropy = -(others * np.log(np.maximum(others, 1e-300))).sum(axis=1)
    return np.asarray(np.maximum(0.0, 1 - entropy / np.log(others.shape[1])))
