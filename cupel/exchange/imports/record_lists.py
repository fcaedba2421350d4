"""Lists inside a record: their objects, and what stands in their place in a mended export."""

from typing import Any

from cupel.sources.reasons import BadRow, evidence


def read_list(line: int, path: str, value: Any) -> tuple[list[dict[str, Any]], list[BadRow]]:
    """Return the objects of a list, and why its other entries are none.

    Args:
        line: The record's number.
        path: Where the list stands, for evidence.
        value: What should be a list of objects; None is an empty one.

    >>> read_list(1, "notes", [{"a": 1}, 2])
    ([{'a': 1}], [BadRow(line=1, reason='not_an_object', evidence='notes: 2')])
    """
    if value is None:
        return [], []
    if not isinstance(value, list):
        return [], [BadRow(line, "unexpected_shape", evidence(f"{path}: {value!r}"))]
    objects = [entry for entry in value if isinstance(entry, dict)]
    others = [entry for entry in value if not isinstance(entry, dict)]
    return objects, [BadRow(line, "not_an_object", evidence(f"{path}: {entry!r}")) for entry in others]
