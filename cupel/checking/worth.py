"""Worth: how much expected error one more answer removes from an item, by an annotator or by an expert, per price."""

import numpy as np
from numpy.typing import NDArray

from cupel.config.prices import Prices
from cupel.consensus.coding import Integers, Reals

Flags = NDArray[np.bool_]

# Neither blind guessing nor certainty is believed of an annotator.
_LEAST_SKILL, _MOST_ACCURACY = 0.05, 0.99


def answer_accuracy(posterior: Reals, label: Integers, votes: Integers, agreement: Reals, is_with: Flags) -> float:
    """Return how often an annotator's answer is right, as far as people and checker believe it.

    Args:
        posterior: What they believe, shape items x classes.
        label: Their label, a place in the classes; all others of shape items.
        votes: Answers that the item has.
        agreement: Share of these for the most frequent answer; anything without votes.
        is_with: That answer is the label (or one of several that are tied).
    """
    classes = int(posterior.shape[1])
    has_votes = votes > 0
    least = 1.0 / classes + _LEAST_SKILL
    if not has_votes.any():
        return least
    share = np.where(has_votes, np.nan_to_num(agreement), 0.0)
    believed = posterior[np.arange(len(label)), label]
    with_label = np.where(is_with, share, 1 - share)
    right = with_label * believed + (1 - with_label) * (1 - believed) / (classes - 1)
    found = float((votes * right).sum() / votes.sum())
    return min(max(found, least), _MOST_ACCURACY)


def removed_by_annotator(posterior: Reals, accuracy: float) -> Reals:
    """Return the expected error that one more annotator's answer removes.

    The annotator is right so often, and else says any other class. An answer that cannot change the label
    removes nothing.

    Args:
        posterior: Shape items x classes, at least two classes.
        accuracy: How often an answer is right, 0 to 1.

    Returns:
        Shares of an error, shape items.

    >>> removed_by_annotator(np.array([[0.6, 0.4], [0.9, 0.1]]), 0.8).round(9).tolist()
    [0.2, 0.0]
    """
    classes = posterior.shape[1]
    ordered = np.sort(posterior, axis=1)
    first, second = ordered[:, -1:], ordered[:, -2:-1]
    # What is likeliest after each answer: the class that was said, or the best of the others.
    others = np.where(posterior == first, second, first)
    after = np.maximum(posterior * accuracy, others * (1 - accuracy) / (classes - 1)).sum(axis=1)
    removed: Reals = np.maximum(0.0, after - first[:, 0])
    return removed


def is_annotator_worth_more(posterior: Reals, accuracy: float, prices: Prices) -> Flags:
    """Tell where one more annotator removes at least as much expected error per price as an expert, who removes all.

    Args:
        posterior: Shape items x classes.
        accuracy: How often an annotator's answer is right.
        prices: Of both; where both are 0, annotators are asked.
    """
    removed = removed_by_annotator(posterior, accuracy)
    error = 1 - posterior.max(axis=1)
    worth: Flags = removed * prices.expert_answer >= error * prices.annotator_answer
    return worth
