"""What a character is: a table of flags, one byte a code point, that the compiled loops look up."""

import sys
import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

LETTER, SPACE, SYMBOL, DIGIT, BREAK, ALONE, MARK, UPPER = (1 << bit for bit in range(8))

# Scripts that put no spaces between words. Of those with many letters a word each letter stands alone; of the
# others (Thai, Lao, Khmer, Burmese) a letter with its marks does, the nearest to a syllable that needs no dictionary.
_ALONE = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3040, 0x30FF),
    (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAA60, 0xAA7F), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip
# What ends a syllable in Tibetan, which puts no spaces between words either; the syllable is a word here.
TSHEG = 0x0F0B
# What ends a line for `str.splitlines`.
_BREAKS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
# What ends a sentence, in any script (Unicode's Sentence_Terminal, the common ones).
SENTENCE_ENDS = (
    ".!?\u2026\u203c\u203d\u2047\u2048\u2049\u3002\uff0e\uff01\uff1f\uff61\u06d4\u061f\u0964\u0965\u1362\u1367"
)
SENTENCE_ENDS += (
    "\u104a\u104b\u17d4\u17d5\u0589\u0700\u0701\u0702\u1803\u1809\u1944\u1945\u0f0d\u0f0e\ufe52\ufe56\ufe57"
)


@cache
def classes() -> NDArray[np.uint8]:
    """Return the flags of every code point, shape 1,114,112.

    >>> bool(classes()[ord("é")] & LETTER), bool(classes()[ord("。")] & SYMBOL), bool(classes()[0x4E2D] & ALONE)
    (True, True, True)
    """
    flags = np.zeros(sys.maxunicode + 1, np.uint8)
    for code in range(sys.maxunicode + 1):
        category = unicodedata.category(chr(code))
        if category == "Cn" or category == "Co":
            continue
        kind = category[0]
        flags[code] = (
            LETTER * (kind == "L") | SYMBOL * (kind in "PSC") | DIGIT * (kind == "N") | MARK * (kind == "M")
            | UPPER * (category in ("Lu", "Lt"))
        )  # fmt: skip
    for code in range(sys.maxunicode + 1):
        if chr(code).isspace():
            flags[code] = SPACE
    for first, last in _ALONE:
        part = flags[first : last + 1]
        part[(part & (LETTER | DIGIT)) > 0] |= ALONE
    for character in _BREAKS:
        flags[ord(character)] |= BREAK | SPACE
    return flags


@cache
def sentence_ends() -> NDArray[np.uint8]:
    """Return 1 for each code point below 65,536 that ends a sentence."""
    ends = np.zeros(1 << 16, np.uint8)
    ends[[ord(character) for character in SENTENCE_ENDS]] = 1
    return ends
