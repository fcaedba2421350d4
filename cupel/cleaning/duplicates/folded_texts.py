"""Texts with case and white space folded, and the hash that tells which are the same: the first step."""

import hashlib
import unicodedata
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.scan.decoding import Bytes, Codes, decode, encode

# No code point from here on has a lower case of its own.
_CASED = 0x20000
_SPACE, _TWO, _NOTHING, _GAP = -1, -2, -3, ord(" ")
# Letters of these scripts lose their accents where that is asked for, and these marks fall away; a mark of another
# script often makes another letter (the dakuten of Japanese, the short i of Russian).
_ACCENTED, _ACCENTS = ("LATIN ", "GREEK "), range(0x300, 0x370)
# The one letter whose lower case is two characters, and the one whose lower case depends on its neighbours.
_DOTTED_I, _SIGMA = 0x130, "\u03a3"


def fold_text(text: str) -> str:
    r"""Return the text lower-cased, with runs of white space as one space: what duplicates are judged by.

    >>> fold_text("The  Same\nText")
    'the same text'
    """
    return " ".join(text.lower().split())


class TextBytes(NamedTuple):
    """Texts as bytes: that of row i is `data[offsets[i] : offsets[i + 1]]`; `is_there` tells which are not null."""

    data: Bytes
    offsets: NDArray[np.int64]
    is_there: NDArray[np.bool_]


def view_text_bytes(texts: pa.Array | pa.ChunkedArray) -> TextBytes:
    """Return the buffers of a column of strings or bytes, valid UTF-8 or not, without a copy where that is possible."""
    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    array = array.cast(pa.large_binary())
    found = _buffers(array)
    # How a capital sigma is lowered depends on the letters around it: Python knows, the loop need not.
    if _holds_sigma(found.data[found.offsets[0] : found.offsets[-1]]):
        is_greek = pc.fill_null(pc.match_substring(array, _SIGMA), False)
        lowered = [fold_text(text.decode(errors="replace")).encode() for text in array.filter(is_greek).to_pylist()]
        return _buffers(pc.replace_with_mask(array, is_greek, pa.array(lowered, pa.large_binary())))
    return found


def _buffers(array: pa.LargeBinaryArray) -> TextBytes:
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
    content = array.buffers()[2]
    data = np.frombuffer(content, np.uint8) if content is not None and content.size else np.zeros(1, np.uint8)
    is_there = np.asarray(array.is_valid().to_numpy(zero_copy_only=False), np.bool_)
    return TextBytes(data, offsets if len(array) else np.zeros(1, np.int64), is_there)


@nb.njit(nogil=True, cache=True)
def _holds_sigma(data: Bytes) -> bool:
    found = False
    for place in range(len(data) - 1):
        found |= (data[place] == 0xCE) & (data[place + 1] == 0xA3)
    return found


@cache
def list_lower_cases(fold_accents: bool = False) -> Codes:
    """Return the lower case of each code point that may have one, and what is no character of its own as negative.

    Args:
        fold_accents: Letters with accents become those without.
    """
    lower = np.arange(_CASED, dtype=np.int32)
    for code in range(_CASED):
        character = chr(code)
        if character.isspace():
            lower[code] = _SPACE
        elif code == _DOTTED_I:
            lower[code] = _TWO
        elif not 0xD800 <= code <= 0xDFFF:
            lower[code] = ord(character.lower())
            if fold_accents:
                lower[code] = _NOTHING if code in _ACCENTS else _without_accents(chr(lower[code]))
    if fold_accents:
        lower[_DOTTED_I] = ord("i")
    return lower


def _without_accents(letter: str) -> int:
    """Return the code point of a letter without its accents, as Unicode decomposes it."""
    base = unicodedata.normalize("NFD", letter)[0]
    return ord(base) if unicodedata.name(base, "").startswith(_ACCENTED) else ord(letter)


@nb.njit(nogil=True, cache=True)
def fold_codes(codes: Codes, count: int, lower: Codes, written: Codes) -> int:
    """Write the lower case of code points to `written`, runs of white space as one space and none at the ends.

    Args:
        codes: Code points.
        count: How many of them.
        lower: `lower_cases()`.
        written: Room for the result: as many places as the text has bytes in UTF-8, and no less than `count`.

    Returns:
        How many there are.
    """
    size, is_gap = 0, False
    for place in range(count):
        code = codes[place]
        if code < _CASED:
            code = lower[code]
        if code == _SPACE:
            is_gap = size > 0
            continue
        if code == _NOTHING:
            continue
        if is_gap:
            written[size] = _GAP
            size += 1
            is_gap = False
        if code == _TWO:
            written[size] = ord("i")
            written[size + 1] = 0x307
            size += 2
            continue
        written[size] = code
        size += 1
    return size


def hash_texts(texts: pa.Array) -> pa.Array:
    """Return the SHA-256 of each folded text: equal for texts that differ in case and white space only.

    Args:
        texts: Strings, none null.
    """
    there = view_text_bytes(texts)
    lengths = np.diff(there.offsets)
    # No letter's lower case has more than one and a half times its bytes.
    written = np.empty(int(lengths.sum()) * 3 // 2 + 4, np.uint8)
    longest = int(lengths.max(initial=0)) + 1
    ends = np.zeros(len(lengths) + 1, np.int64)
    _fold_texts(
        there.data,
        there.offsets,
        list_lower_cases(),
        np.empty(longest, np.int32),
        np.empty(longest, np.int32),
        written,
        ends,
    )
    content, places = written.data, ends.tolist()
    digests = [hashlib.sha256(content[start:end]).hexdigest() for start, end in pairwise(places)]
    return pa.array(digests, pa.string())


@nb.njit(nogil=True, cache=True)
def _fold_texts(
    data: Bytes, offsets: NDArray[np.int64], lower: Codes, codes: Codes, folded_codes: Codes, written: Bytes,
    ends: NDArray[np.int64],
) -> None:  # fmt: skip
    """Write the folded texts in UTF-8, one after the other, and where each ends."""
    for text in range(len(ends) - 1):
        count = fold_codes(codes, decode(data, offsets[text], offsets[text + 1], codes), lower, folded_codes)
        ends[text + 1] = encode(folded_codes, count, written, ends[text])
