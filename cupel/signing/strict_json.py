"""JSON that has one meaning: UTF-8, no key twice in an object, no number that JSON does not know."""

import json
from typing import Any

from cupel.errors import SigningError


def parse_strictly(content: bytes, source: str) -> dict[str, Any]:
    """Return the object that a JSON text holds.

    Two readers of a text that names a key twice may see two different things, so that one checks what another does
    not use. Such a text is refused, wherever in it the key stands.

    Args:
        content: The text, UTF-8.
        source: What it is, for messages.

    Raises:
        SigningError: It is no JSON, no object, or names a key twice.

    >>> parse_strictly(b'{"a": 1, "a": 2}', "keys.json")
    Traceback (most recent call last):
    cupel.errors.SigningError: keys.json: the key "a" stands twice in one object; get the file again from who made it
    """
    try:
        found = json.loads(content.decode("utf-8"), object_pairs_hook=_keys_once, parse_constant=_refuse_constant)
    except _RepeatedKeyError as error:
        raise SigningError(
            f'{source}: the key "{error}" stands twice in one object; get the file again from who made it'
        ) from None
    except (ValueError, RecursionError) as error:
        raise SigningError(
            f"{source}: cut or damaged, no JSON: {str(error)[:120]}; get the file again from who made it"
        ) from None
    if not isinstance(found, dict):
        raise SigningError(f"{source}: expected a JSON object, found {type(found).__name__}; get the file again")
    return found


class _RepeatedKeyError(Exception):
    """An object names a key twice."""


def _keys_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _RepeatedKeyError(key)
        found[key] = value
    return found


def _refuse_constant(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON value")
