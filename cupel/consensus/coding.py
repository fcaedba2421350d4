"""Coding: annotations as arrays of integers, in an order that does not depend on the order of rows."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.errors import TableError
from cupel.tables import TEXT

Integers = NDArray[np.int64]
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]
ItemIds: TypeAlias = "pa.Array | pa.ChunkedArray | Sequence[str]"


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


def code(annotations: pa.Table, item_ids: ItemIds, classes: Sequence[str]) -> Coded:
    """Return annotations as arrays of integers.

    Args:
        annotations: ANNOTATIONS, any order.
        item_ids: All items of the batch, annotated or not; each once.
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
    ids = sorted_ids(item_ids)
    who = _encoded(annotations["annotator"])
    names = _ascending(who.dictionary)
    places = (
        lambda: _places(_encoded(annotations["item_id"]), "item_id", ids),
        lambda: _places(who, "annotator", names),
        lambda: _places(_encoded(annotations["label"]), "label", pa.array(classes, TEXT)),
    )
    return Coded(*_in_order(places, len(ids), len(names), len(classes)), ids, names, tuple(classes))


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


def _ascending(values: pa.Array) -> pa.Array:
    """Return the values in ascending order, null last."""
    return values.take(pc.sort_indices(values))


def _encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """Return a column as places in a dictionary of its distinct values, as text, null among them."""
    encoded = pc.dictionary_encode(column, null_encoding="encode").combine_chunks()
    return pa.DictionaryArray.from_arrays(encoded.indices, encoded.dictionary.cast(TEXT))


def _places(values: pa.DictionaryArray, column: str, known: pa.Array) -> Integers:
    places = pc.index_in(values.dictionary, value_set=known)
    if places.null_count:
        unknown = pc.is_null(places.take(values.indices))
        row = pc.index(unknown, True).as_py()
        raise TableError(
            f"table annotations, row {row}: {column} {values.dictionary[values.indices[row].as_py()].as_py()!r} is not "
            "known; pass every item of the batch and every class, or reject the answer"
        )
    return np.asarray(places.to_numpy().astype(np.int64)[values.indices.to_numpy()], dtype=np.int64)


def _in_order(
    places: Sequence[Callable[[], Integers]], items: int, annotators: int, classes: int
) -> tuple[Integers, Integers, Integers]:
    """Return places of items, annotators and labels, sorted by these three.

    They are sorted as digits of one number, which sorts fastest; each column is made when it is needed and let go,
    for together they would be the most that the whole of a consensus holds.
    """
    if items * annotators * classes >= 2**63:
        item, annotator, label = (make() for make in places)
        order = np.lexsort((label, annotator, item))
        return item[order], annotator[order], label[order]
    number = places[0]()
    number *= annotators
    number += places[1]()
    number *= classes
    number += places[2]()
    number.sort()
    label = number % max(classes, 1)
    number //= max(classes, 1)
    annotator = number % max(annotators, 1)
    number //= max(annotators, 1)
    return number, annotator, label
