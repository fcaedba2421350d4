"""A trace for machines: one JSON object, the same keys for every label of a kind."""

import dataclasses
import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any

from cupel.store.outputs import Output, check_outputs, is_json_object, write_output
from cupel.trace.trace import Trace

# Keys that only labels of several parts have.
_WHERE_KNOWN = ("parts",)


def as_json(trace: Trace) -> str:
    """Return a trace as JSON: keys as the fields of `Trace`, null where something is not known; times as ISO 8601."""
    content = _plain(trace)
    for name in _WHERE_KNOWN:
        if content[name] is None:
            del content[name]
    return json.dumps(content, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def check_json(path: Path) -> None:
    """Refuse to write a trace over anything but a trace.

    Raises:
        OutputError: Something else lies there.
    """
    fields = [field.name for field in dataclasses.fields(Trace) if field.name not in _WHERE_KNOWN]
    check_outputs([Output("--json", path, is_json_object(*fields))], ())


def write_json(trace: Trace, path: Path) -> None:
    """Write a trace as JSON, see `as_json`.

    Raises:
        OutputError: The file cannot be written.
    """
    write_output("--json", path, as_json(trace).encode("ascii"))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
