"""Where the edges of a thing lie that several annotators marked: without each one's bias, weighted by their spread.

Source: Branson, Van Horn and Perona (2017), Lean crowdsourcing, CVPR, for worker-specific edges; the residuals follow a
t distribution (Lange, Little and Taylor 1989, JASA 84), so that a slip pulls little.
"""

from typing import NamedTuple

import numpy as np

from cupel.marks.fusion.arrays import Integers, Reals
from cupel.marks.fusion.edge_loops import (
    count_coincidences,
    hold_limits,
    place_edges,
    snap_edges,
    sum_logs,
    sum_residuals,
    take_medians,
)


class EdgeSettings(NamedTuple):
    """How firmly the model holds to the average annotator.

    `freedom`: degrees of freedom of the residuals. `bias_weight`, `spread_weight`: how many marks the average is worth
    that an annotator's own bias (the average is none) and spread are drawn to. `least_spread`: in extents. `rounds`:
    how often bias and spread are fitted, in `iterations` steps, each time with residuals that grow with the extent as
    found; steps end before where bias and spread move by less than `tolerance`.

    Four degrees of freedom left the smallest errors of 2, 3, 4 and 8 with both simulators of `benchmarks.segments`. The
    weights of ten marks were set beforehand; 3 to 30 come to nearly the same.
    """

    freedom: float = 4.0
    bias_weight: float = 10.0
    spread_weight: float = 10.0
    least_spread: float = 1e-4
    rounds: int = 3
    iterations: int = 7
    tolerance: float = 1e-4


class MarkClusters(NamedTuple):
    """Marks cluster by cluster, clusters item by item.

    Those of cluster c are `order[start[c]:start[c + 1]]`; `annotator` and `value` (E columns: the lower edges, then the
    upper ones) are by mark. The clusters of item i are `item_start[i]` to `item_start[i + 1]` (excluded).
    """

    item_start: Integers
    start: Integers
    order: Integers
    annotator: Integers
    value: Reals


class FittedEdges(NamedTuple):
    """Edges of the clusters (shape clusters and E), and what was learned of annotators (shape annotators and E).

    `bias` and `spread` are in extents, at things of middling extent; with the extent they grow by the power `growth`.
    """

    center: Reals
    bias: Reals
    spread: Reals
    growth: float


def fit_edges(
    clusters: MarkClusters, belief: Reals, annotators: int, settings: EdgeSettings | None = None
) -> FittedEdges:
    """Return the edges of each cluster, starting from their medians.

    Residuals are scaled by the extent of the *cluster*: the extent of a mark itself would give the largest weight to a
    mark that is too small. The bias of all annotators together cannot be seen; it is set to zero, edge by edge.

    Args:
        clusters: The marks.
        belief: How likely each cluster is there, shape clusters: bias and spread are learned from what is.
        annotators: How many there are.
        settings: None for the defaults.
    """
    settings = settings or EdgeSettings()
    _, start, order, _, value = clusters
    sides = value.shape[1]
    center = np.empty((len(belief), sides))
    take_medians(start, order, value, center)
    extent = center[:, sides // 2 :] - center[:, : sides // 2]
    extent = np.concatenate([extent, extent], axis=1)
    bias, spread = np.zeros((annotators, sides)), np.full((annotators, sides), 0.1)
    growth, following = 1.0, 1.0
    for _ in range(settings.rounds):
        growth = following
        scale = _scale(extent, belief, growth)
        bias, spread = _fit_annotators(clusters, belief, scale, bias, spread, center, settings)
        following = _fit_growth(clusters, belief, extent, center)
    before = center.copy()
    hold_limits(clusters.item_start, start, order, value, center)
    if is_stepped(clusters):
        snap_edges(start, order, value, center)
    is_flat = ~(center[:, : sides // 2] < center[:, sides // 2 :]).all(axis=1)
    center[is_flat] = before[is_flat]
    return FittedEdges(center, bias, spread, growth)


def is_stepped(clusters: MarkClusters) -> bool:
    """Return whether edges can lie at certain places only, such as ends of words or steps of five seconds.

    They can if most edges of clusters of two or more lie exactly where another mark of the cluster has that edge. (Of
    boxes drawn by hand on whole pixels a fifth do, of spans in texts and of moments in steps nine tenths.)
    """
    counts = np.zeros(2, np.int64)
    count_coincidences(clusters.start, clusters.order, clusters.value, counts)
    return bool(2 * counts[0] > counts[1])


def _scale(extent: Reals, belief: Reals, growth: float) -> Reals:
    """Return what residuals are measured in: the extent, or less of it where they grow more slowly than it does."""
    if growth == 1.0 or not belief.sum() > 0:
        return extent
    middle = np.exp((belief[:, None] * np.log(extent)).sum() / (belief.sum() * extent.shape[1]))
    return np.asarray(middle * (extent / middle) ** growth, dtype=np.float64)


def _fit_growth(clusters: MarkClusters, belief: Reals, extent: Reals, center: Reals) -> float:
    """Return the power of the extent that residuals grow with, 0 to 1: the slope of their logs."""
    sums = np.zeros(5)
    sum_logs(clusters.start, clusters.order, clusters.value, center, extent, belief, sums)
    weight, x, y, xx, xy = sums.tolist()
    spread = weight * xx - x * x
    return min(max((weight * xy - x * y) / spread, 0.0), 1.0) if spread > 1e-9 * weight * weight else 1.0


def _fit_annotators(
    clusters: MarkClusters, belief: Reals, scale: Reals, bias: Reals, spread: Reals, center: Reals,
    settings: EdgeSettings,
) -> tuple[Reals, Reals]:  # fmt: skip
    """Return bias and spread of the annotators, and move the edges: steps in turn."""
    _, start, order, annotator, value = clusters
    sums = (np.zeros_like(bias), np.zeros_like(bias), np.zeros_like(bias))
    marks = np.zeros(len(bias))
    for _ in range(settings.iterations):
        place_edges(start, order, annotator, value, scale, bias, spread, settings.freedom, center)
        sum_residuals(
            start, order, annotator, value, scale, bias, spread, settings.freedom, center, belief, *sums, marks
        )
        if not marks.sum() > 0:
            break
        weights, shifts, squares = sums
        bias_before = bias
        bias = shifts / (weights + settings.bias_weight)
        bias = bias - (marks[:, None] * bias).sum(axis=0) / marks.sum()
        mean = squares.sum(axis=0) / marks.sum()
        found = (squares + settings.spread_weight * mean) / (marks[:, None] + settings.spread_weight)
        spread_before = spread
        spread = np.maximum(np.sqrt(found), settings.least_spread)
        moved = max(float(np.abs(bias - bias_before).max()), float(np.abs(spread - spread_before).max()))
        if moved < settings.tolerance:
            break
    return bias, spread
