"""Same marks: when two answers about an item say the same, which is what a wrong label is measured by."""

from collections.abc import Callable
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import Integers
from cupel.contract.columns import TEXT
from cupel.marks.canonical_text import CLASS, MarkForm, read_marks

P = ParamSpec("P")
R = TypeVar("R")
try:
    from cupel.compiled_loops import compiled
except ModuleNotFoundError:  # a label buyer's installation has no numba: the same loops then, as Python runs them

    def compiled(function: Callable[P, R]) -> Callable[P, R]:
        """Return the function as it is."""
        return function


class MarkLists(NamedTuple):
    """Texts of marks as arrays: those of text k stand from `start[k]` up to `start[k + 1]`.

    `low` and `high` are the edges in the form's smallest unit, shape marks x dimensions; `mark_class` is a number of
    the class's name.
    """

    start: Integers
    mark_class: Integers
    low: Integers
    high: Integers


def are_same(one: pa.Array, other: pa.Array, form: MarkForm, least_overlap: float) -> pa.Array:
    """Tell which labels say the same: each mark of either has a partner in the other, of its class and place.

    Partners overlap by an IoU (intersection over union) of `least_overlap` at least, and a mark is the partner of one
    other only: a mark that stands there twice is one too many. Of all ways to pair them one that pairs most counts.

    Args:
        one: Texts of marks, or null.
        other: As many.
        form: What a mark consists of.
        least_overlap: Above 0, up to 1.

    Returns:
        Booleans; null is the same as nothing.

    Raises:
        MarkError: A text is none of marks.

    >>> from cupel.marks.canonical_text import SPANS
    >>> near, far = '[{"class":"a","start":0,"end":9}]', '[{"class":"a","start":5,"end":9}]'
    >>> are_same(pa.array([near, near, near, "[]"]), pa.array([near, far, None, "[]"]), SPANS, 0.5).to_pylist()
    [True, False, False, True]
    """
    first, second = (_encode(labels) for labels in (one, other))
    texts = pa.concat_arrays([first.dictionary, second.dictionary]).dictionary_encode()
    place = np.asarray(texts.indices.to_numpy(zero_copy_only=False), np.int64)
    is_known = np.asarray(pc.and_(first.indices.is_valid(), second.indices.is_valid()), np.bool_)
    left = place[first.indices.fill_null(0).to_numpy(zero_copy_only=False)[is_known]]
    right = place[len(first.dictionary) :][second.indices.fill_null(0).to_numpy(zero_copy_only=False)[is_known]]
    found = np.zeros(len(is_known), np.bool_)
    if is_known.any():
        marks = list_marks(texts.dictionary.to_pylist(), form)
        size = np.diff(marks.start)
        paired = count_partners(left, right, marks, least_overlap)
        found[is_known] = (paired == size[left]) & (paired == size[right])
    return pa.array(found)


def count_partners(one: Integers, other: Integers, marks: MarkLists, least_overlap: float) -> Integers:
    """Return how many marks of one text have a partner in the other, of pairs of texts; see `are_same`.

    Args:
        one: Places of texts in the lists of marks.
        other: As many.
        marks: The marks of all texts.
        least_overlap: Above 0, up to 1.
    """
    return np.asarray(_count_partners(one, other, *marks, least_overlap))


def list_marks(texts: "list[str]", form: MarkForm) -> MarkLists:
    """Return texts of marks as arrays.

    Raises:
        MarkError: A text is none of marks.
    """
    marks = [read_marks(text, form) for text in texts]
    every = [mark for some in marks for mark in some]
    number = {name: place for place, name in enumerate(sorted({mark[CLASS] for mark in every}))}
    values = np.array([[mark[edge] for edge in form.edges] for mark in every], np.float64).reshape(-1, len(form.edges))
    edges = np.rint(values * 10**form.decimals).astype(np.int64)
    low = edges[:, : form.dimensions].copy()
    high = edges[:, form.dimensions :].copy() if form.dimensions == 1 else low + edges[:, form.dimensions :]
    start = np.concatenate([[0], np.cumsum([len(some) for some in marks])]).astype(np.int64)
    return MarkLists(start, np.array([number[mark[CLASS]] for mark in every], np.int64), low, high)


def _encode(labels: "pa.Array | pa.ChunkedArray") -> pa.DictionaryArray:
    whole = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
    return whole.cast(TEXT).dictionary_encode()


@compiled
def _count_partners(
    one: Integers, other: Integers, start: Integers, mark_class: Integers, low: Integers, high: Integers,
    least_overlap: float,
) -> Integers:  # fmt: skip
    """Return of each pair of texts the most marks that can be paired."""
    paired = np.zeros(len(one), np.int64)
    for pair in range(len(one)):
        first, second = one[pair], other[pair]
        if first == second:
            paired[pair] = start[first + 1] - start[first]
            continue
        partner = np.full(start[second + 1] - start[second], -1, np.int64)
        for mark in range(start[first], start[first + 1]):
            paired[pair] += _find_partner(mark, start[second], partner, mark_class, low, high, least_overlap)
    return paired


@compiled
def _find_partner(
    mark: int, second: int, partner: Integers, mark_class: Integers, low: Integers, high: Integers, least_overlap: float
) -> bool:  # fmt: skip
    """Pair one more mark, others going over to other partners where they must: an augmenting path, breadth first.

    Args:
        mark: The mark that has no partner.
        second: Where the candidates begin.
        partner: Of each candidate the mark that it is paired with, or -1; changed here.
    """
    count = len(partner)
    asked_by = np.full(count, -1, np.int64)
    waiting = np.empty(count + 1, np.int64)
    waiting[0] = mark
    head, tail = 0, 1
    while head < tail:
        asker = waiting[head]
        head += 1
        for candidate in range(count):
            if asked_by[candidate] >= 0 or not _overlap(
                asker, second + candidate, mark_class, low, high, least_overlap
            ):
                continue
            asked_by[candidate] = asker
            if partner[candidate] >= 0:
                waiting[tail] = partner[candidate]
                tail += 1
                continue
            _hand_on(candidate, mark, asked_by, partner)
            return True
    return False


@compiled
def _hand_on(free: int, mark: int, asked_by: Integers, partner: Integers) -> None:
    """Give a free candidate to who asked for it, that one's former partner to who asked for that, and so on."""
    while True:
        asker = asked_by[free]
        former = -1
        for candidate in range(len(partner)):
            if partner[candidate] == asker:
                former = candidate
        partner[free] = asker
        if asker == mark:
            return
        free = former


@compiled
def _overlap(
    one: int, other: int, mark_class: Integers, low: Integers, high: Integers, least_overlap: float
) -> bool:  # fmt: skip
    """Tell whether two marks are of one class and overlap enough."""
    if mark_class[one] != mark_class[other]:
        return False
    shared, first, second = 1.0, 1.0, 1.0
    for axis in range(low.shape[1]):
        width = min(high[one, axis], high[other, axis]) - max(low[one, axis], low[other, axis])
        if width <= 0:
            return False
        shared *= width
        first *= high[one, axis] - low[one, axis]
        second *= high[other, axis] - low[other, axis]
    return shared >= least_overlap * (first + second - shared)
