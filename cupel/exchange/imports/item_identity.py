"""What names an item, and what it shows: by that two items of one id are told apart."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from cupel.errors import SourceError
from cupel.exchange.imports.columns import CONTENT_NAMES
from cupel.exchange.imports.tool import ReadOptions
from cupel.people.tool_annotation import as_id
from cupel.sources.class_values import value_text

# The query of an address that Amazon's, Google's or Azure's storage signed: it differs each time that it is asked for.
_SIGNED = re.compile(r"(?i)(?<=\S)\?(?=[^\s\"?]*\b(?:x-amz-signature|x-goog-signature|signature|sig)=)[^\s\"?]*")


def choose_id_field(
    name: str, records: Sequence[Mapping[str, Any]], usual: Sequence[str], options: ReadOptions
) -> str | None:
    """Return the field of records that names the item: the one that was named, else the first of the usual ones.

    Args:
        name: The file, for errors.
        records: Its records.
        usual: Fields that the tool names items by, the best first.
        options: What was named.

    Returns:
        None where every record is an item of its own.

    Raises:
        SourceError: No record holds the field, and records are no items of their own.
    """
    named = options.id_field
    wanted = usual if named is None else [named]
    found = next((field for field in wanted if any(as_id(record.get(field)) is not None for record in records)), None)
    if found is not None or not records:
        return found
    option, fields = options.option("id_field"), " or ".join(map(repr, wanted))
    if named is not None:
        raise SourceError(f"{name}: no record has an id in {fields} ({option}); name another field")
    if not options.has_no_ids:
        raise SourceError(
            f"{name}: no record has an id in {fields}; name the item's field with {option}, or say --no-ids if every "
            "record is an item of its own"
        )
    return None


def content_key(content: str) -> str:
    """Return what two writings of one content have in common: storage signs addresses anew, and line ends differ.

    >>> content_key("https://x.org/a.jpg?X-Amz-Date=1&X-Amz-Signature=ab"), content_key("https://x.org/a?id=1")
    ('https://x.org/a.jpg', 'https://x.org/a?id=1')
    """
    return _SIGNED.sub("", content.replace("\r\n", "\n"))


def content_of(fields: Mapping[str, Any]) -> str | None:
    """Return what an item shows: its text, question, pictures; all fields but the id where none has such a name.

    >>> content_of({"id": 1, "text": "fine", "length": 4}), content_of({"id": 1, "a": 2, "b": [3]})
    ('fine', '{"a": 2, "b": [3]}')
    """
    shown = {key: value for key, value in fields.items() if key.strip().lower() in CONTENT_NAMES}
    shown = shown or {key: value for key, value in fields.items() if key != "id"}
    if len(shown) == 1:
        return value_text(next(iter(shown.values())))
    return json.dumps(shown, ensure_ascii=False, sort_keys=True, default=str) if shown else None
