"""Signals to signatures: the shingles of each text, and the MinHash bands that bring similar texts together."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.cleaning.settings import Cleaning
from cupel.cleaning.signals import folded
from cupel.tables import SIGNATURES

Hashes = NDArray[np.uint64]

# 32 bands of 4 rows: two texts of Jaccard similarity s share a band with chance 1 - (1 - s^4)^32, .87 at .5.
BANDS = 32
ROWS_PER_BAND = 4
MINHASH_SEED = 20_140_601
# Texts are taken together up to this many characters: enough to be fast, few enough to hold.
BLOCK_CHARACTERS = 1 << 20

# An odd multiplier for the polynomial, and the constants of the finalizer of SplitMix64.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class _Shingles(NamedTuple):
    """Shingle hashes of several texts, one after the other; text i has those from offsets[i] to offsets[i + 1]."""

    hashes: Hashes
    offsets: NDArray[np.int64]


def signatures(signals: pa.Table, batch: str, settings: Cleaning) -> pa.Table:
    """Return what finding duplicates needs of each item; a batch may be taken in pieces.

    A shingle is a run of characters of the folded text (lower-cased, white space as one space); a shorter
    text is one shingle. Hashes are the same on every machine and in every run.

    Args:
        signals: `item_signals`, any part of them.
        batch: The batch that they are of.
        settings: Characters in a shingle.

    Returns:
        `signatures`, a row an item, in the same order.

    Source: Broder (1997), On the resemblance and containment of documents; Leskovec, Rajaraman and
    Ullman, Mining of Massive Datasets, chapter 3 (bands).
    """
    pieces = [SIGNATURES.schema.empty_table()]
    texts = [folded(text) for text in signals.column("text").to_pylist()]
    for first, end in _blocks(texts):
        shingles = _shingles(texts[first:end], settings.shingle_characters)
        rows = signals.slice(first, end - first)
        columns = [
            pa.array([batch] * rows.num_rows, pa.string()),
            rows.column("item_id"),
            rows.column("text_sha256"),
            _lists(shingles.hashes, shingles.offsets),
            _lists(_bands(shingles).ravel(), np.arange(0, rows.num_rows * BANDS + 1, BANDS)),
        ]
        pieces.append(pa.table(columns, schema=SIGNATURES.schema))
    return pa.concat_tables(pieces)


def _blocks(texts: list[str]) -> Iterator[tuple[int, int]]:
    """Yield first and end of runs of texts of about as many characters as a block may have."""
    first = size = 0
    for place, text in enumerate(texts):
        if size and size + len(text) > BLOCK_CHARACTERS:
            yield first, place
            first, size = place, 0
        size += len(text) + 1
    if size:
        yield first, len(texts)


def _lists(values: Hashes, offsets: NDArray[np.int64]) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values))


def _shingles(texts: list[str], width: int) -> _Shingles:
    """Return the distinct shingle hashes of each text, ascending; every text has at least one."""
    # No text holds NUL, so that padding a short text with it makes a shingle that no other text has.
    padded = [text if len(text) >= width else text.ljust(width, "\0") for text in texts]
    # A lone surrogate cannot be in a text that Arrow held.
    characters = np.frombuffer("".join(padded).encode("utf-32-le"), np.uint32).astype(np.uint64)
    lengths = np.array([len(text) for text in padded], np.int64)
    counts = lengths - width + 1
    starts = np.cumsum(lengths) - lengths
    hashes = _windows(characters, width)
    # Windows that reach into the next text stand behind a text's own; they are never looked at.
    is_distinct = np.zeros(len(hashes), np.bool_)
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        hashes[start : start + count].sort()
        is_distinct[start : start + count] = True
    is_distinct[1:] &= hashes[1:] != hashes[:-1]
    is_distinct[starts] = True
    ends = np.cumsum(is_distinct)[starts + counts - 1]
    return _Shingles(hashes[is_distinct], np.concatenate([np.zeros(1, np.int64), ends]))


def _windows(characters: Hashes, width: int) -> Hashes:
    """Return a hash of each run of so many characters; arithmetic is modulo 2^64."""
    count = len(characters) - width + 1
    hashes = characters[:count] + np.uint64(1)
    for place in range(1, width):
        hashes *= _MULTIPLIER
        hashes += characters[place : place + count]
    return _mixed(hashes)


def _mixed(hashes: Hashes) -> Hashes:
    """Return the hashes with every bit dependent on every other. Source: Steele, Lea and Flood (2014), SplitMix."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _MIX_1
    hashes = (hashes ^ (hashes >> np.uint64(27))) * _MIX_2
    return hashes ^ (hashes >> np.uint64(31))


def _bands(shingles: _Shingles) -> Hashes:
    """Return a row of band hashes a text: equal in a column where MinHash values are equal in all rows of the band."""
    from rensa import RMinHash

    matrix = RMinHash.digest_matrix_from_flat_token_hashes(
        shingles.hashes, shingles.offsets.astype(np.uint64), BANDS * ROWS_PER_BAND, MINHASH_SEED
    )
    digests = np.array(matrix.to_rows(), np.uint32).reshape(-1, BANDS, ROWS_PER_BAND)
    # The band's number goes in first: equal values in different bands are no match.
    hashes = np.broadcast_to(np.arange(1, BANDS + 1, dtype=np.uint64), digests.shape[:2]).copy()
    for row in range(ROWS_PER_BAND):
        hashes = _mixed(hashes * _MULTIPLIER + digests[:, :, row])
    return hashes
