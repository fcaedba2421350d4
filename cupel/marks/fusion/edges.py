"""Where the edges of a thing lie that several annotators marked: without each one's bias, weighted by their spread.

Source: Branson, Van Horn and Perona (2017), Lean crowdsourcing, CVPR, for worker-specific edges; the residuals follow a
t distribution (Lange, Little and Taylor 1989, JASA 84), so that a slip pulls little.
"""

from typing import NamedTuple

import numpy as np

from cupel.marks.fusion.arrays import Integers, Reals
from cupel.marks.fusion.edge_loops import (
    count_coincidences,
    place_edges,
    snap_edges,
    sum_residuals,
    take_medians,
)


class EdgeSettings(NamedTuple):
    """How firmly the model holds to the average annotator.

    `freedom`: degrees of freedom of the residuals. `bias_weight`, `spread_weight`: how many marks the average is worth
    that an annotator's own bias (the average is none) and spread are drawn to. `least_spread`: in extents.
    """

    freedom: float = 4.0
    bias_weight: float = 10.0
    spread_weight: float = 10.0
    least_spread: float = 1e-4
    iterations: int = 20


class FittedEdges(NamedTuple):
    """Edges of the clusters (shape clusters and E), and bias and spread of annotators, in extents (annotators and E)."""

    center: Reals
    bias: Reals
    spread: Reals


class MarkClusters(NamedTuple):
    """Marks cluster by cluster: those of cluster c are `order[start[c]:start[c + 1]]`; `annotator`, `value` by mark."""

    start: Integers
    order: Integers
    annotator: Integers
    value: Reals


def fit_edges(
    clusters: MarkClusters, belief: Reals, annotators: int, settings: EdgeSettings | None = None
) -> FittedEdges:
    """Return the edges of each cluster, starting from their medians.

    Bias and spread are in extents of the *cluster*: the extent of a mark itself would give the largest weight to a mark
    that is too small. The bias of all annotators together cannot be seen; it is set to zero, edge by edge.

    Args:
        clusters: The marks; `value` has E columns, the lower edges first, then the upper ones.
        belief: How likely each cluster is there, shape clusters: bias and spread are learned from what is.
        annotators: How many there are.
        settings: None for the defaults.
    """
    settings = settings or EdgeSettings()
    sides = clusters.value.shape[1]
    center = np.empty((len(belief), sides))
    take_medians(clusters.start, clusters.order, clusters.value, center)
    bias, spread = np.zeros((annotators, sides)), np.full((annotators, sides), 0.1)
    extent = center[:, sides // 2 :] - center[:, : sides // 2]
    scale = np.concatenate([extent, extent], axis=1)
    sums = (np.zeros((annotators, sides)), np.zeros((annotators, sides)), np.zeros((annotators, sides)))
    marks = np.zeros(annotators)
    for _ in range(settings.iterations):
        place_edges(*clusters, scale, bias, spread, settings.freedom, center)
        sum_residuals(*clusters, scale, bias, spread, settings.freedom, center, belief, *sums, marks)
        if not marks.sum() > 0:
            break
        weights, shifts, squares = sums
        bias = shifts / (weights + settings.bias_weight)
        bias = bias - (marks[:, None] * bias).sum(axis=0) / marks.sum()
        mean = squares.sum(axis=0) / marks.sum()
        found = (squares + settings.spread_weight * mean) / (marks[:, None] + settings.spread_weight)
        spread = np.maximum(np.sqrt(found), settings.least_spread)
    if is_stepped(clusters):
        _snap(clusters, center)
    return FittedEdges(center, bias, spread)


def is_stepped(clusters: MarkClusters) -> bool:
    """Return whether edges can lie at certain places only, such as ends of words or steps of five seconds.

    They can if most edges of clusters of two or more lie exactly where another mark of the cluster has that edge. (Of
    boxes drawn by hand on whole pixels a fifth do, of spans in texts and of moments in steps nine tenths.)
    """
    counts = np.zeros(2, np.int64)
    count_coincidences(clusters.start, clusters.order, clusters.value, counts)
    return bool(2 * counts[0] > counts[1])


def _snap(clusters: MarkClusters, center: Reals) -> None:
    """Move edges to places that somebody marked; a cluster that would lose its extent keeps what it has."""
    before = center.copy()
    snap_edges(clusters.start, clusters.order, clusters.value, center)
    half = center.shape[1] // 2
    is_flat = ~(center[:, :half] < center[:, half:]).all(axis=1)
    center[is_flat] = before[is_flat]
