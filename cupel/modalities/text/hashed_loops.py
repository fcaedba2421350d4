"""Kernels: the loop over the characters of texts, compiled. Numba is imported here alone, by those who run it."""

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import compiled
from cupel.modalities.text.word_hash import BITS, IS_RUN, MIX_1, MIX_2, MULTIPLIER, PLACE_BITS, RUNS, SLOT_BITS

Hashes = NDArray[np.uint64]
Counts = NDArray[np.int32]

_MULTIPLIER, _MIX_1, _MIX_2 = np.uint64(MULTIPLIER), np.uint64(MIX_1), np.uint64(MIX_2)
_BY_30, _BY_27, _BY_31, _BY_PART = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(64 - BITS + 1)
_SLOT, _IN_SLOT, _WORD = np.uint64(SLOT_BITS), np.uint64((1 << SLOT_BITS) - 1), np.uint64(0)
_PLACE, _IN_PLACE = np.uint64(PLACE_BITS), np.uint64((1 << PLACE_BITS) - 1)
_ONE, _SPACE = np.uint64(1), np.uint64(ord(" "))
_SHORTEST, _LONGEST = min(RUNS), max(RUNS)


@compiled
def mixed(hash_: np.uint64) -> np.uint64:
    """Return a hash with every bit dependent on every other. Source: Steele, Lea and Flood (2014), SplitMix."""
    hash_ = (hash_ ^ (hash_ >> _BY_30)) * _MIX_1
    hash_ = (hash_ ^ (hash_ >> _BY_27)) * _MIX_2
    return hash_ ^ (hash_ >> _BY_31)


@compiled
def place_of(hash_: np.uint64, part: np.uint64, slots: Hashes) -> np.int64:
    """Return the place of a word or run in the vocabulary; -1 where it is not in it."""
    told = part | (mixed(hash_) >> _BY_PART)
    entry = slots[told & _IN_SLOT]
    if entry == 0 or entry >> _PLACE != told >> _SLOT:
        return np.int64(-1)
    return np.int64(entry & _IN_PLACE) - np.int64(1)


@compiled
def count_words(
    text: NDArray[np.uint32], is_word: NDArray[np.bool_], slots: Hashes, counts: Counts, found: Counts, met: int
) -> int:
    """Count the known words of two characters or more of a text, and pairs of them.

    Args:
        text: Its characters; the first and the last are spaces.
        is_word: Of every character, whether it is one of a word.
        slots: Those of the vocabulary.
        counts: Of every place, how often it was met; changed.
        found: The places that were met, in the order of their first coming; changed.
        met: How many they are so far.

    Returns:
        How many they are now.
    """
    before, has_before = _WORD, False
    hash_, power, length = _WORD, _ONE, 0
    for character in text:
        if is_word[character]:
            power *= _MULTIPLIER
            hash_ += (np.uint64(character) + _ONE) * power
            length += 1
            continue
        if length > 1:
            met = _counted(place_of(hash_, _WORD, slots), counts, found, met)
            if has_before:
                met = _counted(place_of(mixed(before) * _MULTIPLIER + hash_, _WORD, slots), counts, found, met)
            before, has_before = hash_, True
        hash_, power, length = _WORD, _ONE, 0
    return met


@compiled
def count_runs(text: NDArray[np.uint32], slots: Hashes, counts: Counts, found: Counts, met: int) -> int:
    """Count the known runs of characters of a text that have a space at an end or nowhere; see `count_words`."""
    for start in range(len(text)):
        hash_ = np.uint64(text[start]) + _ONE
        for place in range(start + 1, min(start + _LONGEST, len(text))):
            character, length = np.uint64(text[place]), place - start + 1
            hash_ = hash_ * _MULTIPLIER + character
            if length >= _SHORTEST:
                met = _counted(place_of(hash_, IS_RUN, slots), counts, found, met)
            if character == _SPACE:
                break
    return met


@compiled
def weigh(
    characters: NDArray[np.uint32],
    ends: NDArray[np.int64],
    is_word: NDArray[np.bool_],
    slots: Hashes,
    weights: NDArray[np.float32],
    columns: Counts,
    values: NDArray[np.float32],
    row_ends: Counts,
) -> None:
    """Weigh the known words and runs of texts as TF-IDF does, as rows of a sparse matrix.

    Args:
        characters: Those of all texts, one after the other; each text begins and ends with a space.
        ends: Where each text ends.
        is_word: Of every character, whether it is one of a word.
        slots: Those of the vocabulary.
        weights: Likewise.
        columns: Filled; places in the vocabulary, four for each character at most.
        values: Filled; their values.
        row_ends: Filled; where the entries of each text end.
    """
    counts = np.zeros(max(1, len(weights)), np.int32)
    start = first = 0
    for row in range(len(ends)):
        text, found = characters[start : ends[row]], columns[first:]
        words = count_words(text, is_word, slots, counts, found, 0)
        met = count_runs(text, slots, counts, found, words)
        for low, high in ((0, words), (words, met)):
            total = 0.0
            for entry in range(low, high):
                place = found[entry]
                value = (np.float32(1) + np.log(np.float32(counts[place]))) * weights[place]
                counts[place] = 0
                values[first + entry] = value
                total += np.float64(value) * np.float64(value)
            length = np.float32(np.sqrt(total))
            for entry in range(low, high):
                values[first + entry] /= length
        start, first = ends[row], first + met
        row_ends[row] = first


@compiled
def _counted(place: np.int64, counts: Counts, found: Counts, met: int) -> int:
    if place < 0:
        return met
    counts[place] += 1
    if counts[place] > 1:
        return met
    found[met] = place
    return met + 1
