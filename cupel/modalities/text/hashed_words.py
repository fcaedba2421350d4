"""Hashed: TF-IDF of words and runs of characters by their hashes, fast enough for millions of texts."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.modalities.text.word_hash import BITS, IS_RUN, MIX_1, MIX_2, MULTIPLIER, PLACE_BITS, RUNS, SLOT_BITS

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]

# Texts are taken together so many at a time, and up to so many characters: enough to be fast, few enough to hold.
PIECE_TEXTS = 2_048
PIECE_CHARACTERS = 1 << 20
_INVERSE = pow(MULTIPLIER, -1, 1 << 64)
_SLOT, _PLACE = np.uint64(SLOT_BITS), np.uint64(PLACE_BITS)


class Vocabulary(NamedTuple):
    """The words and runs that count.

    `slots` has one entry per value of a hash's lowest bits: 1 more than the place in `weights`, below the
    other bits; 0 where there is none. `weights` are the inverse frequencies.
    """

    slots: Hashes
    weights: NDArray[np.float32]


def vocabulary(texts: pa.ChunkedArray, least_words: int, least_runs: int) -> Vocabulary:
    """Return the words and runs of texts, weighed as TF-IDF does.

    Args:
        texts: The texts that are counted.
        least_words: Texts that a word or a pair of words must stand in.
        least_runs: Texts that a run of characters must stand in.
    """
    known, found = np.zeros(0, np.uint64), np.zeros(0, np.int64)
    for piece in _pieces(texts):
        known, place = np.unique(np.concatenate([known, _counts(piece)[1]]), return_inverse=True)
        before, found = found, np.zeros(len(known), np.int64)
        found += np.bincount(place[len(before) :], minlength=len(known))
        found[place[: len(before)]] += before
    is_kept = found >= np.where(known >= IS_RUN, least_runs, least_words)
    known, found = known[is_kept], found[is_kept]
    weights = (np.log((1 + len(texts)) / (1 + found)) + 1).astype(np.float32)
    slots = np.zeros(1 << SLOT_BITS, np.uint64)
    order = np.argsort(found, kind="stable")
    slots[_slot(known[order])] = known[order] >> _SLOT << _PLACE | (order + 1).astype(np.uint64)
    return Vocabulary(slots, weights)


def features(texts: pa.ChunkedArray, known: Vocabulary) -> Iterator[Any]:
    """Yield TF-IDF of texts as sparse matrices, shape texts of the piece x vocabulary.

    Words of two characters or more and pairs of them, and runs of 3 to 5 characters within words (with a
    space at either end of a word): what scikit-learn's `TfidfVectorizer` counts. Counts are damped by
    the logarithm; words and runs are each brought to length 1.

    Args:
        texts: The texts.
        known: The vocabulary; other words and runs do not count.
    """
    from scipy.sparse import csr_matrix

    from cupel.modalities.text.hashed_loops import weigh

    width = max(1, len(known.weights))
    for piece in _pieces(texts):
        characters, ends = _padded(piece)
        columns, values = np.empty(4 * len(characters), np.int32), np.empty(4 * len(characters), np.float32)
        row_ends = np.zeros(len(piece) + 1, np.int32)
        weigh(characters, ends, _word_characters(), known.slots, known.weights, columns, values, row_ends[1:])
        filled = slice(0, row_ends[-1])
        yield csr_matrix((values[filled], columns[filled], row_ends), (len(piece), width), np.float32)


def _slot(hashes: Hashes) -> Places:
    return (hashes & np.uint64((1 << SLOT_BITS) - 1)).astype(np.int64)


def _pieces(texts: pa.ChunkedArray) -> Iterator[list[str]]:
    for start in range(0, len(texts), PIECE_TEXTS):
        piece: list[str] = []
        held = 0
        for text in texts.slice(start, PIECE_TEXTS).to_pylist():
            if piece and held + len(text) > PIECE_CHARACTERS:
                yield piece
                piece, held = [], 0
            piece.append(text)
            held += len(text)
        yield piece


def _counts(texts: list[str]) -> tuple[Places, Hashes, Places]:
    """Return text, hash and how often, for each word and run that a text has; ascending."""
    characters, ends = _padded(texts)
    text = np.repeat(np.arange(len(texts), dtype=np.uint64), np.diff(ends, prepend=0))
    cells = np.concatenate([*_words(characters, text), *_runs(characters, text)])
    cells.sort()
    first = np.flatnonzero(np.diff(cells, prepend=~cells[:1]))
    found = cells[first]
    hashes = found & np.uint64((1 << BITS) - 1)
    return (found >> np.uint64(BITS)).astype(np.int64), hashes, np.diff(first, append=len(cells))


def _padded(texts: list[str]) -> tuple[NDArray[np.uint32], Places]:
    """Return the characters of all texts, each with one space between words and at its ends, and where each ends."""
    padded = [f" {' '.join(text.lower().split())} " for text in texts]
    # A lone surrogate cannot be in a text that Arrow held.
    characters = np.frombuffer("".join(padded).encode("utf-32-le"), np.uint32)
    return characters, np.cumsum([len(one) for one in padded], dtype=np.int64)


def _words(characters: NDArray[np.uint32], text: Hashes) -> Iterator[Hashes]:
    """Yield the cells (text and column) of words of two characters or more, and of pairs of them."""
    is_word = _word_characters()[characters]
    edges = np.flatnonzero(np.diff(is_word.view(np.int8), prepend=np.int8(0)))
    starts, ends = edges[0::2], edges[1::2]
    starts, ends = starts[ends - starts > 1], ends[ends - starts > 1]
    powers, inverses = _powers(len(characters) + 1)
    sums = np.concatenate(
        [np.zeros(1, np.uint64), np.cumsum((characters.astype(np.uint64) + np.uint64(1)) * powers[1:])]
    )
    words = (sums[ends] - sums[starts]) * inverses[starts]
    yield _cells(words, text[starts], np.uint64(0))
    is_pair = text[starts[1:]] == text[starts[:-1]]
    pairs = _mixed(words[:-1]) * np.uint64(MULTIPLIER) + words[1:]
    yield _cells(pairs[is_pair], text[starts[1:]][is_pair], np.uint64(0))


def _runs(characters: NDArray[np.uint32], text: Hashes) -> Iterator[Hashes]:
    """Yield the cells of runs of characters: those that have a space at an end or nowhere."""
    wide = characters.astype(np.uint64)
    is_space = characters == ord(" ")
    hashes, is_broken = wide + np.uint64(1), np.zeros(len(wide), np.bool_)
    for length in range(2, max(RUNS) + 1):
        count = max(0, len(wide) - length + 1)
        hashes = hashes[:count] * np.uint64(MULTIPLIER) + wide[length - 1 :]
        # All but the first and the last character of a run.
        is_broken = is_broken[:count] | (is_space[length - 2 : length - 2 + count] & (length > 2))
        if length in RUNS:
            yield _cells(hashes[~is_broken], text[:count][~is_broken], IS_RUN)


def _cells(hashes: Hashes, text: Hashes, part: np.uint64) -> Hashes:
    """Return text and hash as one number."""
    return text << np.uint64(BITS) | part | _mixed(hashes) >> np.uint64(64 - BITS + 1)


def _mixed(hashes: Hashes) -> Hashes:
    """Return the hashes with every bit dependent on every other. Source: Steele, Lea and Flood (2014), SplitMix."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * MIX_1
    hashes = (hashes ^ (hashes >> np.uint64(27))) * MIX_2
    return hashes ^ (hashes >> np.uint64(31))


def _powers(count: int) -> tuple[Hashes, Hashes]:
    """Return powers of the multiplier and of its inverse, modulo 2^64, from 0 on."""
    powers, inverses = _all_powers(1 << max(20, count.bit_length()))
    return powers[:count], inverses[:count]


@lru_cache(maxsize=1)
def _all_powers(count: int) -> tuple[Hashes, Hashes]:
    factors = np.full((2, count), np.array([[MULTIPLIER], [_INVERSE]], np.uint64))
    factors[:, 0] = 1
    powers = np.multiply.accumulate(factors, axis=1)
    return powers[0], powers[1]


@lru_cache(maxsize=1)
def _word_characters() -> NDArray[np.bool_]:
    r"""Tell of every character whether it is one of a word, as `\w` of Python does."""
    return np.array([chr(number).isalnum() or number == ord("_") for number in range(0x110000)])
