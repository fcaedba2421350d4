"""Coding: annotations as arrays of integers, in an order that does not depend on the order of rows."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.contract.columns import TEXT
from cupel.errors import TableError

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
# Whole numbers of any size, as small as fits.
Places: TypeAlias = NDArray[np.integer[Any]]
ItemIds: TypeAlias = "pa.Array | pa.ChunkedArray | Sequence[str]"

# Rows at the head of a column by which it is seen whether equal values follow each other.
HEAD = 4096
# The items are put in order in so many parts, side by side.
PARTS = 8


class Coded(NamedTuple):
    """A batch's annotations as integers, sorted by item, annotator and label.

    `item`, `annotator` and `label` have one entry per annotation: places in `item_ids` (ascending),
    in `annotators` (ascending; annotations that name nobody share the last place, null) and in
    `classes` (the ontology's order).
    """

    item: Integers
    annotator: Integers
    label: Integers
    item_ids: pa.Array
    annotators: pa.Array
    classes: tuple[str, ...]


def code(annotations: pa.Table, item_ids: "ItemIds | None", classes: Sequence[str]) -> Coded:
    """Return annotations as arrays of integers.

    Args:
        annotations: ANNOTATIONS, any order.
        item_ids: All items of the batch, annotated or not; each once. None takes those that are annotated.
        classes: The ontology.

    Returns:
        The coded annotations.

    Raises:
        TableError: An item id stands twice, or an annotation's item or label is not known.

    >>> table = pa.table({"item_id": ["b", "a"], "annotator": ["y", None], "label": ["no", "yes"]})
    >>> coded = code(table, ["b", "a", "c"], ("no", "yes"))
    >>> coded.item.tolist(), coded.annotator.tolist(), coded.label.tolist()
    ([0, 1], [1, 0], [1, 0])
    """
    names = pa.array(classes, TEXT)
    with ThreadPoolExecutor(3) as pool:
        whats = pool.submit(lambda: _places(annotations, "label", names))
        whos = pool.submit(lambda: _ranked(_encoded(annotations["annotator"])))
        if item_ids is None:
            item, ids = _ranked(_encoded(annotations["item_id"]))
            if ids.null_count:
                raise _unknown("item_id", None, pc.index(pc.is_null(annotations["item_id"]), True).as_py())
        else:
            ids = sorted_ids(item_ids)
            item = _places(annotations, "item_id", ids)
        (who, annotators), what = whos.result(), whats.result()
    cell = cells_of(who, what, len(annotators), len(classes))
    del who, what
    return Coded(*_in_order(item, cell, len(ids), len(classes)), ids, annotators, tuple(classes))


def sorted_ids(item_ids: ItemIds) -> pa.Array:
    """Return item ids in ascending order.

    Raises:
        TableError: An id stands twice.
    """
    ids = id_array(item_ids)
    if not pc.all(pc.less_equal(ids[:-1], ids[1:]), min_count=0).as_py():
        ids = _ascending(ids)
    is_twice = pc.equal(ids[:-1], ids[1:])
    if pc.any(is_twice, min_count=0).as_py():
        twice = ids[pc.index(is_twice, True).as_py()].as_py()
        raise TableError(f"item_ids: {twice!r} stands twice; give each item of the batch once")
    return ids


def by_item(table: pa.Table) -> pa.Table:
    """Return a table in ascending order of item ids; one that is in order is not copied."""
    ids = table["item_id"].combine_chunks()
    is_ordered = pc.all(pc.less_equal(ids[:-1], ids[1:]), min_count=0).as_py() if len(ids) > 1 else True
    return table if is_ordered else table.sort_by("item_id")


def id_array(item_ids: ItemIds) -> pa.Array:
    """Return ids in one Arrow array, in the order given."""
    ids = item_ids.combine_chunks() if isinstance(item_ids, pa.ChunkedArray) else pa.array(item_ids, TEXT)
    return ids.cast(TEXT)


def vote_counts(coded: Coded) -> Integers:
    """Return how often each item got each label, shape items x classes."""
    items, classes = len(coded.item_ids), len(coded.classes)
    cell = coded.item * classes
    cell += coded.label
    counts = np.bincount(cell, minlength=items * classes)
    return counts.reshape(items, classes).astype(np.int64, copy=False)


def vectors(column: pa.ChunkedArray, classes: int) -> Reals:
    """Return a column of probability lists as an array, NaN rows where it is null.

    Args:
        column: Lists of one number per class, or null.
        classes: Number of classes.

    Returns:
        Shape rows x classes.

    Raises:
        TableError: A list has another length, or holds a null.
    """
    lists = column.combine_chunks()
    found = np.asarray(pc.is_valid(lists).to_numpy(zero_copy_only=False), dtype=np.bool_)
    flat = lists.flatten()
    lengths = pc.unique(pc.list_value_length(lists).drop_null()).to_pylist()
    if lengths not in ([], [classes]) or flat.null_count:
        raise TableError(f"column posterior: lists of {lengths} numbers; expected {classes}, one per class, none null")
    values = np.full((len(lists), classes), np.nan)
    values[found] = flat.to_numpy(zero_copy_only=False).reshape(-1, classes)
    return values


def lists_of(values: Reals, is_known: NDArray[np.bool_]) -> pa.Array:
    """Return the rows of an array as Arrow lists, null where a row is not known."""
    offsets = np.concatenate([[0], np.cumsum(is_known * values.shape[1])]).astype(np.int32)
    return pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()), pa.array(values[is_known].ravel()), mask=pa.array(~is_known)
    )


def cells_of(annotator: Places, label: Places, annotators: int, classes: int) -> Places:
    """Return the number of each pair of annotator and label among all pairs, in four bytes where they suffice."""
    kind = np.dtype(np.uint32 if annotators * classes < 2**32 else np.int64)
    cell: Places = annotator.astype(kind)
    np.multiply(cell, kind.type(classes), out=cell)
    np.add(cell, label, out=cell, casting="unsafe")
    return cell


def _ascending(values: pa.Array) -> pa.Array:
    """Return the values in ascending order, null last."""
    return values.take(pc.sort_indices(values))


class _Encoded(NamedTuple):
    """A column as places, one per row, among its distinct values as text, null among them."""

    place: Places
    values: pa.Array


def _encoded(column: pa.ChunkedArray) -> _Encoded:
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        column = column.cast(TEXT)
    lengths: Integers | None = None
    if _has_runs(column):
        runs = [pc.run_end_encode(chunk, run_end_type=pa.int64()) for chunk in column.chunks]
        column = pa.chunked_array([run.values for run in runs], column.type)
        lengths = np.concatenate([np.diff(run.run_ends.to_numpy(), prepend=0) for run in runs])
    if lengths is not None and _is_ascending(column):
        return _Encoded(np.repeat(np.arange(len(column), dtype=np.int32), lengths), id_array(column))
    encoded = pc.dictionary_encode(column, null_encoding="encode").combine_chunks()
    place = encoded.indices.to_numpy()
    return _Encoded(place if lengths is None else np.repeat(place, lengths), encoded.dictionary.cast(TEXT))


def _has_runs(column: pa.ChunkedArray) -> bool:
    """Return whether values are, at the head of a column, mostly the one before: then runs are quicker than rows."""
    head = column[:HEAD]
    if len(head) < HEAD:
        return False
    changes = pc.sum(pc.not_equal(head[1:].combine_chunks(), head[:-1].combine_chunks())).as_py() or 0
    return bool(changes < HEAD / 2)


def _is_ascending(column: pa.ChunkedArray) -> bool:
    """Return whether values ascend without a null, so that no two are equal."""
    values = column.combine_chunks()
    return bool(pc.all(pc.less(values[:-1], values[1:]), skip_nulls=False, min_count=0).as_py())


def _ranked(column: _Encoded) -> tuple[Places, pa.Array]:
    """Return rows as places in the ascending values (null last), and these."""
    order = pc.sort_indices(column.values).to_numpy()
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[column.place], column.values.take(pa.array(order))


def _places(annotations: pa.Table, column: str, known: pa.Array) -> Places:
    """Return rows as places among the known values."""
    found = _encoded(annotations[column])
    places = pc.index_in(found.values, value_set=known)
    if places.null_count:
        unknown = pc.is_null(places).to_numpy(zero_copy_only=False)
        row = int(unknown[found.place].argmax())
        raise _unknown(column, found.values[int(found.place[row])].as_py(), row)
    return np.asarray(places.to_numpy()[found.place])


def _unknown(column: str, value: str | None, row: int) -> TableError:
    return TableError(
        f"table annotations, row {row}: {column} {value!r} is not known; pass every item of the batch and every class, "
        "or reject the answer"
    )


def _in_order(item: Places, cell: Places, items: int, classes: int) -> tuple[Integers, Integers, Integers]:
    """Return places of items, annotators and labels, sorted by these three."""
    from cupel.consensus.kernels import by_items, in_order

    start, ordered = np.zeros(items + 1, dtype=np.int64), np.empty_like(cell)
    by_items(item, cell, start, ordered)
    found = np.empty((3, len(cell)), dtype=np.int64)
    ends = [items * n // PARTS for n in range(PARTS + 1)]
    with ThreadPoolExecutor(min(PARTS, os.cpu_count() or 1)) as pool:
        # Each part has places of its own in all arrays.
        list(pool.map(lambda first, last: in_order(start, ordered, first, last, classes, *found), ends[:-1], ends[1:]))
    return found[0], found[1], found[2]
