"""What goes into the fusion of marks and what comes out, as arrays; and the order in which marks are worked on."""

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cupel.errors import CupelError
from cupel.marks.fusion.ordering import group_rows, hash_answers, order_group

Integers: TypeAlias = NDArray[np.int64]
Reals: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


class FusionError(CupelError):
    """Marks that cannot be fused: arrays that do not fit, or a mark that has no extent."""


class MarkArrays(NamedTuple):
    """Marks of annotators, a row a mark.

    `item`, `annotator`, `mark_class`: numbers of any size, shape n. `low`, `high`: the edges, shape n and dimensions (1
    for spans and segments; 2 for boxes: x, then y), `low` smaller than `high`, in any unit.
    """

    item: Integers
    annotator: Integers
    mark_class: Integers
    low: Reals
    high: Reals


class AskedPairs(NamedTuple):
    """Who answered which item, also with no mark at all; a row an answer, both of shape answers."""

    item: Integers
    annotator: Integers


class AnnotatorMarking(NamedTuple):
    """What was learned of each annotator, by ascending number; E edges are those of `low`, then those of `high`.

    `annotator`: shape annotators. `recall`: the share that they mark of things that are there, of middling ease.
    `inventions`: marks an answer of things that are not there. `bias`: how far their edge lies beyond the consensus, in
    extents of the thing along that side (signed; the mean over all is zero), shape annotators and E. `spread`: the
    scale of what is left, in the same unit and shape.
    """

    annotator: Integers
    recall: Reals
    inventions: Reals
    bias: Reals
    spread: Reals


class FusedMarks(NamedTuple):
    """The consensus: a row a cluster of marks that mean the same, sorted by item, class, and edges.

    `item`, `mark_class`, `support` (how many annotators marked it), `existence` (the posterior that it is there),
    `is_kept` (it is in the returned set): shape clusters. `low`, `high`: shape clusters and dimensions. `cluster`: the
    row of each mark that went in, in the order in which it went in. `asked_item`: the items that were answered,
    ascending; `missed`: how many things are expected there that nobody marked. `annotators`: what was learned.
    """

    item: Integers
    mark_class: Integers
    low: Reals
    high: Reals
    support: Integers
    existence: Reals
    is_kept: Flags
    cluster: Integers
    asked_item: Integers
    missed: Reals
    annotators: AnnotatorMarking


class SortedMarks(NamedTuple):
    """Marks item by item, in an order that depends neither on the rows' order nor on annotators' numbers.

    `row` says where a mark stood. `item`, `annotator`: places in `items` and `annotators`, the numbers given. Marks of
    item i stand at `start[i]` to `start[i + 1]` (excluded), sorted by class, then edges. The annotators asked for item
    i are `asked[asked_start[i]:asked_start[i + 1]]`.
    """

    row: Integers
    item: Integers
    annotator: Integers
    mark_class: Integers
    low: Reals
    high: Reals
    start: Integers
    items: Integers
    annotators: Integers
    asked: Integers
    asked_start: Integers


def check_arrays(marks: MarkArrays, asked: AskedPairs) -> None:
    """Do nothing where marks and answers can be fused.

    Raises:
        FusionError: Shapes do not fit, or an edge is not finite, or a mark has no extent (its row is named).
    """
    rows = len(marks.item)
    if any(len(column) != rows for column in marks) or len(asked.item) != len(asked.annotator):
        raise FusionError(f"columns differ in length: marks {[len(c) for c in marks]}, asked {[len(c) for c in asked]}")
    if marks.low.ndim != 2 or marks.low.shape != marks.high.shape or not 1 <= marks.low.shape[1] <= 2:
        raise FusionError(f"edges have shapes {marks.low.shape} and {marks.high.shape}; expected (marks, 1 or 2) twice")
    is_good = (np.isfinite(marks.low) & np.isfinite(marks.high) & (marks.low < marks.high)).all(axis=1)
    if not is_good.all():
        row = int(np.argmin(is_good))
        edges = f"{marks.low[row].tolist()} to {marks.high[row].tolist()}"
        raise FusionError(f"mark in row {row}: {edges}; expected finite edges, low smaller than high")


def sort_marks(marks: MarkArrays, asked: AskedPairs) -> SortedMarks:
    """Return the marks in the order in which they are worked on.

    Annotators are ranked by what they answered, not by their numbers; two who gave the same answers are
    interchangeable. An answer with a mark counts as asked even where `asked` does not hold it.
    """
    items, item = _number(np.concatenate([marks.item, asked.item]))
    people, person = _number(np.concatenate([marks.annotator, asked.annotator]))
    rows = len(marks.item)
    rank = _rank_annotators(marks, item, person, len(people))
    annotator = rank[person]
    start, row = group_rows(item[:rows], len(items))
    low, high = np.ascontiguousarray(marks.low), np.ascontiguousarray(marks.high)
    order_group(start, row, np.ascontiguousarray(marks.mark_class), low, high, annotator[:rows])
    pairs = np.unique(item * len(people) + annotator)
    asked_start = np.searchsorted(pairs, np.arange(len(items) + 1) * len(people)).astype(np.int64)
    named = np.empty(len(people), np.int64)
    named[rank] = people
    return SortedMarks(
        row, item[row], annotator[row], marks.mark_class[row], low[row], high[row], start, items, named,
        pairs % max(len(people), 1), asked_start,
    )  # fmt: skip


def _number(values: Integers) -> tuple[Integers, Integers]:
    """Return the distinct values, ascending, and each value's place among them; no sort where values are dense."""
    if len(values) and values.min() >= 0 and values.max() < 4 * len(values):
        is_there = np.zeros(int(values.max()) + 1, np.bool_)
        is_there[values] = True
        place = np.cumsum(is_there) - 1
        return np.flatnonzero(is_there).astype(np.int64), place[values].astype(np.int64)
    found, place = np.unique(values, return_inverse=True)
    return found.astype(np.int64), place.reshape(-1).astype(np.int64)


def _rank_annotators(marks: MarkArrays, item: Integers, person: Integers, people: int) -> Integers:
    """Return each annotator's rank, by a hash of all that they answered."""
    sums = np.zeros(people, np.uint64)
    edges = np.concatenate([marks.low, marks.high], axis=1) + 0.0  # -0.0 and 0.0 are one place
    rows = len(marks.item)
    hash_answers(item[rows:], person[rows:], np.zeros((len(item) - rows, 0), np.uint64), sums)
    kinds = marks.mark_class.astype(np.int64).view(np.uint64)[:, None]
    hash_answers(item[:rows], person[:rows], np.concatenate([kinds, edges.view(np.uint64)], axis=1), sums)
    rank = np.empty(people, np.int64)
    rank[np.argsort(sums, kind="stable")] = np.arange(people)
    return rank
