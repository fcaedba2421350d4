"""A column of texts to what duplicates are found by: bands, sketches, sizes; in compiled loops, on several threads."""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.cleaning.folding import Column, column, fold, lower_cases
from cupel.cleaning.minhash import VALUES, Banding, minhash, write_bands
from cupel.cleaning.scan.decoding import Bytes, Codes, decode, hash_codes
from cupel.cleaning.shingles import (
    DIGITS,
    Hashes,
    Shape,
    Shingles,
    character_hashes,
    sort_distinct,
    word_hashes,
)
from cupel.cleaning.sketches import WORDS, Sketches, write_sketch
from cupel.loops import numba as nb

# A thread takes so many texts at a time; what comes out does not depend on it.
PIECE = 256


class Fingerprints(NamedTuple):
    """What is known of texts, a row a text.

    `bands` has a column a band; `sketches` 16 words; `sizes` is how many distinct shingles a text has, 0 for null;
    `texts` a hash of the folded text and its length: equal for texts that differ in case and white space only.
    `shingles` holds the shingle sets one after the other, if they were asked for; otherwise nothing.
    """

    bands: Shingles
    sketches: Sketches
    sizes: NDArray[np.int64]
    texts: Hashes
    shingles: Shingles


def fingerprints(
    texts: pa.Array | pa.ChunkedArray,
    shape: Shape = Shape(),  # noqa: B008  (frozen)
    banding: Banding = Banding(),  # noqa: B008
    keep_shingles: bool = False,
    threads: int | None = None,
) -> Fingerprints:
    """Take the fingerprints of a column of texts.

    Args:
        texts: Strings or bytes, valid UTF-8 or not: what is not counts as U+FFFD. Null has nothing.
        shape: What a shingle is.
        banding: How many bands of how many values; of none, the dear part is left out.
        keep_shingles: Return the shingle sets too, 4 bytes a distinct shingle.
        threads: How many threads; None for one a core. The result is the same with any number.
    """
    there = column(texts)
    count = len(there.is_there)
    found = Fingerprints(
        np.zeros((count, banding.bands), np.uint32),
        np.zeros((count, WORDS), np.uint64),
        np.zeros(count, np.int64),
        np.zeros((count, 2), np.uint64),
        np.empty(0, np.uint32),
    )

    def work(start: int) -> Shingles:
        return _piece(there, start, min(start + PIECE, count), shape, banding, keep_shingles, found)

    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        pieces = list(pool.map(work, range(0, count, PIECE)))
    return found._replace(shingles=np.concatenate(pieces)) if keep_shingles and pieces else found


def _piece(
    there: Column, first: int, end: int, shape: Shape, banding: Banding, keep_shingles: bool, found: Fingerprints
) -> Shingles:
    lengths = np.diff(there.offsets[first : end + 1])
    longest = int(lengths.max(initial=0)) + shape.width
    kept = np.empty(int(lengths.sum()) + end - first if keep_shingles else 0, np.uint32)
    total = _sign(
        there.data, there.offsets, there.is_there, first, end, lower_cases(), shape.width, shape.of_words, banding.rows,
        np.empty(longest, np.int32), np.empty(longest, np.int32), np.empty(longest // 2 + 2, np.uint64),
        np.empty(DIGITS, np.int32), np.empty(VALUES, np.uint64), np.empty(VALUES, np.int32),
        found.bands, found.sketches, found.sizes, found.texts, kept,
    )  # fmt: skip
    return kept[:total].copy()


@nb.njit(nogil=True, cache=True)
def _sign(
    data: Bytes, offsets: NDArray[np.int64], is_there: NDArray[np.bool_], first: int, end: int, lower: Codes,
    width: int, of_words: bool, rows: int, codes: Codes, folded: Codes, words: Hashes, ends: NDArray[np.int32],
    values: Hashes, turns: NDArray[np.int32], bands: Shingles, sketches: Sketches, sizes: NDArray[np.int64],
    texts: Hashes, kept: Shingles,
) -> int:  # fmt: skip
    """Take the fingerprints of texts [first, end); returns how many shingles were written to `kept`, if it has room."""
    total = 0
    # The code points are no longer needed when there are hashes, nor the folded text when the hashes are sorted.
    hashes, distinct = codes.view(np.uint32), folded.view(np.uint32)
    for text in range(first, end):
        if not is_there[text]:
            continue
        count = fold(codes, decode(data, offsets[text], offsets[text + 1], codes), lower, folded)
        texts[text, 0], texts[text, 1] = hash_codes(folded, 0, count), count
        if of_words:
            runs = word_hashes(folded, count, width, words, hashes)
        else:
            runs = character_hashes(folded, count, width, hashes)
        size = sort_distinct(hashes, runs, ends, distinct)
        sizes[text] = size
        write_sketch(distinct, size, sketches[text])
        if bands.shape[1]:
            minhash(distinct, size, values, turns)
            write_bands(values, rows, bands[text])
        if len(kept):
            kept[total : total + size] = distinct[:size]
            total += size
    return total
