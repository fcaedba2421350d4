"""Classes of Unicode characters that several steps of cleaning need, as parts of regular expressions."""

import sys
import unicodedata
from collections.abc import Iterable
from functools import cache

# Beyond this there are no combining marks but variation selectors.
_LAST_MARK = 0x1F000
ZERO_WIDTH_NON_JOINER = "\u200c"
ZERO_WIDTH_JOINER = "\u200d"


@cache
def marks() -> str:
    r"""Return the combining marks as the inside of a character class; `\w` of Python leaves them out.

    Vowel signs of the scripts of India, Arabic and Hebrew vowels and the like are marks: a word
    in these scripts would fall apart without them.
    """
    return ranges(mark_codes())


@cache
def mark_codes() -> tuple[int, ...]:
    """Return the combining marks as character numbers."""
    return tuple(number for number in range(0x300, _LAST_MARK) if unicodedata.category(chr(number))[0] == "M")


@cache
def decimals() -> str:
    r"""Return the decimal digits of all scripts, what `\d` of Python is, as the inside of a character class."""
    return ranges(number for number in range(sys.maxunicode + 1) if chr(number).isdecimal())


def ranges(numbers: Iterable[int]) -> str:
    """Return ascending character numbers as the inside of a character class.

    >>> ranges([97, 98, 99, 120])
    'a-cx'
    """
    return "".join(chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in _runs(numbers))


def escaped_ranges(numbers: Iterable[int]) -> str:
    """Return ascending character numbers as the inside of a character class of Arrow's regular expressions.

    >>> escaped_ranges([97, 98, 99, 120])
    '\\\\x{61}-\\\\x{63}\\\\x{78}-\\\\x{78}'
    """
    return "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in _runs(numbers))


def _runs(numbers: Iterable[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found
