"""The plain measures of a text (words, letters, symbols, repetitions), as the module `quality` beside defines them."""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.characters import ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER, mark_codes
from cupel.modalities.text.quality import quality
from cupel.modalities.text.scan.decoding import Bytes, Codes, decode, hash_codes
from cupel.modalities.text.scan.repetition import Hashes, table_size
from cupel.modalities.text.scan.tokens import Places

# What a character may be here.
_WORD, _INNER, _LETTER, _VISIBLE, _MARK = 1, 2, 4, 8, 16
_DOT, _HASH, _FEED, _APOSTROPHE, _QUOTE, _ELLIPSIS = ord("."), ord("#"), ord("\n"), ord("'"), 0x2019, 0x2026
# Lower-cased they are two characters, or one of two by what comes after them: Python is asked about these texts.
_ODD = ("\u0130", "\u03a3")
# So are longer texts, whose tables would fill the memory.
LONGEST_BYTES = 1 << 24
PIECE = 256
_COUNTS = 9


def basics(texts: pa.Array, threads: int | None = None) -> dict[str, pa.Array]:
    """Measure every text of a column: to the last bit what `quality` says of it.

    Args:
        texts: Normalised texts, large strings, none null.
        threads: How many; None for one a core.

    Returns:
        An array of values for each field of `Quality`, an entry a text.
    """
    offsets = np.frombuffer(texts.buffers()[1], np.int64)[texts.offset : texts.offset + len(texts) + 1]
    content = texts.buffers()[2]
    data = np.frombuffer(content, np.uint8) if content is not None and content.size else np.zeros(1, np.uint8)
    counts = np.zeros((len(texts), _COUNTS), np.int64)

    def work(start: int) -> None:
        lengths = np.diff(offsets[start : start + PIECE + 1])
        size = int(lengths[lengths <= LONGEST_BYTES].max(initial=0)) + 2
        codes, word, places = np.empty(size, np.int32), np.empty(size, np.int32), table_size(size)
        _piece(
            data, offsets, start, min(start + PIECE, len(texts)), _flags(), _lower(), codes, word,
            np.empty(places, np.uint64), np.empty(places, np.int32), counts,
        )  # fmt: skip

    _flags(), _lower()
    with ThreadPoolExecutor(threads or os.cpu_count() or 1) as pool:
        list(pool.map(work, range(0, len(texts), PIECE)))
    found = _shares(counts)
    odd = np.asarray(pc.match_substring_regex(texts, "|".join(_ODD))) | (np.diff(offsets) > LONGEST_BYTES)
    for place in np.flatnonzero(odd).tolist():
        for name, value in quality(texts[place].as_py())._asdict().items():
            found[name][place] = value
    return {name: pa.array(values) for name, values in found.items()}


def _shares(counts: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    characters, words, word_characters, letters, visible, symbols, line_characters, repeated, commonest = counts.T
    found: dict[str, NDArray[Any]] = {"characters": characters.copy(), "words": words.copy()}
    found["mean_word_length"] = _share(word_characters, words)
    found["letter_share"] = _share(letters, visible)
    found["symbol_word_share"] = symbols / np.maximum(words, 1)
    found["repeated_line_share"] = _share(repeated, line_characters)
    found["repeated_word_share"] = _share(commonest, words)
    return found


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


@cache
def _flags() -> Bytes:
    """Return what each code point may be: begin a word, stand in one, be a letter, be seen."""
    flags = np.zeros(sys.maxunicode + 1, np.uint8)
    for code in range(sys.maxunicode + 1):
        sign = chr(code)
        is_word = sign.isalnum()
        is_letter = is_word and not sign.isdecimal()
        flags[code] = is_word * (_WORD | _INNER) | is_letter * _LETTER | (not sign.isspace()) * _VISIBLE
    for sign in (*map(chr, mark_codes()), ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER):
        flags[ord(sign)] |= _INNER
    flags[list(mark_codes())] |= _MARK
    return flags


@cache
def _lower() -> Codes:
    """Return each code point lower-cased, where that is one character."""
    lower = np.arange(sys.maxunicode + 1, dtype=np.int32)
    for code in range(sys.maxunicode + 1):
        other = chr(code).lower()
        if len(other) == 1:
            lower[code] = ord(other)
    return lower


@nb.njit(nogil=True, cache=True)
def _piece(
    data: Bytes, offsets: NDArray[np.int64], first: int, behind: int, flags: Bytes, lower: Codes, codes: Codes,
    word: Codes, table: Hashes, times: Places, counts: NDArray[np.int64],
) -> None:  # fmt: skip
    """Measure texts [first, behind)."""
    for text in range(first, behind):
        start, end = offsets[text], offsets[text + 1]
        if end - start > LONGEST_BYTES:
            continue
        row = counts[text]
        count = decode(data, start, end, codes)
        row[0] = count
        _characters(codes, count, flags, row)
        _words(codes, count, flags, lower, word, table, times, row)
        _lines(codes, count, table, row)


@nb.njit(nogil=True, inline="always")
def _characters(codes: Codes, count: int, flags: Bytes, row: NDArray[np.int64]) -> None:
    """Count letters with the marks that follow them, what is seen, hash signs and ellipses."""
    letters, visible, symbols, dots, was_ellipsis, was_letter = 0, 0, 0, 0, False, False
    for place in range(count):
        code = codes[place]
        flag = flags[code]
        was_letter = (flag & _LETTER) > 0 or (was_letter and (flag & _MARK) > 0)
        letters += was_letter
        visible += (flag & _VISIBLE) > 0
        symbols += code == _HASH
        dots = dots + 1 if code == _DOT else 0
        symbols += dots == 3
        # A run of these signs is one ellipsis.
        symbols += code == _ELLIPSIS and not was_ellipsis
        was_ellipsis = code == _ELLIPSIS
    row[3], row[4], row[5] = letters, visible, symbols


@nb.njit(nogil=True, inline="always")
def _words(
    codes: Codes, count: int, flags: Bytes, lower: Codes, word: Codes, table: Hashes, times: Places,
    row: NDArray[np.int64],
) -> None:  # fmt: skip
    """Count words and their characters, and how often the commonest stands there."""
    mask = np.int64(table_size(count // 2 + 1) - 1)
    table[: mask + 1] = np.uint64(0)
    words, characters, most, place = 0, 0, 0, 0
    while place < count:
        if not flags[codes[place]] & _WORD:
            place += 1
            continue
        size = 0
        while place < count:
            code = codes[place]
            if not flags[code] & _INNER:
                is_inner = code in (_APOSTROPHE, _QUOTE) and place + 1 < count
                if not is_inner or not flags[codes[place + 1]] & _WORD:
                    break
            word[size] = lower[code]
            size += 1
            place += 1
        words += 1
        characters += size
        value = hash_codes(word, 0, size)
        value = value if value != np.uint64(0) else np.uint64(1)
        slot = np.int64(value) & mask
        while table[slot] != np.uint64(0) and table[slot] != value:
            slot = (slot + 1) & mask
        times[slot] = times[slot] + 1 if table[slot] == value else 1
        table[slot] = value
        most = max(most, times[slot])
    row[1], row[2], row[8] = words, characters, most


@nb.njit(nogil=True, inline="always")
def _lines(codes: Codes, count: int, table: Hashes, row: NDArray[np.int64]) -> None:
    """Count the characters of lines, and of those that stood before; a text of one line has none to repeat."""
    feeds = 0
    for place in range(count):
        feeds += codes[place] == _FEED
    if feeds == 0:
        return
    mask = np.int64(table_size(feeds + 1) - 1)
    table[: mask + 1] = np.uint64(0)
    start, repeated = 0, 0
    for place in range(count + 1):
        if place < count and codes[place] != _FEED:
            continue
        value = hash_codes(codes, start, place)
        value = value if value != np.uint64(0) else np.uint64(1)
        slot = np.int64(value) & mask
        while table[slot] != np.uint64(0) and table[slot] != value:
            slot = (slot + 1) & mask
        if table[slot] == value:
            repeated += place - start
        table[slot] = value
        start = place + 1
    row[6], row[7] = count - feeds, repeated
