"""Why a row cannot become an item: the reasons, what they mean, and how evidence is shown."""

from typing import NamedTuple

EVIDENCE_CHARACTERS = 200

REASONS: dict[str, str] = {
    "unreadable_file": "the file breaks off or is damaged here; what follows in it could not be read",
    "empty_row": "the row is empty",
    "row_too_long": "the row is longer than the limit",
    "wrong_encoding": "the row is not valid UTF-8; save the file as UTF-8 (in Excel: CSV UTF-8)",
    "nul_byte": "the row holds a NUL byte",
    "broken_json": "the line is not valid JSON",
    "not_an_object": "the line is JSON, but not an object with fields",
    "duplicate_key": "the JSON object names a field twice",
    "unreadable_value": "the Parquet row holds a value that cannot be represented",
    "too_deep": "the row holds lists and objects in each other, deeper than the limit",
    "lone_surrogate": "a JSON escape holds half of a character",
    "broken_csv": "a quote stands where CSV allows none",
    "unclosed_quote": "a quoted CSV field is never closed",
    "field_count": "the CSV row has more or fewer fields than the header",
    "missing_text": "the row has no text field, or it is null",
    "text_not_string": "the text field is not a string",
    "empty_text": "the text is empty or white space",
    "missing_id": "the row has no id, or it is empty or stands for a missing value, as nan",
    "bad_id": "the id is no string or integer, is over 512 characters, or holds control characters",
    "duplicate_id": "an earlier row of the delivery has the same id and text",
    "one_id_two_items": "rows of the delivery have the same id and different texts; which is meant cannot be told",
    "bad_group": "the group is no string or integer, is over 512 characters, or holds control characters",
    "bad_licence": "the licence is no string, is over 200 characters, or holds characters that do not print",
}


class Row(NamedTuple):
    """A row that could be taken apart: where it stands, and its fields by name."""

    line: int
    values: dict[str, object]


class BadRow(NamedTuple):
    """A row that is rejected: where it stands, a reason of `REASONS`, and what was found."""

    line: int
    reason: str
    evidence: str


def evidence(found: object) -> str:
    r"""Return what was found on one line of at most 200 characters, unprintable characters escaped.

    Args:
        found: Text, bytes, or any value; of text and bytes no more is looked at than can be shown.

    Returns:
        Printable text; a cut is marked by an ellipsis.

    >>> evidence(b"caf\xe9\x00")
    'caf\\xe9\\x00'
    """
    if isinstance(found, bytes | bytearray):
        found = bytes(found[: 4 * EVIDENCE_CHARACTERS]).decode("utf-8", "backslashreplace")
    text = found if isinstance(found, str) else repr(found)
    if len(text) <= EVIDENCE_CHARACTERS and text.isprintable():
        return text
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape", "surrogatepass").decode()
        for character in text[: EVIDENCE_CHARACTERS + 1]
    )
    return shown if len(shown) <= EVIDENCE_CHARACTERS else shown[: EVIDENCE_CHARACTERS - 1] + "…"


def explain_header(content: bytes) -> str | None:
    """Return why a header is no text, and what to do; None where it is one.

    >>> explain_header("größe".encode("cp1252"))
    'is not UTF-8: byte 3 of it is 0xf6; save the file as UTF-8 (in Excel: CSV UTF-8)'
    """
    if b"\0" in content:
        return f"holds a NUL byte, its byte {content.index(0) + 1}; is it a text file? Save it as UTF-8"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1:,} of it is 0x{content[error.start]:02x}"
        return f"is not UTF-8: {found}; save the file as UTF-8 (in Excel: CSV UTF-8)"
    return None
