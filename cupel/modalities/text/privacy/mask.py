"""Private data in a text, masked: e-mail and postal addresses, bank accounts, payment cards, phone numbers."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from cupel.modalities.text.privacy.addresses import addresses
from cupel.modalities.text.privacy.cards import cards
from cupel.modalities.text.privacy.emails import emails, may_be_spelled
from cupel.modalities.text.privacy.ibans import ibans
from cupel.modalities.text.privacy.ip_addresses import ip_addresses
from cupel.modalities.text.privacy.phones import FREEPHONE, LEAST_DIGITS, phones
from cupel.modalities.text.privacy.separators import BETWEEN, MOST_BETWEEN, plain_form
from cupel.modalities.text.privacy.tokens import ADDRESS, CARD, EMAIL, IBAN, IP, PHONE, Found, replaced

# No card or phone number has fewer digits or wider gaps; a text without such a run is done. A freephone number whose
# last places are letters has three.
_SEVEN_DIGITS = re.compile(rf"\d(?:{BETWEEN}{{0,{MOST_BETWEEN}}}\d){{{LEAST_DIGITS - 1}}}")
_LEAST_FREEPHONE_DIGITS = 3
_NOT_ASCII_DIGITS = bytes(byte for byte in range(256) if byte not in b"0123456789")

Finder: TypeAlias = Callable[[str], list[Found]]


class Masked(NamedTuple):
    """A text with private data masked, and how much there was."""

    text: str
    emails: int
    ibans: int
    cards: int
    phones: int
    addresses: int
    ips: int


def mask(text: str, region: str | Sequence[str] = "US", key: bytes | None = None, ips: bool = False) -> Masked:
    """Return the text with private data masked; masking twice changes nothing.

    Args:
        text: Normalised text.
        region: Country or countries whose phone numbers may be written without their code, two capital letters each.
        key: What makes a token of a value, see `tokens.token`; None: the kind of data stands alone.
        ips: Mask IP addresses too.

    >>> mask("Write to a.b@example.org or call (415) 555-2671").text
    'Write to <EMAIL> or call <PHONE>'
    """
    counts = dict.fromkeys((EMAIL, IBAN, CARD, PHONE, ADDRESS, IP), 0)
    searched = None
    while text != searched:
        # What is left beside a mask can be a number of its own, so it is looked at again.
        searched = text
        for kind, find in _choose_finders(text, region, ips):
            # Streets are known by their own signs.
            found = find(text if kind == ADDRESS or text.isascii() else plain_form(text))
            if found:
                counts[kind] += len(found)
                text = replaced(text, kind, found, key)
    return Masked(text, *counts.values())


def _choose_finders(text: str, region: str | Sequence[str], ips: bool) -> list[tuple[str, Finder]]:
    """Return what is to be looked for in a text: few texts hold what most finders cannot do without."""
    plain = text if text.isascii() else plain_form(text)
    chosen: list[tuple[str, Finder]] = []
    if "@" in plain or may_be_spelled(plain):
        chosen.append((EMAIL, emails))
    # Counting the digits is many times quicker than looking for a run of them.
    digits = len(plain.encode(errors="replace").translate(None, _NOT_ASCII_DIGITS))
    if not digits:
        return chosen
    if ips:
        chosen.append((IP, ip_addresses))
    if digits >= LEAST_DIGITS:
        chosen.append((IBAN, ibans))
    if digits >= LEAST_DIGITS and _SEVEN_DIGITS.search(plain) is not None:
        chosen += [(CARD, cards), (PHONE, lambda text: phones(text, region))]
    elif digits >= _LEAST_FREEPHONE_DIGITS and FREEPHONE.search(plain) is not None:
        chosen.append((PHONE, lambda text: phones(text, region)))
    chosen.append((ADDRESS, addresses))
    return chosen
