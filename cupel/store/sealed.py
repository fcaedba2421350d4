"""Sealed JSON: a small file that holds a hash of its own content, so that whoever reads it sees what was altered."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

SEAL = "sealed"


def seal_json(content: Mapping[str, Any]) -> bytes:
    """Return JSON with its seal; the same content gives the same bytes."""
    return _dumped({**content, SEAL: _sha256(content)})


def open_sealed(raw: bytes) -> dict[str, Any]:
    """Return the content of sealed JSON, without its seal; what was written before there were seals has none.

    Raises:
        ValueError: It is no JSON object, or not what was sealed.

    >>> open_sealed(seal_json({"rows": 2}))
    {'rows': 2}
    """
    content = json.loads(raw)
    if not isinstance(content, dict):
        raise ValueError("expected a JSON object")
    sealed = content.pop(SEAL, None)
    if sealed is not None and sealed != _sha256(content):
        raise ValueError("it was altered")
    return content


def _sha256(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_dumped(content)).hexdigest()


def _dumped(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=1, sort_keys=True) + "\n").encode()
