"""The units in which tools count characters of a text: code points, UTF-16's halves of them, or graphemes."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

from cupel.exchange.imports.bad_marks import BadMarkError

CODE_POINTS, UTF16, GRAPHEMES = "code-points", "utf-16", "graphemes"
UNITS = (CODE_POINTS, UTF16, GRAPHEMES)
# What joins the character before it: marks, joiners, variations, emoji's skin tones, flags' letters, Hangul's parts.
_JOINING = re.compile(
    "[\u200d\ufe00-\ufe0f\U0001f3fb-\U0001f3ff\U0001f1e6-\U0001f1ff\U000e0020-\U000e007f\u1100-\u11ff\ua960-\ua97f"
    "\ud7b0-\ud7ff]|\r\n"
)


def differing_units(text: str) -> list[str]:
    """Return the units that count a text otherwise than code points do.

    >>> differing_units("plain"), differing_units("a\U0001f600"), differing_units("e\u0301")
    ([], ['utf-16'], ['graphemes'])
    """
    if text.isascii():
        return [GRAPHEMES] if "\r\n" in text else []
    return [UTF16] * (max(text) > "\uffff") + [GRAPHEMES] * _has_clusters(text)


def choose_unit(texts: Iterable[str], named: str | None) -> str | None:
    """Return the unit in which places in texts are counted: the one that was named, or any where all agree.

    Returns:
        None where it was not named and units differ.
    """
    return named or (None if any(differing_units(text) for text in texts) else CODE_POINTS)


def to_code_points(text: str, offsets: Sequence[int], unit: str | None) -> list[int]:
    """Return places in a text, counted in a unit, as places counted in code points.

    Args:
        text: The text.
        offsets: Places in it, 0 to its length in the unit; beyond that they are further on by as much.
        unit: One of UNITS; None: it was not named.

    Raises:
        BadMarkError: A place is inside a character, or what the unit is matters and is not known.

    >>> to_code_points("a\U0001f600b", [3, 4], "utf-16")
    [2, 3]
    """
    differing = differing_units(text)
    if unit is None and differing:
        raise BadMarkError("unknown_unit", f"{' and '.join(differing)} count this text otherwise than code-points")
    if unit not in differing:
        return list(offsets)
    if unit == GRAPHEMES:
        raise BadMarkError("unknown_unit", "graphemes of this text are not counted here; export it in code points")
    places, length = _utf16_places(text)
    for offset in offsets:
        if 0 <= offset < length and offset not in places:
            raise BadMarkError("split_character", f"place {offset} in UTF-16 is the middle of a character")
    return [places.get(offset, offset if offset < 0 else len(text) + offset - length) for offset in offsets]


def from_code_points(text: str, offsets: Sequence[int], unit: str) -> list[int]:
    """Return places in a text, counted in code points, as places counted in a unit: the inverse of `to_code_points`.

    Raises:
        BadMarkError: The unit cannot be counted in this text.
    """
    if unit not in differing_units(text):
        return list(offsets)
    if unit == GRAPHEMES:
        raise BadMarkError("unknown_unit", "graphemes of this text are not counted here")
    return [offset + sum(character > "\uffff" for character in text[:offset]) for offset in offsets]


def splits_sequence(text: str, offset: int) -> bool:
    """Tell whether a place is before a character that joins the one before it, as an accent.

    >>> splits_sequence("e\u0301", 1), splits_sequence("ee", 1)
    (True, False)
    """
    if not 0 < offset < len(text) or text.isascii():
        return False
    return unicodedata.category(text[offset])[0] == "M" or text[offset] == "\u200d" or text[offset - 1] == "\u200d"


def _has_clusters(text: str) -> bool:
    return _JOINING.search(text) is not None or any(unicodedata.category(one)[0] == "M" for one in text)


@lru_cache(maxsize=64)
def _utf16_places(text: str) -> tuple[dict[int, int], int]:
    """Return the place in code points of each place in UTF-16 that is one, and the text's length in UTF-16."""
    places, place = {}, 0
    for number, character in enumerate(text):
        places[place] = number
        place += 2 if character > "\uffff" else 1
    return {**places, place: len(text)}, place
