"""Candidates: the items that rules and duplicates left, and what the model sees of their texts."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.contamination.learning import Flags, Places, Reals, scored

# What lies further behind in a text says little of what it is, and takes long to count.
MOST_CHARACTERS = 4_000
LEAST_WORDS, LEAST_RUNS = 3, 10
# The model learns from items drawn of so many at most; all are scored.
MOST_LEARNED_FROM = 50_000


class Candidates(NamedTuple):
    """Items of a batch and their texts, which need not be held.

    `items` has the columns batch, item_id, source_file and text_sha256; `texts()` yields the texts of the same items
    in the same order, a piece at a time.
    """

    batch: str
    items: pa.Table
    texts: Callable[[], Iterator[pa.ChunkedArray]]


class Examples(NamedTuple):
    """Texts that people have judged, and whether each is unwanted."""

    texts: pa.ChunkedArray
    is_unwanted: Flags


def no_examples() -> Examples:
    """Return examples of nothing."""
    return Examples(pa.chunked_array([], pa.string()), np.zeros(0, np.bool_))


def taken(candidates: Candidates, places: Places) -> pa.ChunkedArray:
    """Return the texts at some places, which ascend."""
    chunks: list[pa.Array] = []
    first = 0
    for piece in candidates.texts():
        own = places[np.searchsorted(places, first) : np.searchsorted(places, first + len(piece))]
        chunks += shortened(piece.take(pa.array(own - first))).chunks
        first += len(piece)
    return pa.chunked_array(chunks, pa.string())


def shortened(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return as much of texts as the model sees."""
    return pc.utf8_slice_codeunits(texts, 0, MOST_CHARACTERS)


def matrix(texts: pa.ChunkedArray, known: Any) -> Any:
    """Return the features of texts, shape texts x vocabulary."""
    from scipy.sparse import csr_matrix, vstack

    from cupel.modalities.text.hashed_words import features

    pieces = list(features(texts, known))
    return vstack(pieces).tocsr() if pieces else csr_matrix((0, max(1, len(known.weights))), dtype=np.float32)


def all_scores(candidates: Candidates, known: Any, model: Any) -> Reals:
    """Return the score of every candidate; one piece of texts is held at a time."""
    if model is None:
        return np.zeros(candidates.items.num_rows)
    pieces = [scored(model, matrix(shortened(piece), known)) for piece in candidates.texts() if len(piece)]
    return np.concatenate([np.zeros(0), *pieces])
