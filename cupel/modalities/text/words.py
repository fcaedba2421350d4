"""Texts as words that compare: small letters and digits, one space between; scripts without spaces by the letter."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.scan.decoding import MULTIPLIER, SEED, Bytes

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]
_NOT_WORDS = r"[^\p{L}\p{M}\p{N}]+"
_NO_SPACES = r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}])"
_SPACE = ord(" ")


def plain_words(texts: pa.Array) -> pa.Array:
    """Return texts as their words, with one space between; a letter of a script without spaces is a word.

    >>> plain_words(pa.array(["It's 2+2,\\nOK?"])).to_pylist()
    ['it s 2 2 ok']
    """
    lowered = pc.utf8_lower(texts.cast(pa.large_string()))
    if pc.any(pc.match_substring_regex(lowered, _NO_SPACES)).as_py():
        lowered = pc.replace_substring_regex(lowered, _NO_SPACES, r" \1 ")
    return pc.utf8_trim(pc.replace_substring_regex(lowered, _NOT_WORDS, " "), " ")


@nb.njit(nogil=True, cache=True)
def hash_words(data: Bytes, start: int, end: int, words: Hashes) -> int:
    """Write a hash of each word of bytes [start, end) to `words`; return how many there were."""
    count = 0
    value = SEED
    is_inside = False
    for place in range(start, end):
        if data[place] == _SPACE:
            if is_inside:
                words[count] = value ^ (value >> np.uint64(29))
                count += 1
            value, is_inside = SEED, False
        else:
            value = (value ^ np.uint64(data[place])) * MULTIPLIER
            value ^= value >> np.uint64(32)
            is_inside = True
    if is_inside:
        words[count] = value ^ (value >> np.uint64(29))
        count += 1
    return count


@nb.njit(nogil=True, cache=True)
def hash_runs(words: Hashes, count: int, length: int, runs: Hashes) -> int:
    """Write a hash of each run of `length` words to `runs`, none of them 0; return how many there were."""
    found = count - length + 1
    if found <= 0:
        return 0
    power = np.uint64(1)
    for _ in range(length - 1):
        power *= MULTIPLIER
    value = np.uint64(0)
    for place in range(length):
        value = value * MULTIPLIER + words[place]
    for place in range(found):
        if place:
            value = (value - words[place - 1] * power) * MULTIPLIER + words[place + length - 1]
        mixed = (value ^ (value >> np.uint64(31))) * MULTIPLIER + np.uint64(length)
        runs[place] = mixed | np.uint64(1)
    return found
