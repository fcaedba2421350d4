"""The compiled pass of the existence model over all items: posteriors, and the counts that its settings come from."""

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import compiled

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


@compiled
def _share_out(scores: Reals, things: Reals, totals: Reals) -> float:
    """Turn a cluster's log scores into chances, add them to both sums, and return the log of what they summed to."""
    largest, total = scores.max(), 0.0
    for level in range(len(scores)):
        scores[level] = np.exp(scores[level] - largest)
        total += scores[level]
    for level in range(len(scores)):
        scores[level] /= total
        things[level] += scores[level]
        totals[level] += scores[level]
    return float(largest + np.log(total))


@compiled
def pass_items(
    start: Integers, annotator: Integers, cluster: Integers, cluster_start: Integers, asked: Integers,
    asked_start: Integers, log_rate: Reals, log_odds: Reals, log_miss: Reals, posterior: Reals, missed: Reals,
    hits: Reals, expected: Reals, totals: Reals, seen: Reals,
) -> float:  # fmt: skip
    """Fill in what is known of each cluster and each annotator under the settings; return the log-likelihood.

    A thing is of one of L levels; the last is what is not there, the others differ in how easily they are seen.

    Args:
        start: Where each item's marks start, shape items + 1.
        annotator: Who made each mark, shape marks.
        cluster: Cluster of each mark; those of an item are numbered together.
        cluster_start: Where each item's clusters start, shape items + 1.
        asked: Who was asked, item by item.
        asked_start: Where those of each item start, shape items + 1.
        log_rate: Log of how many things of each level an item has, shape L.
        log_odds: Log-odds that an annotator marks a thing of a level, shape annotators and L.
        log_miss: Log of the chance that they do not, the same shape.
        posterior: Changed: the chance that a cluster is there, shape clusters.
        missed: Changed: things expected in an item that are there and that nobody marked, shape items.
        hits: Changed: marks made by an annotator on things of a level, expected, shape annotators and L.
        expected: Changed: things of a level in the items that they were asked for, with those unseen, same shape.
        totals: Changed: clusters of each level, expected, shape L.
        seen: Changed: sum over items of the chance that somebody marks a thing of a level, shape L.
    """
    levels = len(log_rate)
    hits[:], expected[:], totals[:], seen[:] = 0.0, 0.0, 0.0, 0.0
    nobody, things = np.empty(levels), np.empty(levels)
    scores = np.empty((16, levels))
    likelihood = 0.0
    for item in range(len(start) - 1):
        first, count = cluster_start[item], cluster_start[item + 1] - cluster_start[item]
        if count > len(scores):
            scores = np.empty((2 * count, levels))
        nobody[:] = 0.0
        for place in range(asked_start[item], asked_start[item + 1]):
            for level in range(levels):
                nobody[level] += log_miss[asked[place], level]
        scores[:count] = log_rate + nobody
        for n in range(start[item], start[item + 1]):
            for level in range(levels):
                scores[cluster[n] - first, level] += log_odds[annotator[n], level]
        missed[item] = 0.0
        for level in range(levels):
            seen[level] -= np.expm1(nobody[level])
            things[level] = np.exp(log_rate[level] + nobody[level])
            likelihood -= np.exp(log_rate[level]) - things[level]
            if level < levels - 1:
                missed[item] += things[level]
        for place in range(count):
            likelihood += _share_out(scores[place], things, totals)
            posterior[first + place] = 1.0 - scores[place, levels - 1]
        for n in range(start[item], start[item + 1]):
            for level in range(levels):
                hits[annotator[n], level] += scores[cluster[n] - first, level]
        for place in range(asked_start[item], asked_start[item + 1]):
            for level in range(levels):
                expected[asked[place], level] += things[level]
    return likelihood
