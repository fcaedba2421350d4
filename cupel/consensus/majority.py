"""Majority: the most frequent answer of each item. A tie is said to be one; it is never broken."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.consensus.coding import Coded, Integers, Reals, vote_counts
from cupel.consensus.estimates import pooled_confusion, typical_accuracy
from cupel.consensus.passes import softmax


class Majority(NamedTuple):
    """The most frequent answer, one entry per item.

    `label` is a place in the classes, -1 on a tie and without votes (an index inside numpy only; in
    tables it is null); `agreement` is the share of votes for the most frequent answer, NaN without votes;
    `posterior` is the belief under which the most frequent answer is the likeliest: all annotators are right equally
    often, as often as pairs of votes agree, and all errors are alike; shape items x classes, equal shares without
    votes. `confusion` is the matrix of all annotators together, annotators x true class x answer.
    """

    votes: Integers
    label: Integers
    is_tie: NDArray[np.bool_]
    agreement: Reals
    posterior: Reals
    confusion: Reals


def majority(coded: Coded) -> Majority:
    """Return the most frequent answer of every item.

    Args:
        coded: The annotations; any overlap, also none.

    Returns:
        Votes, label, tie and agreement, each of shape items; the belief; the crowd's confusion.

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "b", "b"], "annotator": [None] * 4, "label": ["x", "x", "x", "y"]}
    >>> result = majority(code(pa.table(rows), ["a", "b"], ("x", "y")))
    >>> result.label.tolist(), result.is_tie.tolist(), result.agreement.tolist()
    ([0, -1], [False, True], [1.0, 0.5])
    """
    counts = vote_counts(coded)
    votes = counts.sum(axis=1)
    top = counts.max(axis=1, initial=0)
    is_tie = (votes > 0) & ((counts == top[:, None]).sum(axis=1) > 1)
    label = np.where(is_tie | (votes == 0), -1, counts.argmax(axis=1))
    agreement = np.divide(top, votes, out=np.full(len(votes), np.nan), where=votes > 0)
    pool = pooled_confusion(counts)
    each = np.broadcast_to(pool, (len(coded.annotators), *pool.shape))
    return Majority(votes, label, is_tie, agreement, _believe(counts), each)


def _believe(counts: Integers) -> Reals:
    """Return the belief under votes that are all right equally often; shape items x classes."""
    classes, votes = counts.shape[1], counts.sum(axis=1)
    agreeing, pairs = int((counts * (counts - 1)).sum()), int((votes * (votes - 1)).sum())
    right = typical_accuracy(agreeing, pairs, classes)
    return softmax(counts * np.log(right * max(classes - 1, 1) / (1 - right)))
