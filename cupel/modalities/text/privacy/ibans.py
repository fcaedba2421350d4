"""International bank account numbers in a text: country, length and check digits are right."""

import re

from cupel.modalities.text.privacy.separators import MOST_SEPARATORS, SEPARATORS
from cupel.modalities.text.privacy.tokens import Found

# How long the numbers of each country are. Source: the SWIFT registry of ISO 13616, release 99.
LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}  # fmt: skip
# A number of the least length has three letters at most beside its country's two.
_LEAST_DIGITS = 8
# Glued to no other word than its own name: any other long word of letters and digits would be tried.
_BETWEEN = f"{SEPARATORS}{{0,{MOST_SEPARATORS}}}"
_START = re.compile(
    rf"(?<![A-Za-z0-9])(?:IBAN|iban)?([A-Za-z]{{2}}){_BETWEEN}[0-9]{{2}}(?=(?:{_BETWEEN}[A-Za-z0-9]){{11}})"
)
_NEXT = re.compile(rf"{_BETWEEN}([A-Za-z0-9])")


def ibans(text: str) -> list[Found]:
    """Return the account numbers of a text, in order: in one piece, or with separators between.

    Args:
        text: Normalised text in plain form, see `separators.plain_form`.

    >>> ibans("to GB82 WEST 1234 5698 7654 32, please")
    [Found(start=3, end=30, value='GB82WEST12345698765432')]
    >>> ibans("to GB83 WEST 1234 5698 7654 32, please")
    []
    """
    found: list[Found] = []
    for start in _START.finditer(text):
        if found and start.start(1) < found[-1].end:
            continue
        length = LENGTHS.get(start[1].upper())
        one = None if length is None else _taken(text, start.start(1), length)
        if one is not None and is_iban(one.value):
            found.append(one)
    return found


def is_iban(value: str) -> bool:
    """Tell whether a number of capital letters and digits has its country's length and fulfils its check digits.

    >>> is_iban("DE89370400440532013000"), is_iban("DE88370400440532013000"), is_iban("DE8937040044053201300")
    (True, False, False)
    """
    if LENGTHS.get(value[:2]) != len(value) or sum(character.isdigit() for character in value) < _LEAST_DIGITS:
        return False
    return int("".join(str(int(character, 36)) for character in value[4:] + value[:4])) % 97 == 1


def _taken(text: str, start: int, length: int) -> Found | None:
    """Return the letters and digits from a place on that make a number of a length, if it ends there."""
    taken, end = [text[start]], start + 1
    while len(taken) < length:
        following = _NEXT.match(text, end)
        if following is None:
            return None
        taken.append(following[1])
        end = following.end()
    if text[end : end + 1].isdigit() or (text[end : end + 1].isalpha() and taken[-1].isalpha()):
        return None
    return Found(start, end, "".join(taken).upper())
