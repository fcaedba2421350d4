"""Phone numbers in a text: valid by the library phonenumbers, or possible ones that are written as nothing else is."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from cupel.modalities.text.privacy.cards import plain_digits
from cupel.modalities.text.privacy.number_rows import blank_rows, is_named_number
from cupel.modalities.text.privacy.separators import BETWEEN, MOST_BETWEEN
from cupel.modalities.text.privacy.tokens import Found

# The library takes about a second for so many characters of digits and what stands between them. A text that holds
# more is no prose: from there on whatever could be a phone number is masked without asking.
MOST_JUDGED_CHARACTERS = 20_000
LEAST_DIGITS = 7
_CONTEXT = 3
# The library's levels; it is imported where it is used, since it takes a tenth of a second.
_POSSIBLE, _VALID = 0, 1
_NO_DIGITS, _DIGITS = re.compile(r"\D++"), re.compile(r"\d++")
_IP_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_PAIRS = re.compile(r"[0-9]{2}(?:\.[0-9]{2}){3}")
# As North America writes them: 3, 3 and 4 digits, with an extension or without.
_AMERICAN = re.compile(
    r"(?:(?:\+|00)?1[ ./-]?)?(?:\([2-9]\d{2}\) ?|(?<!\d)[2-9]\d{2}[./-])\d{3}[./-]\d{4}(?: ?x\d{1,6})?(?![\d-])"
)
_AMERICANS = frozenset({"US", "CA"})
_PHONE_SPAN = re.compile(rf"\d(?:{BETWEEN}{{0,{MOST_BETWEEN}}}\d)*+")
# What countries dial before another country's code, in a text from wherever; the longer first.
_INTERNATIONAL_PREFIX = re.compile(r"(?:0011|011|00)(?= ?\(?[1-9])")
# Freephone numbers of North America, whose last seven places may be letters.
FREEPHONE = re.compile(r"8(?:00|33|44|55|66|77|88)\)?[ ./-][A-Z0-9]")
_VANITY = re.compile(
    r"(?<![\w+-])(?:\+?1[ ./-]?)?\(?8(?:00|33|44|55|66|77|88)\)?[ ./-]([A-Z0-9]{1,10}(?:-[A-Z0-9]{1,10}){0,2})(?!\w)"
)
_LEAST_VANITY, _LEAST_LETTERS, _MOST_VANITY = 7, 3, 12
# The letters on a telephone's keys. Source: ITU-T E.161.
_KEYS = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
# An extension that the library did not take for one.
_EXTENSION = re.compile(
    r"(?i)(?:(?: ?#|,? ?(?:;ext=|ext(?:ension|\.)?|extn\.?|x|poste|durchwahl|dw\.?|app\.?|anexo|ramal|int\.?|wew\.?"
    r"|\u0434\u043e\u0431\.?))[ :.]{0,2}(\d{1,6})|-(\d{1,4}))(?![\w-])"
)
_LAST_GROUP = re.compile(r"(?<=\d{4})-\d{1,4}\Z")
# A number glued to another word is a part of it; to one of these it is a number.
_PHONE_WORD = re.compile(
    r"(?i)(?<![^\W\d_])(?:tel|telefon|telephone|telefono|phone|ph|mobile|mobil|mob|cell|fax|call|handy|whatsapp|sms)"
    r"[.:]?[ (]?\Z"
)
_LONGEST_WORD = 12


def phones(text: str, regions: str | Sequence[str]) -> list[Found]:
    """Return the phone numbers of a text, in order; each as its digits behind the country's code.

    Numbering plans grow, and people mistype: behind a plus sign a number need only be possible, and for North America
    only be written in its groups.

    Args:
        text: Normalised text in plain form, see `separators.plain_form`.
        regions: Country or countries whose numbers may be written without its code, two capital letters each; of
            two that know a number the first counts.

    >>> phones("call (415) 555-2671", "US"), phones("call +1 415.555.2671", "GB")
    ([Found(start=5, end=19, value='14155552671')], [Found(start=5, end=20, value='14155552671')])
    """
    found = list(_freephone_names(text)) if FREEPHONE.search(text) else []
    countries = (regions,) if isinstance(regions, str) else tuple(regions)
    least = min(map(_least_digits, countries), default=LEAST_DIGITS)
    judged = 0
    for span in _PHONE_SPAN.finditer(text):
        first, end = span.span()
        is_international = "+" in text[max(0, first - _CONTEXT) : first]
        if not is_international and len(_NO_DIGITS.sub("", span[0])) < least:
            continue
        run = span[0].replace("_", "-") if is_international else blank_rows(span[0].replace("_", "-"))
        if len(_NO_DIGITS.sub("", run)) < (LEAST_DIGITS if is_international else least) or _is_ip_address(run):
            continue
        judged += len(run)
        if judged > MOST_JUDGED_CHARACTERS:
            found.append(Found(first, end, plain_digits(span[0])))
        else:
            numbers = _search_run(text, first, run, countries, is_international)
            found += [_extended(text, one) for one in numbers if not _names_a_thing(text, one)]
    return _apart(sorted(found))


def _search_run(text: str, first: int, run: str, regions: Sequence[str], is_international: bool) -> list[Found]:
    """Return the numbers in a run of digits and what stands between them, from a place of the text on.

    The matcher judges the neighbours too: a plus sign before, a letter after.
    """
    start, end = max(0, first - _CONTEXT), first + len(run)
    before, behind = text[start:first], text[end : end + _CONTEXT]
    if before[-1:].isalpha() or behind[:1].isalpha():
        is_called = _PHONE_WORD.search(text, max(0, first - _LONGEST_WORD), first) is not None
        before = " " * len(before) if is_called else before
        behind = " " * len(behind) if is_called or _NO_DIGITS.search(run) else behind
    # The library takes a slash for the end of a number, and a last group too many for none.
    others = (run, run.replace("/", "-"), _LAST_GROUP.sub("", run))
    for place, written in enumerate(dict.fromkeys(others)):
        segment = before + written + (behind if len(written) == len(run) else "")
        if found := _judged(segment, start, regions, is_international and place == 0):
            return found
    if prefix := _INTERNATIONAL_PREFIX.match(run):
        # The sign takes the place of the prefix's last digit.
        signed = before + "+".rjust(prefix.end()) + run[prefix.end() :] + behind
        found = _matches(signed, None, _VALID, start)
        return [one._replace(start=first) if one.start < first + prefix.end() else one for one in found]
    return []


def _judged(segment: str, offset: int, regions: Sequence[str], is_international: bool) -> list[Found]:
    """Return the numbers of a piece of text that holds digits and what stands between and around them."""
    found = list[Found]()
    for region in regions:
        # What a country before knows is its own.
        found += [one for one in _matches(segment, region, _VALID, offset) if _stands_apart(one, found)]
    if found:
        return sorted(found)
    if is_international:
        return _matches(segment, None, _POSSIBLE, offset)
    if not _AMERICANS.isdisjoint(regions):
        written = _AMERICAN.finditer(segment)
        found = [Found(offset + one.start(), offset + one.end(), plain_digits(one[0])) for one in written]
    return found


def _matches(segment: str, region: str | None, leniency: int, offset: int) -> list[Found]:
    import phonenumbers

    # Every digit may be tried as a number's first: none is left out, however long the text.
    matches = phonenumbers.PhoneNumberMatcher(segment, region, leniency=leniency, max_tries=len(segment))
    return [_found(match, segment, offset) for match in matches]


def _extended(text: str, one: Found) -> Found:
    """Return a number with the extension that stands behind it."""
    rest = _DIGITS.match(text, one.end)
    if rest is not None:  # the library saw the first digits of the extension alone
        return Found(one.start, rest.end(), one.value + rest[0])
    extension = _EXTENSION.match(text, one.end)
    if extension is None:
        return one
    return Found(one.start, extension.end(), f"{one.value}x{extension[1] or extension[2]}")


def _names_a_thing(text: str, one: Found) -> bool:
    return text[one.start : one.end].isdigit() and is_named_number(text, one.start)


def _freephone_names(text: str) -> Iterator[Found]:
    """Yield freephone numbers whose last places are letters: 1-800-FLOWERS."""
    for number in _VANITY.finditer(text):
        places = number[1].replace("-", "")
        letters = sum(place.isalpha() for place in places)
        if letters >= _LEAST_LETTERS and _LEAST_VANITY <= len(places) <= _MOST_VANITY:
            national = _NO_DIGITS.sub("", number[0].translate(_KEYS)).removeprefix("1")
            yield Found(*number.span(), f"1{national[:10]}")


def _is_ip_address(text: str) -> bool:
    return _IP_ADDRESS.fullmatch(text) is not None and _PAIRS.fullmatch(text) is None


def _found(match: Any, segment: str, offset: int) -> Found:
    number = match.number
    value = f"{number.country_code}{number.national_number}" + (f"x{number.extension}" if number.extension else "")
    start = match.start
    opened, closed = match.raw_string.count("("), match.raw_string.count(")")
    if segment[start] == "(" and opened > closed:
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


def _stands_apart(one: Found, found: Sequence[Found]) -> bool:
    return not any(one.start < other.end and other.start < one.end for other in found)


def _apart(found: list[Found]) -> list[Found]:
    """Return ascending finds without those that reach into the one before."""
    apart: list[Found] = []
    for one in found:
        if not apart or one.start >= apart[-1].end:
            apart.append(one)
    return apart
