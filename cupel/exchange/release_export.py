"""A release as files that trainers read: in a format of its label kind, or as JSON Lines or CSV of any kind."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.contract.columns import TEXT
from cupel.contract.kind import Export, Kind
from cupel.contract.ontology import Ontology
from cupel.contract.tables.release import TRAINING_SET
from cupel.errors import ReleaseError
from cupel.release import layout
from cupel.release.frozen_terms import FrozenTerms, find_kind, name_kind
from cupel.release.older_formats import read_manifest
from cupel.store.files import hash_file, is_folder, make_folder, read_file
from cupel.store.local import LocalStore
from cupel.store.outputs import IsOurs, Output, check_outputs, is_json_lines, is_table, write_output

# Columns that lines of any kind have, before the kind's own.
COLUMNS = ("batch", "item_id", "text", "language", "label", "licence")
JSONL, CSV = "jsonl", "csv"
_TRAINING_SET = {column.name for column in TRAINING_SET.columns}

Row = dict[str, Any]


class ExportedSplit(NamedTuple):
    """What was written of one split: the file, its lines, and the items left out that the format has no place for."""

    file: Path
    lines: int
    left_out: int


class ExportedRelease(NamedTuple):
    """What was written of a release: the format, what its lines and the items left out are called, and the splits."""

    format: str
    unit: str
    left_out: str
    splits: list[ExportedSplit]


class _Content(NamedTuple):
    """A release's training set by data file, and what its labels say; `kind` is None where nothing names one."""

    rows: Mapping[str, list[Row]]
    kind: Kind | None
    ontology: Ontology


def export_release(release: Path, folder: Path, name: str | None, kinds: Sequence[Kind]) -> ExportedRelease:
    """Write a release's training set, one file a split.

    Args:
        release: The release's folder.
        folder: Where the files go; those of an earlier export are replaced, others never.
        name: The format: jsonl, csv, or one of the kind's own; None: the first of the kind's own, else jsonl.
        kinds: The label kinds that there are.

    Returns:
        What was written.

    Raises:
        ReleaseError: There is no release, it is of a kind that is not there, or a label has no place in the format.
        OutputError: The folder lies in a release, or something else lies where a file goes.
        FormatError: A newer version of Cupel wrote it.
    """
    _check_files(release, read_manifest(release))
    content = _read(release, kinds)
    name, export, owner = _find_format(release, name, content, kinds)
    lines = {split: _lines(split, rows, export, owner, content.ontology) for split, rows in content.rows.items()}
    columns = list(next((line for found in lines.values() for _, line in found), {}))
    ending = CSV if name == CSV else JSONL
    files = {split: folder / f"{Path(split).stem}.{ending}" for split in lines}
    is_ours: IsOurs = is_table(columns) if name == CSV else is_json_lines(*columns)
    outputs = [Output("--to", file, is_ours) for file in files.values()]
    check_outputs(outputs, [release / split for split in lines], [release])
    if is_folder(folder.parent):  # what a person mistyped above it is not made
        make_folder(folder)
    done = []
    for split, found in lines.items():
        rows = [line for _, line in found]
        write_output("--to", files[split], _csv(rows, columns) if name == CSV else _jsonl(rows))
        left = len(content.rows[split]) - len({place for place, _ in found})
        done.append(ExportedSplit(files[split], len(rows), left))
    return ExportedRelease(name, export.unit, export.left_out, done)


def _check_files(release: Path, manifest: Mapping[str, Any]) -> None:
    """Refuse a release whose labels are not those that its manifest names: nobody should train on them."""
    hashes = {row["path"]: row["sha256"] for row in manifest["files"]}
    for name in (layout.CERTIFICATE_FILE, *layout.DATA_FILES):
        path = release / name
        try:
            is_same = hash_file(path) == hashes.get(name)
        except OSError as error:
            raise ReleaseError(f"{path}: cannot be read: {error.strerror}; get the release again") from None
        if not is_same:
            raise ReleaseError(f"{path}: not what the manifest names; get the release again, or see `cupel verify`")


def _read(release: Path, kinds: Sequence[Kind]) -> _Content:
    terms, store, rows = _read_terms(release), LocalStore(release), {}
    for name in layout.DATA_FILES:
        try:
            with store.open(name) as source:
                file = pq.ParquetFile(source)
                names = [one for one in file.schema_arrow.names if one in COLUMNS or one not in _TRAINING_SET]
                rows[name] = file.read(names).to_pylist()
        except (pa.ArrowException, OSError, ValueError, ArithmeticError) as error:
            raise ReleaseError(f"{release / name}: cannot be read: {error}; get the release again") from None
    return _Content(rows, find_kind(terms, kinds), terms.ontology)


def _read_terms(release: Path) -> FrozenTerms:
    """Return what the release was frozen with."""
    path = release / layout.CERTIFICATE_FILE
    try:
        plan = json.loads(read_file(path))["plan"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as error:
        raise ReleaseError(f"{path}: cannot be read: {error}; get the release again") from None
    return FrozenTerms.from_plan(plan)


def _find_format(release: Path, name: str | None, content: _Content, kinds: Sequence[Kind]) -> tuple[str, Export, str]:
    """Return a format by its name, with the label kind that it is of."""
    plain = _plain_format(content)
    formats = {**_own_formats(content, kinds), JSONL: plain, CSV: plain}
    if name is None:
        name = next(iter(formats))
    # A format of another kind is tried all the same: what has no place in it is named with its item.
    others = {format: (export, kind.name) for kind in kinds for format, export in kind.exports.items()}
    if name in (JSONL, CSV):
        return name, plain, "any"
    if name not in others:
        raise ReleaseError(f"{release}: no format {name!r}; --format is one of {', '.join(formats)}")
    return name, *others[name]


def _own_formats(content: _Content, kinds: Sequence[Kind]) -> Mapping[str, Export]:
    """Return the formats of the release's kind; where it names none, of the first kind whose formats hold its items."""
    if content.kind is not None:
        return content.kind.exports
    first = next((row for rows in content.rows.values() for row in rows), None)
    for kind in kinds:
        is_plain = name_kind(kind, content.ontology) is None
        if kind.exports and is_plain and first is not None and _is_of(kind, first, content.ontology):
            return kind.exports
    return {}


def _is_of(kind: Kind, row: Row, ontology: Ontology) -> bool:
    try:
        for export in kind.exports.values():
            list(export.rows(row, ontology))
    except (ValueError, TypeError, LookupError):
        return False
    return True


def _plain_format(content: _Content) -> Export:
    """Return the format that any kind has: the columns of the training set, and those of the kind."""

    def rows(row: Mapping[str, Any], ontology: Ontology) -> Iterator[Row]:
        line = {name: row[name] for name in COLUMNS if name in row}
        if content.kind is not None:
            own = content.kind.columns(pa.array([row["label"]], TEXT), ontology)
            line |= {name: row[name] if name in row else values[0].as_py() for name, values in own.items()}
        yield line

    return Export("Columns of the training set, one item a line", rows)


def _lines(split: str, rows: Sequence[Row], export: Export, owner: str, ontology: Ontology) -> list[tuple[int, Row]]:
    """Return the lines of a split, each with the place of its row."""
    found = []
    for place, row in enumerate(rows):
        try:
            found += [(place, line) for line in export.rows(row, ontology)]
        except ValueError as error:
            where = f"{split}, batch {row['batch']}, item_id {row['item_id']!r}"
            raise ReleaseError(f"{where}: {error}; only releases of label kind {owner} can be exported so") from None
    return found


def _jsonl(rows: Iterable[Row]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


def _csv(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    """Return rows as CSV; null is an empty cell, true and false are words."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in columns])
    return out.getvalue().encode()


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
