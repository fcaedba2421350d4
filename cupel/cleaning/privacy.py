"""Private data in a text, masked: e-mail addresses, payment cards, phone numbers."""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

EMAIL, PHONE, CARD = "<EMAIL>", "<PHONE>", "<CARD>"
# The library takes about a second for so many characters of digits and what stands between them. A text that holds
# more is no prose: from there on whatever could be a phone number is masked without asking.
MOST_JUDGED_CHARACTERS = 20_000
_MOST_LOCAL_CHARACTERS = 64
_LEAST_PHONE_DIGITS = 7
_CONTEXT = 3

# Letters and digits of an address, but not those of scripts that put no space before one: Thai to Khmer, Chinese,
# Japanese.
_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LETTER = rf"[^\W_{_NO_SPACES}]"
_TOP = rf"(?:xn--[a-z0-9\-]{{2,59}}|[^\W\d_{_NO_SPACES}]{{2,24}})"
_DOMAIN = re.compile(rf"@(?:{_LETTER}(?:{_LETTER}|-){{0,62}}\.){{1,8}}{_TOP}")
_LOCAL = re.compile(rf"(?:{_LETTER}|[_.%+\-'])")
# What may stand between the digits of a phone number, as the library phonenumbers has it.
_BETWEEN = (
    r"[ x()\[\].\-/~\xa0\xad\u200b\u2060\u2010-\u2015\u2053\u2212\u223c\u3000\u30fc"
    r"\uff08\uff09\uff0d-\uff0f\uff3b\uff3d\uff5e]"
)
# No card or phone number has fewer digits or wider gaps; a text without such a run is done.
_SEVEN_DIGITS = re.compile(rf"\d(?:{_BETWEEN}{{0,4}}\d){{6}}")
_NOT_ASCII_DIGITS = bytes(byte for byte in range(256) if byte not in b"0123456789")
_DIGIT_GROUPS = re.compile(r"\d++(?:[ -]\d++)*+")
_DIGITS = re.compile(r"\d++")
_NO_DIGITS = re.compile(r"\D++")
_PHONE_SPAN = re.compile(rf"\d(?:{_BETWEEN}{{0,4}}\d)*+")
# First digits and lengths of the card schemes. Source: ISO/IEC 7812; the schemes' published ranges.
_CARDS: tuple[tuple[int, int, tuple[int, ...]], ...] = (
    (4, 4, (13, 16, 19)),  # Visa
    (51, 55, (16,)),  # Mastercard
    (2221, 2720, (16,)),  # Mastercard
    (34, 34, (15,)),  # American Express
    (37, 37, (15,)),  # American Express
    (6011, 6011, (16, 17, 18, 19)),  # Discover
    (644, 659, (16, 17, 18, 19)),  # Discover
    (300, 305, (14, 15, 16, 17, 18, 19)),  # Diners Club
    (36, 36, (14, 15, 16, 17, 18, 19)),  # Diners Club
    (38, 39, (16, 17, 18, 19)),  # Diners Club
    (3528, 3589, (16, 17, 18, 19)),  # JCB
    (62, 62, (16, 17, 18, 19)),  # UnionPay
    (2200, 2204, (16, 17, 18, 19)),  # Mir
    (5018, 5018, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5020, 5020, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5038, 5038, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (6304, 6304, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (6759, 6763, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
)
_LEAST_CARD_DIGITS, _MOST_CARD_DIGITS, _MOST_CARD_GROUPS = 13, 19, 6


class Masked(NamedTuple):
    """A text with private data masked, and how much there was."""

    text: str
    emails: int
    phones: int
    cards: int


def mask(text: str, region: str = "US") -> Masked:
    """Return the text with e-mail addresses, payment cards and phone numbers masked; masking twice changes nothing.

    Phone numbers are those that the library phonenumbers calls valid; card numbers have 13 to 19 digits in
    at most six groups, begin like a known scheme's and end in their Luhn digit.

    Args:
        text: Normalised text.
        region: Country whose phone numbers may be written without its code, two capital letters.

    >>> mask("Write to a.b@example.org or call (415) 555-2671")
    Masked(text='Write to <EMAIL> or call <PHONE>', emails=1, phones=1, cards=0)
    """
    emails = phones = cards = 0
    searched = None
    while True:
        # What is left beside a mask can be a number of its own, so it is looked at again.
        if "@" in text:
            text, found = _mask_emails(text)
            emails += found
        if text == searched or not _may_hold_number(text):
            return Masked(text, emails, phones, cards)
        text, found = _mask_cards(text)
        cards += found
        text, found = _mask_phones(text, region)
        phones += found
        searched = text if found == 0 else None


def _may_hold_number(text: str) -> bool:
    # Counting the digits of plain ASCII is many times quicker than looking for a run of them.
    if text.isascii() and len(text.encode().translate(None, _NOT_ASCII_DIGITS)) < _LEAST_PHONE_DIGITS:
        return False
    return _SEVEN_DIGITS.search(text) is not None


def _replaced(text: str, spans: list[tuple[int, int]], placeholder: str) -> tuple[str, int]:
    """Return the text with spans, ascending and apart, replaced; and how many there were."""
    pieces, start = [], 0
    for first, end in spans:
        pieces += [text[start:first], placeholder]
        start = end
    return "".join([*pieces, text[start:]]), len(spans)


def _mask_emails(text: str) -> tuple[str, int]:
    spans, last = [], 0
    for domain in _DOMAIN.finditer(text):
        at = first = domain.start()
        # Walked backwards from the sign, no further than a local part can be long: linear on any text.
        while first > max(last, at - _MOST_LOCAL_CHARACTERS) and _LOCAL.match(text, first - 1):
            first -= 1
        if first < at:
            spans.append((first, domain.end()))
            last = domain.end()
    return _replaced(text, spans, EMAIL)


def _mask_cards(text: str) -> tuple[str, int]:
    spans = []
    for run in _DIGIT_GROUPS.finditer(text):
        if run.end() - run.start() < _LEAST_CARD_DIGITS:
            continue
        groups = [group.span() for group in _DIGITS.finditer(text, run.start(), run.end())]
        place = 0
        while place < len(groups):
            last = _last_group(text, groups, place)
            if last is None:
                place += 1
            else:
                spans.append((groups[place][0], groups[last][1]))
                place = last + 1
    return _replaced(text, spans, CARD)


def _last_group(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """Return the group with which the longest card number that begins at a group ends, or None."""
    digits, last = "", None
    for place in range(first, min(first + _MOST_CARD_GROUPS, len(groups))):
        start, end = groups[place]
        if len(digits) + end - start > _MOST_CARD_DIGITS:
            break
        digits += text[start:end]
        if len(digits) >= _LEAST_CARD_DIGITS and _is_card(digits):
            last = place
    return last


def _is_card(digits: str) -> bool:
    """Tell whether digits begin and are as many as a card scheme's, and fulfil Luhn's sum."""
    if len(digits) not in _card_lengths(digits[:4]):
        return False
    numbers = [int(digit) for digit in digits]
    doubled = (sum(divmod(2 * number, 10)) for number in numbers[-2::-2])
    return (sum(numbers[-1::-2]) + sum(doubled)) % 10 == 0


@lru_cache(maxsize=10_000)
def _card_lengths(start: str) -> frozenset[int]:
    """Return how long cards are whose number begins with these four digits."""
    return frozenset(
        length
        for first, last, lengths in _CARDS
        if first <= int(start[: len(str(first))]) <= last
        for length in lengths
    )


def _mask_phones(text: str, region: str) -> tuple[str, int]:
    spans: list[tuple[int, int]] = []
    least = _least_digits(region)
    judged = 0
    for span in _PHONE_SPAN.finditer(text):
        # The matcher judges the neighbours too: a plus sign before, a letter after.
        start = max(0, span.start() - _CONTEXT)
        is_international = any(sign in text[start : span.start()] for sign in "+\uff0b")
        if len(_NO_DIGITS.sub("", span[0])) < (_LEAST_PHONE_DIGITS if is_international else least):
            continue
        judged += len(span[0])
        if judged > MOST_JUDGED_CHARACTERS:
            spans.append(span.span())
        else:
            segment = text[start : span.end() + _CONTEXT]
            spans += [(start + match.start, start + match.end) for match in _matches(segment, region)]
    return _replaced(text, _apart(spans), PHONE)


@cache
def _least_digits(region: str) -> int:
    """Return how many digits a number of the region has at least, where its country's code is left out."""
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    general = metadata.general_desc if metadata is not None else None
    lengths = general.possible_length if general is not None else ()
    return max(_LEAST_PHONE_DIGITS, min(lengths, default=_LEAST_PHONE_DIGITS))


def _matches(segment: str, region: str) -> Iterator[Any]:
    import phonenumbers

    # Every digit may be tried as a number's first: none is left out, however long the text.
    matcher = phonenumbers.PhoneNumberMatcher(
        segment, region, leniency=phonenumbers.Leniency.VALID, max_tries=len(segment)
    )
    yield from matcher


def _apart(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return ascending spans without those that reach into the one before."""
    apart: list[tuple[int, int]] = []
    for span in spans:
        if not apart or span[0] >= apart[-1][1]:
            apart.append(span)
    return apart
