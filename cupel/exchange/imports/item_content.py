"""What an item shows: by it two items of one id are told apart."""

import json
from collections.abc import Mapping
from typing import Any

from cupel.exchange.imports.columns import CONTENT_NAMES
from cupel.sources.class_values import value_text


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
