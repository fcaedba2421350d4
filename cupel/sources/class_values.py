"""One value of a file as the name of a class, or why it is none: the same for every reader."""

import ast
import json
import re
import unicodedata
from decimal import Decimal
from itertools import groupby

from cupel.sources.reasons import evidence

# What pandas, R, spreadsheets and databases write for a missing value; pandas' own list of `read_csv` (na_values).
MISSING_WORDS = frozenset(
    {
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
        "NULL", "NaN", "None", "n/a", "nan", "null", "NaT",
    }
)  # fmt: skip
# Longer texts, and texts of several lines, are answers in words.
MOST_CHARACTERS = 200
VALUE_REASONS = {
    "address_label": "the label is an address, and no class; where it is one, name it with --classes",
    "text_label": f"the label has several lines or more than {MOST_CHARACTERS} characters: a text, and no class",
}
# What Unicode calls forms of letters and digits that are signs of their own: m² is no m2, and a ringed 1 no 1.
DISTINCT_FORMS = ("<super>", "<sub>", "<circle>", "<fraction>")
_WHOLE = re.compile(r"([+-]?\d+)\.0+\Z")
_ADDRESS = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://|data:[a-z]+/)\S+\Z")
# Whether a sign is drawn as text or in colours.
_SELECTOR = re.compile("[\ufe0e\ufe0f]")
# Characters without a shape of their own; joiners and selectors of variants mean something beside others.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
)


class NoClassError(ValueError):
    """A value is no class: `reason` is one of `VALUE_REASONS`, `unexpected_shape`, or `no_answer`.

    Args:
        reason: Why.
        found: What was found, on one line.
    """

    def __init__(self, reason: str, found: str) -> None:
        super().__init__(reason)
        self.reason, self.found = reason, found


def read_class(value: object) -> str:
    """Return a value as the name of a class: numbers without a point that says nothing, texts without their ends.

    Args:
        value: A cell of a table, or a value of JSON.

    Raises:
        NoClassError: It is missing or stands for a missing value, is an object or a list, an address or a text.

    >>> read_class(1.0), read_class("2.0"), read_class(True), read_class(" cat ")
    ('1', '2', 'true', 'cat')
    """
    text = value_text(value)
    if text is None or not text or text in MISSING_WORDS:
        raise NoClassError("no_answer", text or "")
    if isinstance(value, dict | list | tuple | set) or _is_structure(text):
        raise NoClassError("unexpected_shape", evidence(text))
    if _ADDRESS.match(text):
        raise NoClassError("address_label", evidence(text))
    if len(text) > MOST_CHARACTERS or "\n" in text or "\r" in text:
        raise NoClassError("text_label", evidence(text))
    return text


def value_text(value: object) -> str | None:
    """Return a value as text, without spaces and invisible characters at its ends; None where it is missing.

    Whole numbers have no point, however they are written. Halves of characters, which JSON escapes can hold and UTF-8
    cannot, are replaced.

    >>> value_text(1e16), value_text("10.0"), value_text(float("nan")), value_text("1.10")
    ('10000000000000000', '10', None, '1.10')
    """
    if value is None or (isinstance(value, float | Decimal) and value != value):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # large ones would be written with an exponent
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
    text = str(value)
    text = text if text.isascii() else strip_invisible(text.encode("utf-8", "replace").decode("utf-8"))
    text = text.strip()
    return write_whole_number(text)


def write_whole_number(text: str) -> str:
    """Return a whole number without its point, any other text as it is.

    >>> write_whole_number("10.0"), write_whole_number("1.10"), write_whole_number("007"), write_whole_number("-0.0")
    ('10', '1.10', '007', '0')
    """
    whole = _WHOLE.match(text)
    if whole is None:
        return text
    return "0" if whole[1] == "-0" else whole[1].removeprefix("+")


def strip_invisible(text: str) -> str:
    """Return a text without spaces and invisible characters at its ends."""
    before = None
    while before != text:
        before, text = text, text.strip().strip("\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
    return text


def spelling_key(name: str) -> str:
    """Return what names of one class have in common: no case, Unicode form, invisible characters, or runs of spaces.

    >>> spelling_key("Caf\\u0065\\u0301") == spelling_key("CAF\\u00c9"), spelling_key("New\\u00a0 York")
    (True, 'new york')
    """
    return " ".join(_SELECTOR.sub("", plain_spelling(name)).casefold().split())


def plain_spelling(name: str) -> str:
    """Return a name in Unicode's composed form, without invisible characters, with plain single spaces.

    Signs that mean another thing than the letters that they are made of stay what they are.

    >>> plain_spelling("\uff23at  m\u00b2")
    'Cat m²'
    """
    if not name.isascii():
        parts = groupby(name, key=lambda sign: unicodedata.decomposition(sign).startswith(DISTINCT_FORMS))
        name = "".join("".join(signs) if is_distinct else _compose("".join(signs)) for is_distinct, signs in parts)
    return " ".join(name.split())


def _compose(text: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def _is_structure(text: str) -> bool:
    """Tell whether a text is an object or a list, as JSON or as Python prints it."""
    if text[0] + text[-1] not in ("{}", "[]"):
        return False
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        pass
    try:
        return isinstance(ast.literal_eval(text), dict | list | set)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return False
