"""Payment card numbers in a text: a known scheme's first digits and length, and a right Luhn digit."""

import re
from functools import lru_cache
from itertools import pairwise

from cupel.modalities.text.privacy.number_rows import is_row
from cupel.modalities.text.privacy.separators import MOST_SEPARATORS, SEPARATORS
from cupel.modalities.text.privacy.tokens import Found

_DIGIT_GROUPS = re.compile(rf"\d++(?:{SEPARATORS}{{1,{MOST_SEPARATORS}}}\d++)*+")
_DIGITS = re.compile(r"\d++")
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
    (38, 39, (14, 15, 16, 17, 18, 19)),  # Diners Club
    (35, 35, (16, 17, 18, 19)),  # JCB, its own range and what lies beside it
    (62, 62, (16, 17, 18, 19)),  # UnionPay
    (2200, 2204, (16, 17, 18, 19)),  # Mir
    (5018, 5018, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5020, 5020, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (5038, 5038, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (6304, 6304, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
    (6759, 6763, (13, 14, 15, 16, 17, 18, 19)),  # Maestro
)
_LEAST_CARD_DIGITS, _MOST_CARD_DIGITS, _MOST_CARD_GROUPS = 13, 19, 6
# Numbers divided by other signs are dates, versions and paths too: there the sign must be the same throughout, and no
# card is printed in groups of fewer or more digits than these.
_USUAL_SIGNS, _LEAST_IN_GROUP, _MOST_IN_GROUP = frozenset({" ", "-"}), 3, 6


def cards(text: str) -> list[Found]:
    """Return the card numbers of a text, in order: 13 to 19 digits in at most six groups.

    Args:
        text: Normalised text in plain form, see `separators.plain_form`.

    >>> cards("pay 4111 1111 1111 1111 now")
    [Found(start=4, end=23, value='4111111111111111')]
    """
    found = []
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
                start, end = groups[place][0], groups[last][1]
                found.append(Found(start, end, plain_digits(text[start:end])))
                place = last + 1
    return found


def plain_digits(text: str) -> str:
    """Return the digits of a text, of any script, as 0 to 9.

    >>> plain_digits("+\u0664\u0664 20")
    '4420'
    """
    return "".join(str(int(digit)) for digit in text if digit.isdecimal())


def _last_group(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """Return the group with which the longest card number that begins at a group ends, or None."""
    digits, last = "", None
    for place in range(first, min(first + _MOST_CARD_GROUPS, len(groups))):
        start, end = groups[place]
        if len(digits) + end - start > _MOST_CARD_DIGITS:
            break
        digits += text[start:end]
        if len(digits) >= _LEAST_CARD_DIGITS and _is_card(digits):
            last = place if _are_groups_of_card(text, groups[first : place + 1]) else last
    return last


def _are_groups_of_card(text: str, groups: list[tuple[int, int]]) -> bool:
    """Tell whether digits are divided as those of a card may be."""
    signs = {text[one[1] : other[0]] for one, other in pairwise(groups)}
    if signs <= _USUAL_SIGNS:
        return not is_row([text[start:end] for start, end in groups])
    return len(signs) == 1 and all(_LEAST_IN_GROUP <= end - start <= _MOST_IN_GROUP for start, end in groups)


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
