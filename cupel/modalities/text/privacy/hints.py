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
from cupel.modalities.text.privacy.emails import BRACKETED_AT, WIDE_DOTS
from cupel.modalities.text.privacy.ibans import LENGTHS, ibans
from cupel.modalities.text.privacy.phones import LEAST_DIGITS
from cupel.modalities.text.privacy.separators import MOST_BETWEEN, MOST_SEPARATORS, plain_form, wider_class

_FULL_WIDTH = 0xFF01 - 0x21
# A sign of an address before, and a dot or a bracket behind; or the sign in brackets or as a word, and a dot as one.
_AT = f"[{wider_class('@')}]"
_SPELLED = rf"(?i:{BRACKETED_AT})|(?i: at .* dot )"
_EMAIL = rf"[^\s@]{_AT}(?:[^\s@]+[{wider_class('.')}{WIDE_DOTS}][^\s@]|[{wider_class('[')}])|{_SPELLED}"


def may_be_private(texts: pa.Array, ips: bool = False) -> NDArray[np.bool_]:
    """Tell of every text whether private data may be in it; where it says no, `mask` changes nothing.

    Args:
        texts: Normalised texts, large strings, none null.
        ips: IP addresses are looked for too.

    >>> may_be_private(pa.array(["Write to a.b@example.org", "12 Elm Street", "2 of 3"], pa.large_string())).tolist()
    [True, True, False]
    """
    found = _holds(texts, _in_arrow(_EMAIL))
    # Most texts hold too few digits for anything else.
    numbered = np.flatnonzero(_holds(texts, _digit()))
    if len(numbered):
        digits = texts.take(pa.array(numbered))
        # One after the other: together they would be too much for the engine's tables of states.
        for pattern in _patterns(ips):
            found[numbered] |= _holds(digits, pattern)
        for place in numbered[~found[numbered] & _holds(digits, _account())].tolist():
            # Many words begin like an account number: "in 24 hours".
            found[place] = bool(ibans(plain_form(texts[place].as_py())))
    return found


def _holds(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    return np.array(pc.match_substring_regex(texts, pattern), np.bool_)


@cache
def _digit() -> str:
    return f"[{decimals()}]"


@cache
def _patterns(ips: bool) -> tuple[str, ...]:
    """Return what a card or phone number, or a street with its number cannot do without."""
    between = f"[{wider_class(' x()[].-/~_')}\xad\u200b\u2060]"
    digits = f"{_digit()}(?:{between}{{0,{MOST_BETWEEN}}}{_digit()}){{{LEAST_DIGITS - 1}}}"
    eight, second = f"[{wider_class('8')}]", f"(?:{'|'.join(f'[{wider_class(digit)}]{{2}}' for digit in '0345678')})"
    capital = r"[A-Z\x{ff21}-\x{ff3a}]"
    behind = rf"[{wider_class(')')}]?[{wider_class(' .-/')}](?:{_digit()}|{capital}|[\-\x{{2010}}-\x{{2015}}]){{0,9}}"
    freephone = f"{eight}{second}{behind}{capital}{{2}}"
    dot, colon = f"[{wider_class('.')}]", f"[{wider_class(':')}]"
    addresses = (rf"{_digit()}{dot}{_digit()}{{1,3}}{dot}{_digit()}|{colon}[^\s]{{0,4}}{colon}",) if ips else ()
    return tuple(_in_arrow(pattern) for pattern in (digits, freephone, *addresses, "|".join(wider_patterns())))


@cache
def _account() -> str:
    """Return how an account number begins."""
    countries = "|".join("".join(f"[{_any_width(letter)}]" for letter in country) for country in LENGTHS)
    sign, separator = (
        rf"(?:[A-Za-z\x{{ff21}}-\x{{ff5a}}]|{_digit()})",
        f"[{wider_class(' .-/_')}]{{0,{MOST_SEPARATORS}}}",
    )
    before = r"(?:\A|[^A-Za-z0-9]|(?i:iban)|[\x{ff21}-\x{ff5a}])"
    return _in_arrow(rf"{before}(?:{countries}){separator}{_digit()}{{2}}(?:{separator}{sign}){{11}}")


def _any_width(letter: str) -> str:
    """Return the inside of a class of a letter, capital and small, full-width and not."""
    return "".join(one + chr(ord(one) + _FULL_WIDTH) for one in (letter, letter.lower()))


def _in_arrow(pattern: str) -> str:
    """Return a pattern as Arrow's engine writes code points, which is otherwise than Python does."""
    return re.sub(r"\\u([0-9a-f]{4})", r"\\x{\1}", pattern)
