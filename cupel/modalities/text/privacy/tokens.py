"""What stands in a text in place of private data: the kind of it and, with a key, a token that is the value's own."""

import hashlib
import re
from typing import NamedTuple

EMAIL, IBAN, CARD, PHONE, ADDRESS, IP = KINDS = ("EMAIL", "IBAN", "CARD", "PHONE", "ADDRESS", "IP")
# Letters alone: no token is taken for a number, so that masking twice changes nothing.
LETTERS = 10
_ALPHABET = "abcdefghijklmnopqrstuvwxyz"
KEYED = rf"<({'|'.join(KINDS)})-[a-z]{{{LETTERS}}}>"
_KEYED = re.compile(KEYED)


class Found(NamedTuple):
    """A piece of private data: where it stands in the text, and its value as however it is written comes to one."""

    start: int
    end: int
    value: str


def token(kind: str, value: str, key: bytes | None) -> str:
    """Return what takes the place of a value: the same for the same value, kind and key.

    Args:
        kind: One of `KINDS`.
        value: The value, in a form that does not depend on how it was written.
        key: At most 64 secret bytes; without them nobody can tell from a token which of the few possible phone
            numbers it stands for. None: the kind alone.

    Source: keyed BLAKE2b, RFC 7693. Of a million values, one pair in 300 such sets gets one token (26^10 tokens).

    >>> token("EMAIL", "a@b.cd", None), token("EMAIL", "a@b.cd", bytes(32))
    ('<EMAIL>', '<EMAIL-nhjdtidels>')
    """
    if key is None:
        return f"<{kind}>"
    number = int.from_bytes(hashlib.blake2b(value.encode(), digest_size=16, key=key, person=kind.encode()).digest())
    letters = []
    for _ in range(LETTERS):
        number, place = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[place])
    return f"<{kind}-{''.join(letters)}>"


def without_keyed(text: str) -> str:
    """Return the text with the kind alone in each token: what two texts have in common whoever they speak of.

    >>> without_keyed("Write to <EMAIL-nhjdtidels>")
    'Write to <EMAIL>'
    """
    return _KEYED.sub(r"<\1>", text) if "<" in text else text


def replaced(text: str, kind: str, found: list[Found], key: bytes | None) -> str:
    """Return the text with what was found, ascending and apart, replaced."""
    pieces, start = [], 0
    for one in found:
        pieces += [text[start : one.start], token(kind, one.value, key)]
        start = one.end
    return "".join([*pieces, text[start:]])
