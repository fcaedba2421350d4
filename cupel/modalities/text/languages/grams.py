"""From a text to the rows of the model that it adds up: one a run of up to five letters, one a long word."""

import numpy as np
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.languages.letters import KNOWN, SPACE
from cupel.modalities.text.languages.machine_words import CODE, PLAIN, read_word
from cupel.modalities.text.languages.markup import markup_end
from cupel.modalities.text.scan.decoding import Codes

Rows = NDArray[np.int32]

# So many letters and spaces of a text are read; the rest hardly ever changes what was found.
MOST_LETTERS = 1000
LONGEST_GRAM = 5
# A run begins at each letter and at the space before each word: five lengths each, and a word.
MOST_ROWS = MOST_LETTERS * (LONGEST_GRAM + 1)
_IDEOGRAPHS_END = 0x32000
# All signs that begin markup lie below.
_LETTERS_BEGIN = 0x80
_SEED, _PRIME, _MIX = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3), np.uint64(0x9E3779B97F4A7C15)
_WORD_SEED = np.uint64(0x84222325CBF29CE4)
_HALF = np.uint64(32)


@nb.njit(nogil=True, cache=True)
def read_letters(codes: Codes, count: int, table: Codes, letters: Codes) -> tuple[int, int]:
    """Write the letters of a text, with one space before, between and behind its words.

    Markup and words for machines are read as a space.

    Args:
        codes: Code points; the first `count` are read, as long as there is room in `letters`.
        table: What each is read as, of `folded`.
        letters: `MOST_LETTERS` places, filled from the first.

    Returns:
        How many were written, and how many signs the words of code have that were passed over.
    """
    letters[0] = SPACE
    size, place, coded, judged = 1, 0, 0, 0
    while place < count:
        code = codes[place]
        behind = place
        if code < _LETTERS_BEGIN:
            behind = markup_end(codes, place, count)
            if behind > place:
                judged = behind
            elif place >= judged and code > SPACE:
                kind, judged = read_word(codes, place, count)
                if kind != PLAIN:
                    behind = judged
                    coded += judged - place if kind == CODE else 0
        sign = SPACE
        if behind == place:
            behind = place + 1
            if 0 <= code < KNOWN:
                sign = table[code]
            elif KNOWN <= code < _IDEOGRAPHS_END:
                sign = code
        place = behind
        if sign == 0 or (sign == SPACE and letters[size - 1] == SPACE):
            continue
        letters[size] = sign
        size += 1
        if size == MOST_LETTERS - 1:
            break
    if letters[size - 1] != SPACE:
        letters[size] = SPACE
        size += 1
    return size, coded


@nb.njit(nogil=True, cache=True)
def gram_rows(letters: Codes, first: int, behind: int, shift: np.uint64, rows: Rows) -> int:
    """Write the model's row for each run of letters; return how many were written.

    Runs do not reach across a space, but take it in at either end, so that where a word begins and ends is seen.

    Args:
        letters: Of `read_letters`; those of [first, behind) are read.
        shift: 64 less the bits of a row's number.
        rows: Six places a letter, filled from the first.
    """
    size = 0
    for start in range(first, behind):
        value = _SEED
        for place in range(start, min(start + LONGEST_GRAM, behind)):
            sign = letters[place]
            value = (value ^ np.uint64(sign)) * _PRIME
            if place == start and sign == SPACE:
                continue
            mixed = (value ^ (value >> _HALF)) * _MIX
            rows[size] = np.int32(mixed >> shift)
            size += 1
            if sign == SPACE:
                break
    value, begin = _WORD_SEED, first
    for place in range(first, behind):
        if letters[place] != SPACE:
            value = (value ^ np.uint64(letters[place])) * _PRIME
            continue
        if place - begin > LONGEST_GRAM - 2:
            mixed = (value ^ (value >> _HALF)) * _MIX
            rows[size] = np.int32(mixed >> shift)
            size += 1
        value, begin = _WORD_SEED, place + 1
    return size


@nb.njit(nogil=True, cache=True)
def count_pairs(letters: Codes, size: int, most: int) -> int:
    """Return how many different pairs of a letter and what follows it a text has, `most` if there are more.

    Letters that repeat, as in `aaaa` or `hahaha`, so count once.
    """
    found = np.empty(most, np.int64)
    count = 0
    for place in range(size - 1):
        if count == most:
            break
        if letters[place] == SPACE:
            continue
        pair = (np.int64(letters[place]) << 32) | letters[place + 1]
        is_new = True
        for number in range(count):
            is_new &= found[number] != pair
        if is_new:
            found[count] = pair
            count += 1
    return count
