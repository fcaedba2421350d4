"""Which texts of a column may hold private data: a few patterns, each matched in one pass over the bytes.

Every text in which `mask` finds anything is named, and few others. The patterns are wider than what is looked for,
never narrower: they do without looking back and ahead, and what they let through is looked at in earnest.
"""

import re
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.modalities.text.characters import decimals
from cupel.modalities.text.privacy.addresses import wider_patterns
from cupel.modalities.text.privacy.ibans import LENGTHS
from cupel.modalities.text.privacy.phones import BETWEEN, LEAST_DIGITS

# A sign of an address before, and a dot behind.
_EMAIL = r"[^\s@]@[^\s@]+\.[^\s@]"


def may_be_private(texts: pa.Array) -> NDArray[np.bool_]:
    """Tell of every text whether private data may be in it; where it says no, `mask` changes nothing.

    Args:
        texts: Normalised texts, large strings, none null.

    >>> may_be_private(pa.array(["Write to a.b@example.org", "12 Elm Street", "2 of 3"], pa.large_string())).tolist()
    [True, True, False]
    """
    found = _holds(texts, _EMAIL)
    # Most texts hold too few digits for anything else.
    numbered = np.flatnonzero(_holds(texts, _digit()))
    if len(numbered):
        found[numbered] |= _holds(texts.take(pa.array(numbered)), _pattern())
    return found


def _holds(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    return np.array(pc.match_substring_regex(texts, pattern), np.bool_)


@cache
def _digit() -> str:
    return f"[{decimals()}]"


@cache
def _pattern() -> str:
    """Return what a card or phone number, a bank account or a street with its number cannot do without."""
    digits = f"{_digit()}(?:{BETWEEN}{{0,4}}{_digit()}){{{LEAST_DIGITS - 1}}}"
    countries = "|".join("".join(f"[{letter}{letter.lower()}]" for letter in country) for country in LENGTHS)
    accounts = rf"(?:\A|[^A-Za-z0-9])(?:{countries})[ -]?[0-9]{{2}}(?:[ -]?[A-Za-z0-9]){{11}}"
    # Arrow's engine writes code points otherwise than Python does.
    return re.sub(r"\\u([0-9a-f]{4})", r"\\x{\1}", "|".join((digits, accounts, *wider_patterns())))
