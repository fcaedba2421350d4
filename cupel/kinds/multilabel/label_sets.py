"""Label sets: a set of classes as one text, the same set always the same text, and as a row of yes and no."""

import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.consensus.coding import Flags, Integers
from cupel.contract.columns import TEXT

# Answers to the question of each class, in this order: a place in it stands in numpy for the answer.
ANSWERS = ("no", "yes")
NO, YES = 0, 1


def write_set(names: Sequence[str], classes: Sequence[str]) -> str:
    """Return the canonical text of a set: a JSON list in the ontology's order, without blanks.

    Args:
        names: Classes of the set, each once, any order.
        classes: The ontology.

    >>> write_set(["b", "a"], ("a", "b", "c")), write_set([], ("a", "b", "c"))
    ('["a","b"]', '[]')
    """
    wanted = set(names)
    return json.dumps([name for name in classes if name in wanted], ensure_ascii=False, separators=(",", ":"))


def parse_sets(labels: pa.Array | pa.ChunkedArray, classes: Sequence[str]) -> pa.Array:
    """Return the canonical text of each answer, null where it is no set of the ontology's classes.

    A set is a JSON list of class names in any order, or the name of one class standing alone. A class that stands
    twice or is not known makes an answer no set: what was meant cannot be told. The empty list is an answer, null
    and the empty text are none.

    Args:
        labels: Answers as they came.
        classes: The ontology.

    >>> parse_sets(pa.array(['["b", "a"]', "a", "[]", '["a","a"]', "d", "", None]), ("a", "b", "c")).to_pylist()
    ['["a","b"]', '["a"]', '[]', None, None, None, None]
    """
    column = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
    encoded = column.cast(TEXT).dictionary_encode()
    texts = [_parse(text, classes) for text in encoded.dictionary.to_pylist()]
    return pa.array(texts, TEXT).take(encoded.indices)


def _parse(text: str, classes: Sequence[str]) -> str | None:
    # A list is read as one before anything else, so that a canonical text always means itself.
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list):
        return write_set([text], classes) if text in classes else None
    if not all(isinstance(name, str) for name in names):
        return None
    is_a_set = len(set(names)) == len(names) and set(names) <= set(classes)
    return write_set(names, classes) if is_a_set else None


def split_sets(labels: pa.Array | pa.ChunkedArray, classes: Sequence[str]) -> Integers:
    """Return each label as a row of places in ANSWERS, one per class: 0 no, 1 yes, -1 all along where it is null.

    Args:
        labels: Canonical texts, or null.
        classes: The ontology.

    Returns:
        Shape labels x classes.

    >>> split_sets(pa.array(['["b"]', None]), ("a", "b")).tolist()
    [[0, 1], [-1, -1]]
    """
    column = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
    encoded = column.cast(TEXT).dictionary_encode()
    rows = np.full((len(encoded.dictionary) + 1, len(classes)), -1, dtype=np.int64)
    if len(encoded.dictionary):
        rows[:-1] = has_class(encoded.dictionary.to_pylist(), classes)
    places = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    return np.asarray(rows[places])


def has_class(texts: Sequence[str], classes: Sequence[str]) -> Flags:
    """Return of canonical texts which classes each holds, shape texts x classes."""
    place = {name: number for number, name in enumerate(classes)}
    flags = np.zeros((len(texts), len(classes)), dtype=np.bool_)
    for row, text in enumerate(texts):
        flags[row, [place[name] for name in json.loads(text)]] = True
    return flags


def join_sets(places: NDArray[np.integer], classes: Sequence[str]) -> pa.Array:
    """Return the canonical text of each row of places in ANSWERS, null where one of them is -1.

    Args:
        places: Shape labels x classes.
        classes: The ontology.

    >>> join_sets(np.array([[0, 1], [0, 0], [-1, 1]]), ("a", "b")).to_pylist()
    ['["b"]', '[]', None]
    """
    if not len(places):
        return pa.array([], TEXT)
    rows, inverse = np.unique(places, axis=0, return_inverse=True)
    texts = [
        None
        if (row < 0).any()
        else write_set([name for name, place in zip(classes, row, strict=True) if place], classes)
        for row in rows
    ]
    return pa.array(texts, TEXT).take(pa.array(inverse.ravel()))
