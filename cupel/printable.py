"""Text as a terminal may show it: what others wrote can hold signs that terminals obey."""

import re

# Control characters other than tab and line feed, halves of characters, and signs that turn the direction of a line.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return a text with what a terminal would obey written as an escape; other characters stay.

    >>> printable("\x1b[31mred")
    '\\x1b[31mred'
    """
    return _OBEYED.sub(lambda found: ascii(found[0])[1:-1], text)
