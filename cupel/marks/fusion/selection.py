"""Which clusters are returned: the set whose F1 is expected to be highest, no two of them one thing."""

import numpy as np

from cupel.marks.fusion.arrays import Flags, Integers, Reals


def find_cut(existence: Reals, missed: float) -> float:
    """Return the lowest posterior that is kept so that the expected F1 is highest; infinite where nothing is there.

    The F1 that is expected of the k likeliest is twice the sum of their posteriors, divided by k and by all things that
    are expected, the missed ones too. It is highest where posteriors fall below half of it (Lewis 1995, SIGIR): no
    threshold is chosen.

    Args:
        existence: Posteriors of the clusters, shape clusters.
        missed: Things that are there and that nobody marked, expected.

    >>> find_cut(np.array([0.9, 0.8, 0.3]), 0.0)
    0.8
    """
    if not len(existence):
        return float("inf")
    ranked = np.sort(existence)[::-1]
    score = 2 * np.cumsum(ranked) / (np.arange(1, len(ranked) + 1) + ranked.sum() + missed)
    return float(ranked[int(np.argmax(score))])


def keep_one_mark(item: Integers, support: Integers, existence: Reals) -> Flags:
    """Return which clusters to keep where each item holds exactly one thing, such as "when does this happen?".

    Kept is the one that most annotators marked; of equals the likeliest, then the first.

    Args:
        item: Item of each cluster, ascending, shape clusters.
        support: How many annotators marked it.
        existence: The posterior that it is there.

    >>> keep_one_mark(np.array([0, 0, 1]), np.array([1, 2, 1]), np.array([0.9, 0.8, 0.1])).tolist()
    [False, True, True]
    """
    order = np.lexsort((np.arange(len(item)), -existence, -support, item))
    is_first = np.ones(len(item), bool)
    is_first[1:] = item[order][1:] != item[order][:-1]
    is_kept = np.zeros(len(item), bool)
    is_kept[order[is_first]] = True
    return is_kept
