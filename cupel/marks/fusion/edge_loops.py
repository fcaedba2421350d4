"""Compiled loops over the edges of marks: medians of clusters, and the passes that fit bias, spread and place."""

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import compiled

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]


@compiled
def take_medians(start: Integers, order: Integers, value: Reals, median: Reals) -> None:
    """Write the median of each cluster's edges.

    Args:
        start: Where each cluster's marks start in `order`, shape clusters + 1.
        order: Marks, cluster by cluster.
        value: Edges of the marks, shape marks and E.
        median: Changed; shape clusters and E.
    """
    held = np.empty(16)
    for cluster in range(len(start) - 1):
        first, count = start[cluster], start[cluster + 1] - start[cluster]
        if count > len(held):
            held = np.empty(2 * count)
        for edge in range(value.shape[1]):
            for n in range(count):
                now, place = value[order[first + n], edge], n
                while place > 0 and held[place - 1] > now:
                    held[place] = held[place - 1]
                    place -= 1
                held[place] = now
            low, high = held[(count - 1) // 2], held[count // 2]
            median[cluster, edge] = low + 0.5 * (high - low)


@compiled
def place_edges(
    start: Integers, order: Integers, annotator: Integers, value: Reals, scale: Reals, bias: Reals, spread: Reals,
    freedom: float, center: Reals,
) -> None:  # fmt: skip
    """Move each cluster's edges one step: the mean of its marks without bias, weighted by spread and by residual.

    Args:
        start: Where each cluster's marks start in `order`, shape clusters + 1.
        order: Marks, cluster by cluster.
        annotator: Who made each mark, shape marks.
        value: Edges of the marks, shape marks and E.
        scale: Extent of the cluster along each edge's side, shape clusters and E.
        bias: How far an annotator's edges lie beyond, in extents, shape annotators and E.
        spread: Scale of what is left, in extents, same shape.
        freedom: Degrees of freedom of the t distribution of residuals.
        center: Changed: the edges, shape clusters and E.
    """
    for cluster in range(len(start) - 1):
        for edge in range(value.shape[1]):
            length, middle = scale[cluster, edge], center[cluster, edge]
            total, moved = 0.0, 0.0
            for place in range(start[cluster], start[cluster + 1]):
                n = order[place]
                who = annotator[n]
                rest = (value[n, edge] - middle) / length - bias[who, edge]
                width = spread[who, edge] ** 2
                weight = (freedom + 1.0) / (freedom * width + rest * rest)
                total += weight
                moved += weight * rest
            center[cluster, edge] = middle + length * moved / total


@compiled
def sum_residuals(
    start: Integers, order: Integers, annotator: Integers, value: Reals, scale: Reals, bias: Reals, spread: Reals,
    freedom: float, center: Reals, belief: Reals, weights: Reals, shifts: Reals, squares: Reals, marks: Reals,
) -> None:  # fmt: skip
    """Sum up how each annotator's edges differ from the consensus, over clusters that two or more marked.

    Args:
        start: As in `place_edges`, like all to `center`, which is not changed here.
        order: See there.
        annotator: See there.
        value: See there.
        scale: See there.
        bias: See there.
        spread: See there.
        freedom: See there.
        center: See there.
        belief: How likely each cluster is there, shape clusters.
        weights: Changed: sums of weights, shape annotators and E.
        shifts: Changed: sums of weighted differences (bias not taken off), same shape.
        squares: Changed: sums of weighted squared residuals, each made larger by its own pull on the consensus.
        marks: Changed: beliefs, shape annotators.
    """
    weights[:], shifts[:], squares[:], marks[:] = 0.0, 0.0, 0.0, 0.0
    held = np.empty(16)
    for cluster in range(len(start) - 1):
        first, count = start[cluster], start[cluster + 1] - start[cluster]
        if count < 2:
            continue
        if count > len(held):
            held = np.empty(2 * count)
        for place in range(count):
            marks[annotator[order[first + place]]] += belief[cluster]
        for edge in range(value.shape[1]):
            total = 0.0
            for place in range(count):
                n = order[first + place]
                who = annotator[n]
                rest = (value[n, edge] - center[cluster, edge]) / scale[cluster, edge] - bias[who, edge]
                held[place] = (freedom + 1.0) / (freedom * spread[who, edge] ** 2 + rest * rest)
                total += held[place]
            for place in range(count):
                n = order[first + place]
                who = annotator[n]
                apart = (value[n, edge] - center[cluster, edge]) / scale[cluster, edge]
                rest = apart - bias[who, edge]
                weight = belief[cluster] * held[place] * spread[who, edge] ** 2
                pull = min(held[place] / total, 0.95)
                weights[who, edge] += weight
                shifts[who, edge] += weight * apart
                squares[who, edge] += weight * rest * rest / (1.0 - pull)


@compiled
def count_coincidences(start: Integers, order: Integers, value: Reals, counts: Integers) -> None:
    """Count edges that lie exactly where another mark of the cluster has the same edge.

    Args:
        start: Where each cluster's marks start in `order`, shape clusters + 1.
        order: Marks, cluster by cluster.
        value: Edges of the marks, shape marks and E.
        counts: Changed: edges with such a partner, and all edges in clusters of two or more.
    """
    for cluster in range(len(start) - 1):
        first, last = start[cluster], start[cluster + 1]
        if last - first < 2:
            continue
        for place in range(first, last):
            for edge in range(value.shape[1]):
                counts[1] += 1
                for other in range(first, last):
                    if other != place and value[order[other], edge] == value[order[place], edge]:
                        counts[0] += 1
                        break


@compiled
def snap_edges(start: Integers, order: Integers, value: Reals, center: Reals) -> None:
    """Move each edge of a cluster to the nearest place where a mark has it, the lower of two equally near.

    Args:
        start: Where each cluster's marks start in `order`, shape clusters + 1.
        order: Marks, cluster by cluster.
        value: Edges of the marks, shape marks and E.
        center: Changed: edges of the clusters, shape clusters and E.
    """
    for cluster in range(len(start) - 1):
        for edge in range(value.shape[1]):
            middle, nearest = center[cluster, edge], np.inf
            for place in range(start[cluster], start[cluster + 1]):
                now = value[order[place], edge]
                apart, least = abs(now - middle), abs(nearest - middle)
                if apart < least or (apart == least and now < nearest):
                    nearest = now
            center[cluster, edge] = nearest


@compiled
def hold_limits(cluster_start: Integers, start: Integers, order: Integers, value: Reals, center: Reals) -> None:
    """Move edges to the limit of the item where most marks of the cluster lie exactly on it.

    The limits of an item are its lowest lower and highest upper edges, such as the start and end of a clip or the sides
    of an image: marks are cut off there, so that those who lie there agree and did not err.

    Args:
        cluster_start: Where each item's clusters start, shape items + 1.
        start: Where each cluster's marks start in `order`, shape clusters + 1.
        order: Marks, cluster by cluster.
        value: Edges of the marks, shape marks and E: lower, then upper ones.
        center: Changed: edges of the clusters, shape clusters and E.
    """
    sides = value.shape[1]
    for item in range(len(cluster_start) - 1):
        clusters = range(cluster_start[item], cluster_start[item + 1])
        for edge in range(sides):
            limit = np.inf
            sign = 1.0 if edge < sides // 2 else -1.0
            for cluster in clusters:
                for place in range(start[cluster], start[cluster + 1]):
                    limit = min(limit, sign * value[order[place], edge])
            for cluster in clusters:
                count = 0
                for place in range(start[cluster], start[cluster + 1]):
                    count += sign * value[order[place], edge] == limit
                if count > 1 and 2 * count > start[cluster + 1] - start[cluster]:
                    center[cluster, edge] = sign * limit


@compiled
def sum_logs(
    start: Integers, order: Integers, value: Reals, center: Reals, extent: Reals, belief: Reals, sums: Reals
) -> None:
    """Sum up what a line through log residuals by log extents needs, over clusters that two or more marked.

    Args:
        start: Where each cluster's marks start in `order`, shape clusters + 1.
        order: Marks, cluster by cluster.
        value: Edges of the marks, shape marks and E.
        center: Edges of the clusters, shape clusters and E.
        extent: Extents of the clusters along each edge's side, same shape.
        belief: How likely each cluster is there, shape clusters.
        sums: Changed: weight, and weighted sums of x, y, x times x, and x times y.
    """
    for cluster in range(len(start) - 1):
        if start[cluster + 1] - start[cluster] < 2:
            continue
        for edge in range(value.shape[1]):
            x, weight = np.log(extent[cluster, edge]), belief[cluster]
            for place in range(start[cluster], start[cluster + 1]):
                apart = abs(value[order[place], edge] - center[cluster, edge])
                if apart > 1e-9 * extent[cluster, edge]:
                    y = np.log(apart)
                    sums[0] += weight
                    sums[1] += weight * x
                    sums[2] += weight * y
                    sums[3] += weight * x * x
                    sums[4] += weight * x * y
