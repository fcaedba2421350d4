"""What may stand between the parts of private data, and the plain form of a text: one definition for all finders."""

import re
from functools import cache

from cupel.modalities.text.characters import decimals, ranges

# Signs that are read as the plain one, wherever they stand. Full-width ASCII (U+FF01 to U+FF5E) is added below.
_VARIANTS = {
    " ": "\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63",
    ".": "\ufe52\u2024",
    "/": "\u2044\u2215\u29f8",
    "~": "\u2053\u223c\u301c",
    "@": "\ufe6b",
}
# Signs that divide digits, and elsewhere are a letter or begin an entry of a list.
_BETWEEN_DIGITS = {"-": "\u30fc", ".": "\xb7\u2022\u2219\u22c5\u30fb"}
_HIDDEN = "\xad\u200b\u2060"
_FULL_WIDTH = range(0xFF01, 0xFF5F)
_TO_ASCII = 0xFF01 - 0x21

# Between the groups of a card or account number: a space, or a sign with or without spaces around it.
SEPARATORS = r"[ .\-/_]"
MOST_SEPARATORS = 3
# Between the digits of a phone number, up to four of these: what the library phonenumbers allows, and an underscore.
BETWEEN = rf"[ x()\[\].\-/~_{_HIDDEN}]"
MOST_BETWEEN = 4


def plain_form(text: str) -> str:
    r"""Return the text with digits of any script, full-width letters and separators as ASCII, sign by sign.

    A place in the result is the same place in the text. Texts without such signs come back as they are.

    >>> plain_form("card \uff14\uff10\uff10\uff10\u20131234\u2007\u0665")
    'card 4000-1234 5'
    """
    if text.isascii():
        return text
    table = _table()
    plain = _unusual().sub(lambda sign: table[ord(sign[0])], text)
    return _divided_digits().sub(lambda sign: _divider()[sign[0]], plain)


def wider_class(signs: str) -> str:
    """Return the inside of a character class: the plain signs, and every sign that the plain form reads as one.

    Args:
        signs: ASCII signs.
    """
    plain = ranges(sorted(code for code, sign in _table().items() if sign in signs))
    divided = "".join(_BETWEEN_DIGITS.get(sign, "") for sign in signs)
    return "".join(f"\\{sign}" if sign in "-[]\\^" else sign for sign in signs) + plain + divided


@cache
def _table() -> dict[int, str]:
    """Return what each sign is read as, by its code point."""
    table = {code: chr(code - _TO_ASCII) for code in _FULL_WIDTH}
    table |= {ord(other): sign for sign, others in _VARIANTS.items() for other in others}
    digits = (code for code in range(0x80, 0x1FFFF) if chr(code).isdecimal())
    return table | {code: str(int(chr(code))) for code in digits}


@cache
def _divider() -> dict[str, str]:
    return {other: sign for sign, others in _BETWEEN_DIGITS.items() for other in others}


@cache
def _unusual() -> re.Pattern[str]:
    others = "".join(_VARIANTS.values())
    # Of the digits those of ASCII stand first.
    return re.compile(f"[\uff01-\uff5e{others}{decimals().removeprefix('0-9')}]")


@cache
def _divided_digits() -> re.Pattern[str]:
    signs = f"[{''.join(_BETWEEN_DIGITS.values())}]"
    return re.compile(rf"(?<=[0-9]){signs}(?=[0-9A-Za-z])|(?<=[A-Za-z]){signs}(?=[0-9])")
