"""What of a text language is told by: letters, folded to lower case, with one space between words."""

import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

# Above this all signs are rare ideographs, which stand for themselves, and emoji, which say nothing.
KNOWN = 0x20000
SPACE = 32
# In names of buttons they stand before the letter to press: "Sa_ve", "Sa&ve".
_BEFORE_A_KEY = "_&"
_APOSTROPHES = "'\u2018\u2019\u02bc\u02bb\ua78c"


@cache
def folded() -> NDArray[np.int32]:
    """Return what each code point below `KNOWN` is read as: a letter or mark, a space, or 0 where it is passed over.

    Digits, punctuation and symbols are spaces; marks of direction, joiners and other format signs are passed over;
    apostrophes, which many spellings hold, are all one sign, and so are both of Greek's small sigmas, of which capitals
    do not tell which is meant. The signs that mark a letter of a button for the keyboard
    are passed over.
    """
    table = np.full(KNOWN, SPACE, np.int32)
    for code in range(KNOWN):
        kind = unicodedata.category(chr(code))
        if kind[0] in "LM":
            lower = chr(code).lower()
            table[code] = ord(lower[0])
        elif kind == "Cf":
            table[code] = 0
    table[[ord(sign) for sign in _BEFORE_A_KEY]] = 0
    table[[ord(sign) for sign in _APOSTROPHES]] = ord("'")
    table[0x3C2] = 0x3C3
    return table
