"""Folded texts to shingle sets: the distinct hashes of all runs of some characters, or of some words, ascending."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.cleaning.scan.decoding import Codes, hash_codes
from cupel.loops import numba as nb

Shingles = NDArray[np.uint32]
Hashes = NDArray[np.uint64]

# An odd multiplier for the polynomial, and the constants of the finalizer of SplitMix64.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_GAP = ord(" ")
# Up to so many hashes are sorted by their first bits, and the few that are not in order then by moving them.
_FEW = 2_048
DIGITS = 1 << 11


class Shape(NamedTuple):
    """What a shingle is: a run of so many characters, or of so many words."""

    width: int = 5
    of_words: bool = False


@nb.njit(nogil=True, inline="always")
def _mixed(value: np.uint64) -> np.uint64:
    """Return a hash with every bit dependent on every other. Source: Steele, Lea and Flood (2014), SplitMix."""
    value = (value ^ (value >> np.uint64(30))) * _MIX_1
    value = (value ^ (value >> np.uint64(27))) * _MIX_2
    return value ^ (value >> np.uint64(31))


@nb.njit(nogil=True, cache=True)
def character_hashes(folded: Codes, count: int, width: int, hashes: Shingles) -> int:
    """Write a hash of each run of `width` characters; a shorter text is one run. Returns how many there are.

    A polynomial modulo 2^64 rolls from one run to the next, so that the cost does not grow with the width.
    """
    leading = np.uint64(1)
    for _ in range(width - 1):
        leading *= _MULTIPLIER
    value = np.uint64(0)
    for place in range(min(width, count)):
        value = value * _MULTIPLIER + np.uint64(folded[place])
    # No text holds NUL, so that padding a short text with it makes a shingle that no other text has.
    for _ in range(count, width):
        value *= _MULTIPLIER
    hashes[0] = _mixed(value + leading) >> np.uint64(32)
    for place in range(count - width):
        value = (value - leading * np.uint64(folded[place])) * _MULTIPLIER + np.uint64(folded[place + width])
        hashes[place + 1] = _mixed(value + leading) >> np.uint64(32)
    return max(1, count - width + 1)


@nb.njit(nogil=True, cache=True)
def word_hashes(folded: Codes, count: int, width: int, words: Hashes, hashes: Shingles) -> int:
    """Write a hash of each run of `width` words, which spaces divide; fewer words are one run. Returns how many."""
    total, start = 0, 0
    for place in range(count + 1):
        if place == count or folded[place] == _GAP:
            words[total] = hash_codes(folded, start, place)
            total += 1
            start = place + 1
    runs = max(1, total - width + 1)
    for run in range(runs):
        value = np.uint64(min(width, total))
        for word in range(run, min(run + width, total)):
            value = value * _MULTIPLIER + words[word]
        hashes[run] = _mixed(value) >> np.uint64(32)
    return runs


@nb.njit(nogil=True, cache=True)
def sort_distinct(hashes: Shingles, count: int, ends: NDArray[np.int32], distinct: Shingles) -> int:
    """Write the distinct hashes, ascending, in time proportional to their number; returns how many there are.

    Args:
        hashes: What to sort, in any order; it is overwritten.
        count: How many.
        ends: Room for `DIGITS` numbers.
        distinct: Room for `count` hashes.
    """
    if count <= _FEW:
        # By their first 16 bits they are nearly in order.
        _by_digit(hashes, count, np.uint32(16), np.uint32(8), ends, distinct)
        _by_digit(distinct, count, np.uint32(24), np.uint32(8), ends, hashes)
        for place in range(1, count):
            value, back = hashes[place], place
            while back > 0 and hashes[back - 1] > value:
                hashes[back] = hashes[back - 1]
                back -= 1
            hashes[back] = value
    else:
        _by_digit(hashes, count, np.uint32(0), np.uint32(11), ends, distinct)
        _by_digit(distinct, count, np.uint32(11), np.uint32(11), ends, hashes)
        _by_digit(hashes, count, np.uint32(22), np.uint32(10), ends, distinct)
        hashes, distinct = distinct, hashes
    written = 1
    distinct[0] = hashes[0]
    for place in range(1, count):
        distinct[written] = hashes[place]
        written += hashes[place] != hashes[place - 1]
    if count > _FEW:
        hashes[:written] = distinct[:written]
    return written


@nb.njit(nogil=True, cache=True)
def _by_digit(
    source: Shingles, count: int, shift: np.uint32, bits: np.uint32, ends: NDArray[np.int32], target: Shingles
) -> None:
    """Write hashes in the order of one digit; those with the same digit keep their order."""
    mask = (np.uint32(1) << bits) - np.uint32(1)
    ends[: np.int64(mask) + 1] = 0
    for place in range(count):
        ends[(source[place] >> shift) & mask] += 1
    total = 0
    for digit in range(np.int64(mask) + 1):
        here = ends[digit]
        ends[digit] = total
        total += here
    for place in range(count):
        digit = (source[place] >> shift) & mask
        target[ends[digit]] = source[place]
        ends[digit] += 1
