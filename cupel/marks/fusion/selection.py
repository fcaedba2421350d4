"""Which clusters are returned: the set whose F1 is expected to be highest, no two of them one thing."""

import numpy as np

from cupel.marks.fusion.arrays import Reals


def find_cut(existence: Reals, missed: float) -> float:
    """Return the lowest posterior that is kept so that the expected F1 is highest; infinite where nothing is there.

    The F1 that is expected of the k likeliest is twice the sum of their posteriors, divided by k and by all things that
    are expected, the missed ones too. It is highest where posteriors fall below half of it (Lewis 1995, SIGIR; Lipton et
    al. 2014): no threshold is chosen.

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
