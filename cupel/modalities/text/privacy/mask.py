"""Private data in a text, masked: e-mail addresses, bank accounts, payment cards, phone numbers, postal addresses."""

import re
from collections.abc import Callable
from typing import NamedTuple

from cupel.modalities.text.privacy.addresses import addresses
from cupel.modalities.text.privacy.cards import cards
from cupel.modalities.text.privacy.emails import emails
from cupel.modalities.text.privacy.ibans import ibans
from cupel.modalities.text.privacy.phones import BETWEEN, LEAST_DIGITS, phones
from cupel.modalities.text.privacy.tokens import ADDRESS, CARD, EMAIL, IBAN, PHONE, Found, replaced

# No card or phone number has fewer digits or wider gaps; a text without such a run is done.
_SEVEN_DIGITS = re.compile(rf"\d(?:{BETWEEN}{{0,4}}\d){{{LEAST_DIGITS - 1}}}")
_NOT_ASCII_DIGITS = bytes(byte for byte in range(256) if byte not in b"0123456789")


class Masked(NamedTuple):
    """A text with private data masked, and how much there was."""

    text: str
    emails: int
    ibans: int
    cards: int
    phones: int
    addresses: int


def mask(text: str, region: str = "US", key: bytes | None = None) -> Masked:
    """Return the text with private data masked; masking twice changes nothing.

    Args:
        text: Normalised text.
        region: Country whose phone numbers may be written without its code, two capital letters.
        key: What makes a token of a value, see `tokens.token`; None: the kind of data stands alone.

    >>> mask("Write to a.b@example.org or call (415) 555-2671")
    Masked(text='Write to <EMAIL> or call <PHONE>', emails=1, ibans=0, cards=0, phones=1, addresses=0)
    """
    counts = dict.fromkeys((EMAIL, IBAN, CARD, PHONE, ADDRESS), 0)

    def masked(kind: str, find: Callable[[str], list[Found]], text: str) -> str:
        found = find(text)
        counts[kind] += len(found)
        return replaced(text, kind, found, key) if found else text

    searched = None
    while text != searched:
        # What is left beside a mask can be a number of its own, so it is looked at again.
        searched = text
        if "@" in text:
            text = masked(EMAIL, emails, text)
        digits = len(text.encode(errors="replace").translate(None, _NOT_ASCII_DIGITS))
        if digits >= LEAST_DIGITS or not text.isascii():
            # Counting the digits of plain ASCII is many times quicker than looking for a run of them.
            if digits >= LEAST_DIGITS:
                text = masked(IBAN, ibans, text)
            if _SEVEN_DIGITS.search(text) is not None:
                text = masked(CARD, cards, text)
                text = masked(PHONE, lambda text: phones(text, region), text)
        if digits:
            text = masked(ADDRESS, addresses, text)
    return Masked(text, *(counts[kind] for kind in (EMAIL, IBAN, CARD, PHONE, ADDRESS)))
