"""The keys of an export: which of them an import neither uses nor tells."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from cupel.errors import SourceError
from cupel.exchange.imports.gate import Export
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import NO_OPTIONS, read_export
from cupel.people.tool_annotation import Annotation

MARK, VALUE = "zz_marked", "zz_value"
Path_ = tuple[Any, ...]


def write_records(folder: Path, records: list[Any], name: str = "export.json") -> Path:
    """Write records as a list of JSON, or where the name ends so as JSON Lines."""
    path = folder / name
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    path.write_text(lines if name.endswith("l") else json.dumps(records), encoding="utf-8")
    return path


def show(found: Any) -> list[tuple[object, ...]]:
    """Return annotations as item, label and annotator, and what is left as its reason and what was found."""
    return [
        (one.item_id, one.label, one.annotator) if isinstance(one, Annotation) else (one.reason, one.evidence)
        for one in found
    ]


def untold_marks(folder: Path, records: list[Any], options: ReadOptions = NO_OPTIONS) -> list[Path_]:
    """Return the objects in records to which a key can be added that nothing tells, and no item shows."""
    untold = []
    for path in (path for path in _places(records) if isinstance(_at(records, path), dict)):
        changed = deepcopy(records)
        _at(changed, path)[MARK] = VALUE
        try:
            export = read_export(write_records(folder, changed), options=options)
        except SourceError as error:
            if MARK not in str(error):
                raise
            continue
        told = any(key.path.endswith(MARK) or VALUE in key.found for key in export.unread)
        told |= any(VALUE in repr(one) for one in export.annotations)
        if not told:
            untold.append(path)
    return untold


def unseen_keys(folder: Path, records: list[Any], options: ReadOptions = NO_OPTIONS) -> list[Path_]:
    """Return the keys of records that can be taken away without anything to be seen of it."""
    whole = read_export(write_records(folder, records), options=options)
    unseen = []
    for path in _places(records):
        if isinstance(path[-1], str):
            changed = deepcopy(records)
            del _at(changed, path[:-1])[path[-1]]
            try:
                found = read_export(write_records(folder, changed), options=options)
            except SourceError:
                continue
            if _seen(found) == _seen(whole):
                unseen.append(path)
    return unseen


def _seen(export: Export) -> tuple[object, ...]:
    return export.tool, export.annotations, export.unread, export.notices


def _places(found: Any, path: Path_ = ()) -> list[Path_]:
    """Return the path to every value that is not empty."""
    inside = found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    return [
        place
        for key, value in inside
        if value not in (None, "", [], {}, False)
        for place in ((*path, key), *_places(value, (*path, key)))
    ]


def _at(found: Any, path: Path_) -> Any:
    for key in path:
        found = found[key]
    return found
