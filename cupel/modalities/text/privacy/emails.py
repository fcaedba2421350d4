"""E-mail addresses in a text, in any script."""

import re

from cupel.modalities.text.privacy.tokens import Found

_MOST_LOCAL_CHARACTERS = 64
# Letters and digits of an address, but not those of scripts that put no space before one: Thai to Khmer, Chinese,
# Japanese.
_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LETTER = rf"[^\W_{_NO_SPACES}]"
_TOP = rf"(?:xn--[a-z0-9\-]{{2,59}}|[^\W\d_{_NO_SPACES}]{{2,24}})"
_DOMAIN = re.compile(rf"@(?:{_LETTER}(?:{_LETTER}|-){{0,62}}\.){{1,8}}{_TOP}")
_LOCAL = re.compile(rf"(?:{_LETTER}|[_.%+\-'])")


def emails(text: str) -> list[Found]:
    """Return the e-mail addresses of a text, in order.

    >>> emails("Write to a.b@Example.org")
    [Found(start=9, end=24, value='a.b@example.org')]
    """
    found: list[Found] = []
    last = 0
    for domain in _DOMAIN.finditer(text):
        at = first = domain.start()
        # Walked backwards from the sign, no further than a local part can be long: linear on any text.
        while first > max(last, at - _MOST_LOCAL_CHARACTERS) and _LOCAL.match(text, first - 1):
            first -= 1
        if first < at:
            last = domain.end()
            found.append(Found(first, last, text[first:last].lower()))
    return found
