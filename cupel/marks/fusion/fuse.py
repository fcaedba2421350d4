"""The fusion of marks, from arrays to arrays."""

import numpy as np

from cupel.marks.fusion.arrays import (
    AnnotatorMarking,
    AskedPairs,
    FusedMarks,
    Integers,
    MarkArrays,
    SortedMarks,
    check_arrays,
    sort_marks,
)
from cupel.marks.fusion.edges import EdgeSettings, FittedEdges, MarkClusters, fit_edges, is_stepped
from cupel.marks.fusion.existence import ExistenceSettings, FittedExistence, fit_existence
from cupel.marks.fusion.linkage import link_marks
from cupel.marks.fusion.ordering import group_rows
from cupel.marks.fusion.selection import find_cut

# Two marks may mean the same from this overlap on. It is a little less than the .5 at which they count as the same,
# because the consensus lies between them and fits both better; where edges lie on steps, there is nothing between.
LEAST_OVERLAP, LEAST_OVERLAP_ON_STEPS = 0.4, 0.5


def fuse_marks(
    marks: MarkArrays,
    asked: AskedPairs,
    least_overlap: float | None = None,
    existence: ExistenceSettings | None = None,
    edges: EdgeSettings | None = None,
) -> FusedMarks:
    """Return the consensus of several annotators' marks, learned from the marks alone.

    The result depends on neither the order of rows nor the annotators' numbers. Equal marks of one answer are one.

    Args:
        marks: Marks, a row a mark; an annotator may have several in an item, also overlapping ones.
        asked: Who answered which item. Answers that are in `marks` need not be here; empty ones do.
        least_overlap: Smallest intersection over union of two marks that may mean the same, over 0 to 1; None for .4,
            or .5 where edges lie on steps, such as the ends of words.
        existence: Settings of the existence model; None for the defaults.
        edges: Settings of the edge model; None for the defaults.

    Raises:
        FusionError: Arrays do not fit, or a mark has no extent.
    """
    check_arrays(marks, asked)
    given = sort_marks(marks, asked)
    ordered, place = _drop_repeats(given)
    cluster, clusters = _link(ordered, least_overlap or LEAST_OVERLAP)
    if least_overlap is None and is_stepped(clusters):
        cluster, clusters = _link(ordered, LEAST_OVERLAP_ON_STEPS)
    found = fit_existence(ordered, cluster, clusters.item_start, existence)
    fitted = fit_edges(clusters, found.posterior, len(ordered.annotators), edges)
    held = np.empty(len(given.row), np.int64)
    held[given.row] = cluster[place]
    return _assemble(ordered, held, clusters, found, fitted)


def _drop_repeats(marks: SortedMarks) -> tuple[SortedMarks, Integers]:
    """Return the marks, equal ones of one answer as one, and the place among them of each mark that was given."""
    is_new = np.ones(len(marks.row), bool)
    columns = (marks.item, marks.annotator, marks.mark_class, *marks.low.T, *marks.high.T)
    is_new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    place = np.cumsum(is_new) - 1
    if is_new.all():
        return marks, place
    start = np.append(0, np.cumsum(is_new))[marks.start].astype(np.int64)
    kept = marks._replace(
        row=marks.row[is_new], item=marks.item[is_new], annotator=marks.annotator[is_new],
        mark_class=marks.mark_class[is_new], low=marks.low[is_new], high=marks.high[is_new], start=start,
    )  # fmt: skip
    return kept, place


def _link(ordered: SortedMarks, least_overlap: float) -> tuple[Integers, MarkClusters]:
    """Return each mark's cluster, and the marks cluster by cluster."""
    kind, low, high = ordered.mark_class, ordered.low, ordered.high
    cluster, item_start = link_marks(ordered.start, kind, low, high, ordered.annotator, least_overlap)
    start, order = group_rows(cluster, int(item_start[-1]))
    value = np.concatenate([low, high], axis=1)
    return cluster, MarkClusters(item_start, start, order, ordered.annotator, value)


def _assemble(
    ordered: SortedMarks, held: Integers, clusters: MarkClusters, found: FittedExistence, fitted: FittedEdges
) -> FusedMarks:
    """Return the result, clusters sorted by item, class and edges; `held` is each mark's cluster, as they came."""
    sides = ordered.low.shape[1]
    first = clusters.order[clusters.start[:-1]]
    item, kind = ordered.item[first], ordered.mark_class[first]
    low, high = fitted.center[:, :sides], fitted.center[:, sides:]
    place = np.lexsort((*high.T[::-1], *low.T[::-1], kind, item))
    rank = np.empty(len(place), np.int64)
    rank[place] = np.arange(len(place))
    cut = find_cut(found.posterior, float(found.missed.sum()))
    people = np.argsort(ordered.annotators, kind="stable")
    learned = AnnotatorMarking(
        ordered.annotators[people], found.recall[people], found.inventions[people], fitted.bias[people],
        fitted.spread[people],
    )  # fmt: skip
    return FusedMarks(
        ordered.items[item[place]], kind[place], low[place], high[place], np.diff(clusters.start)[place],
        found.posterior[place], found.posterior[place] >= cut, rank[held], ordered.items, found.missed, learned,
    )  # fmt: skip
