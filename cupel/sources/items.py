"""A row to an item: its text, id, group and other fields, or the reason why it is none."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from cupel.config.licences import MOST_CHARACTERS
from cupel.config.raw import Delivery
from cupel.sources.class_values import MISSING_WORDS, write_whole_number
from cupel.sources.reasons import BadRow, Row, evidence

MOST_ID_CHARACTERS = 512
MOST_ID_BITS = 1_696
MOST_LANGUAGE_CHARACTERS = 35  # the longest tag that RFC 5646 asks to have room for
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Item(NamedTuple):
    """One item as delivered; `size` is the bytes that its text and fields take."""

    line: int
    item_id: str
    text: str
    group_id: str | None
    language: str | None
    fields: str | None
    licence: str
    size: int


TextOf: TypeAlias = Callable[[Row, Delivery], str | BadRow]


class ItemReader:
    """Makes items of the rows of one batch, and remembers their ids and what they show.

    Args:
        delivery: How to read a row.
        max_row_bytes: Most bytes of an item's text and other fields.
        text_of: Returns a row's text.
        torn: Ids that were met with several texts before, as `torn` of another reader has them: none of their rows
            becomes an item.

    Attributes:
        torn: Hashes of the ids that were met with several texts.
    """

    def __init__(
        self, delivery: Delivery, max_row_bytes: int, text_of: TextOf, torn: frozenset[bytes] = frozenset()
    ) -> None:
        self._delivery = delivery
        self._text_of = text_of
        self._max_row_bytes = max_row_bytes
        self._refused = torn
        self._shown: dict[bytes, bytes] = {}
        self.torn: set[bytes] = set()

    def read(self, row: Row, source_file: str, has_fields: bool) -> Item | BadRow:
        """Return the row as an item, or why it is none.

        Args:
            row: Its fields by name.
            source_file: The file, for ids of rows that have none.
            has_fields: The format names fields; plain text has neither ids nor groups.
        """
        delivery = self._delivery
        text = self._text_of(row, delivery)
        if isinstance(text, BadRow):
            return text
        used = set(delivery.text_fields)
        item_id: str | BadRow = f"{source_file}:{row.line}"
        group: str | BadRow | None = None
        if has_fields and delivery.id_field is not None:
            item_id = _item_id(row, row.values.get(delivery.id_field))
            used.add(delivery.id_field)
        if has_fields and delivery.group_field is not None:
            group = _group(row, row.values.get(delivery.group_field))
            used.add(delivery.group_field)
        elif prompt := row.values.get(delivery.prompt_field or ""):
            group = f"prompt {hashlib.sha256(str(prompt).encode()).hexdigest()[:16]}"
        language = _language(row.values.get(delivery.language_field or ""))
        if has_fields and delivery.language_field is not None:
            used.add(delivery.language_field)
        licence: str | BadRow = delivery.licence
        if has_fields and delivery.licence_field is not None:
            licence = _licence(row, row.values.get(delivery.licence_field), delivery.licence)
            used.add(delivery.licence_field)
        fields = _fields(row, {key: value for key, value in row.values.items() if key not in used})
        for part in (item_id, group, licence, fields):
            if isinstance(part, BadRow):
                return part
        size = len(text.encode()) + len(str(fields or "").encode())
        item = Item(row.line, str(item_id), text, group, language, fields, str(licence), size)  # type: ignore[arg-type]
        return self._unique(row, item)

    def _unique(self, row: Row, item: Item) -> Item | BadRow:
        if item.size > self._max_row_bytes:
            return BadRow(row.line, "row_too_long", evidence(f"over {self._max_row_bytes} bytes: {item.text[:200]}"))
        key, shown = (hashlib.blake2b(part.encode(), digest_size=16).digest() for part in (item.item_id, item.text))
        first = self._shown.setdefault(key, shown)
        if key in self._refused or first != shown:
            self.torn.add(key)
            return BadRow(row.line, "one_id_two_items", evidence(item.item_id))
        if first is not shown:
            return BadRow(row.line, "duplicate_id", evidence(item.item_id))
        return item


def read_text_field(row: Row, delivery: Delivery) -> str | BadRow:
    """Return what the text field of a row holds, or why it is no text."""
    return check_text(row, row.values.get(delivery.text_field))


def check_text(row: Row, text: object) -> str | BadRow:
    """Return what a field holds if it is a text that can be kept, or why it is not."""
    if text is None:
        return BadRow(row.line, "missing_text", evidence(f"fields: {', '.join(row.values)}"[:1000]))
    if not isinstance(text, str):
        return BadRow(row.line, "text_not_string", evidence(text))
    if "\0" in text:
        return BadRow(row.line, "nul_byte", evidence(text))
    if not _is_encodable(text):
        return BadRow(row.line, "lone_surrogate", evidence(text))
    if not text or text.isspace():
        return BadRow(row.line, "empty_text", evidence(text))
    return text


def _item_id(row: Row, found: object) -> str | BadRow:
    is_missing = found is None or found != found
    if is_missing or (isinstance(found, str) and (not found.strip() or found.strip() in MISSING_WORDS)):
        return BadRow(row.line, "missing_id", evidence(f"id: {found!r}"))
    item_id = _name(found)
    return BadRow(row.line, "bad_id", evidence(found)) if item_id is None else write_whole_number(item_id)


def _group(row: Row, found: object) -> str | BadRow | None:
    if found is None or found == "":
        return None
    group = _name(found)
    return BadRow(row.line, "bad_group", evidence(found)) if group is None else group


def _licence(row: Row, found: object, otherwise: str) -> str | BadRow:
    """Return the licence of an item, space around it removed; the delivery's where the row has none."""
    if found is None or (isinstance(found, str) and not found.strip()):
        return otherwise
    if not isinstance(found, str) or len(found) > MOST_CHARACTERS or not found.strip().isprintable():
        return BadRow(row.line, "bad_licence", evidence(found))
    return found.strip()


def _name(found: object) -> str | None:
    """Return an id as text, of a whole float that of its integer; None where it may not be one."""
    # Tables make floats of all integers of a column that has a gap.
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    if isinstance(found, int):
        # Asked before it is printed: Python refuses to print integers of more than 4,300 digits.
        return str(found) if found.bit_length() <= MOST_ID_BITS else None
    if len(found) > MOST_ID_CHARACTERS or _CONTROL.search(found) or not _is_encodable(found):
        return None
    return found


def _fields(row: Row, values: dict[str, object]) -> str | BadRow | None:
    if not values:
        return None
    try:
        fields = json.dumps(values, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (ValueError, RecursionError) as error:
        return BadRow(row.line, "broken_json", evidence(f"{error}"))
    return fields if _is_encodable(fields) else BadRow(row.line, "lone_surrogate", evidence(fields))


def _is_encodable(text: str) -> bool:
    """Tell whether a text can be written as UTF-8: it holds no half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _language(declared: object) -> str | None:
    """Return what a source declares as a language; what can be none, such as a number, is not declared."""
    if not isinstance(declared, str) or not 0 < len(declared.strip()) <= MOST_LANGUAGE_CHARACTERS:
        return None
    return None if _CONTROL.search(declared) else declared.strip()
