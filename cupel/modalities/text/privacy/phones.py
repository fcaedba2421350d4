"""Phone numbers in a text: valid by the library phonenumbers, or possible ones that are written as nothing else is."""

import re
from functools import cache
from typing import Any

from cupel.modalities.text.privacy.cards import plain_digits
from cupel.modalities.text.privacy.tokens import Found

# The library takes about a second for so many characters of digits and what stands between them. A text that holds
# more is no prose: from there on whatever could be a phone number is masked without asking.
MOST_JUDGED_CHARACTERS = 20_000
LEAST_DIGITS = 7
_CONTEXT = 3
# What may stand between the digits of a phone number, as the library phonenumbers has it.
BETWEEN = (
    r"[ x()\[\].\-/~\xa0\xad\u200b\u2060\u2010-\u2015\u2053\u2212\u223c\u3000\u30fc"
    r"\uff08\uff09\uff0d-\uff0f\uff3b\uff3d\uff5e]"
)
_NO_DIGITS = re.compile(r"\D++")
_IP_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_PAIRS = re.compile(r"[0-9]{2}(?:\.[0-9]{2}){3}")
# As North America writes them: 3, 3 and 4 digits, with an extension or without.
_AMERICAN = re.compile(
    r"(?:(?:\+|00)?1[ .-]?)?(?:\([2-9]\d{2}\) ?|(?<!\d)[2-9]\d{2}[.-])\d{3}[.-]\d{4}(?: ?x\d{1,6})?(?![\d-])"
)
_AMERICANS = frozenset({"US", "CA"})
_PHONE_SPAN = re.compile(rf"\d(?:{BETWEEN}{{0,4}}\d)*+")


def phones(text: str, region: str) -> list[Found]:
    """Return the phone numbers of a text, in order; each as its digits behind the country's code.

    Numbering plans grow, and people mistype: behind a plus sign a number need only be possible, and for North America
    only be written in its groups.

    Args:
        text: Normalised text.
        region: Country whose numbers may be written without its code, two capital letters.

    >>> phones("call (415) 555-2671", "US"), phones("call +1 415.555.2671", "GB")
    ([Found(start=5, end=19, value='14155552671')], [Found(start=5, end=20, value='14155552671')])
    """
    found: list[Found] = []
    least = _least_digits(region)
    judged = 0
    for span in _PHONE_SPAN.finditer(text):
        # The matcher judges the neighbours too: a plus sign before, a letter after.
        start = max(0, span.start() - _CONTEXT)
        is_international = any(sign in text[start : span.start()] for sign in "+\uff0b")
        if len(_NO_DIGITS.sub("", span[0])) < (LEAST_DIGITS if is_international else least) or _is_ip_address(span[0]):
            continue
        judged += len(span[0])
        if judged > MOST_JUDGED_CHARACTERS:
            found.append(Found(*span.span(), plain_digits(span[0])))
        else:
            found += _judged(text[start : span.end() + _CONTEXT], start, region, is_international)
    return _apart(found)


def _judged(segment: str, offset: int, region: str, is_international: bool) -> list[Found]:
    """Return the numbers of a piece of text that holds digits and what stands between and around them."""
    import phonenumbers

    levels: list[tuple[int, str | None]] = [(phonenumbers.Leniency.VALID, region)]
    levels += [(phonenumbers.Leniency.POSSIBLE, None)] if is_international else []
    for leniency, country in levels:
        # Every digit may be tried as a number's first: none is left out, however long the text.
        matches = phonenumbers.PhoneNumberMatcher(segment, country, leniency=leniency, max_tries=len(segment))
        if found := [_found(match, segment, offset) for match in matches]:
            return found
    if region not in _AMERICANS:
        return []
    written = _AMERICAN.finditer(segment)
    return [Found(offset + one.start(), offset + one.end(), plain_digits(one[0])) for one in written]


def _is_ip_address(text: str) -> bool:
    return _IP_ADDRESS.fullmatch(text) is not None and _PAIRS.fullmatch(text) is None


def _found(match: Any, segment: str, offset: int) -> Found:
    number = match.number
    value = f"{number.country_code}{number.national_number}" + (f"x{number.extension}" if number.extension else "")
    start = match.start
    opened, closed = (sum(sign in signs for sign in match.raw_string) for signs in ("(\uff08", ")\uff09"))
    if segment[start] in "(\uff08" and opened > closed:
        start += 1  # a bracket around more than the number
    return Found(offset + start, offset + match.end, value)


@cache
def _least_digits(region: str) -> int:
    """Return how many digits a number of the region has at least, where its country's code is left out."""
    import phonenumbers

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    general = metadata.general_desc if metadata is not None else None
    lengths = general.possible_length if general is not None else ()
    return max(LEAST_DIGITS, min(lengths, default=LEAST_DIGITS))


def _apart(found: list[Found]) -> list[Found]:
    """Return ascending finds without those that reach into the one before."""
    apart: list[Found] = []
    for one in found:
        if not apart or one.start >= apart[-1].end:
            apart.append(one)
    return apart
