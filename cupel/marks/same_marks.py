"""Same marks: when two answers about an item say the same, which is what a wrong label is measured by."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.compiled_loops import compiled
from cupel.consensus.coding import Flags, Integers
from cupel.contract.columns import TEXT
from cupel.marks.canonical_text import CLASS, MarkForm, read_marks


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
        found[is_known] = _compare(left, right, *marks, least_overlap)
    return pa.array(found)


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
def _compare(
    one: Integers, other: Integers, start: Integers, mark_class: Integers, low: Integers, high: Integers,
    least_overlap: float,
) -> Flags:  # fmt: skip
    """Return of pairs of texts which say the same."""
    is_same = np.zeros(len(one), np.bool_)
    for pair in range(len(one)):
        first, second = one[pair], other[pair]
        if first == second:
            is_same[pair] = True
            continue
        count = start[first + 1] - start[first]
        if count != start[second + 1] - start[second]:
            continue
        partner = np.full(count, -1, np.int64)
        is_all = True
        for mark in range(count):
            if not _find_partner(
                mark, start[first], start[second], count, mark_class, low, high, least_overlap, partner
            ):
                is_all = False
                break
        is_same[pair] = is_all
    return is_same


@compiled
def _find_partner(
    mark: int, first: int, second: int, count: int, mark_class: Integers, low: Integers, high: Integers,
    least_overlap: float, partner: Integers,
) -> bool:  # fmt: skip
    """Pair one more mark, others going over to other partners where they must: an augmenting path, breadth first."""
    asked_by = np.full(count, -1, np.int64)
    waiting = np.empty(count + 1, np.int64)
    waiting[0] = mark
    head, tail = 0, 1
    while head < tail:
        now = waiting[head]
        head += 1
        for candidate in range(count):
            if asked_by[candidate] >= 0 or not _overlap(
                first + now, second + candidate, mark_class, low, high, least_overlap
            ):
                continue
            asked_by[candidate] = now
            if partner[candidate] >= 0:
                waiting[tail] = partner[candidate]
                tail += 1
                continue
            free = candidate
            while True:
                asker = asked_by[free]
                before = -1
                for place in range(count):
                    if partner[place] == asker:
                        before = place
                partner[free] = asker
                if asker == mark:
                    return True
                free = before
    return False


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
