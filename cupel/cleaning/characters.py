"""Classes of Unicode characters that several steps of cleaning need, as parts of regular expressions."""

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


def ranges(numbers: Iterable[int]) -> str:
    """Return ascending character numbers as the inside of a character class.

    >>> ranges([97, 98, 99, 120])
    'a-cx'
    """
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return "".join(chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in found)
