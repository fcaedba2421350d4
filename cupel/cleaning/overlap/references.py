"""Reference sets: what must not be trained on, read from files by path."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from cupel.config.cleaning import ReferenceSet
from cupel.errors import SourceError
from cupel.sources.files import known_sha256
from cupel.store.files import is_file, open_stream


class Reference(NamedTuple):
    """One row of a reference set, and how people find it."""

    name: str
    text: str
    answer: str


class References(NamedTuple):
    """The rows of all reference sets, the hash of each file by its name, and how many rows had no text."""

    rows: list[Reference]
    files: dict[str, str]
    empty: int


def read_references(sets: Sequence[ReferenceSet], data: Path) -> References:
    """Read the reference sets of a project.

    Args:
        sets: The sets, as the project names them.
        data: Folder that their paths are relative to.

    Returns:
        Their rows that hold a text; a row is named `set, row N` (the first is 1), with its id where there is one.

    Raises:
        SourceError: A file is missing, cannot be read, lacks a column, or holds no text at all.
    """
    rows: list[Reference] = []
    files: dict[str, str] = {}
    empty = 0
    for one in sets:
        path = data / one.path
        if not is_file(path):
            raise SourceError(
                f"{path}: no such file; bring the reference set {one.name}, or mend its path under cleaning.overlap"
            )
        files[one.path] = known_sha256(path)
        found = list(_rows(one, path))
        kept = [row for row in found if row.text]
        if not kept:
            raise SourceError(
                f"{path}: reference set {one.name}: none of its {len(found)} rows holds a text in "
                f"{', '.join(one.columns)}; name the right columns under cleaning.overlap"
            )
        rows += kept
        empty += len(found) - len(kept)
    return References(rows, files, empty)


def _rows(one: ReferenceSet, path: Path) -> Iterable[Reference]:
    wanted = [
        *one.columns,
        *([one.answer_column] if one.answer_column else []),
        *([one.id_column] if one.id_column else []),
    ]
    for number, row in enumerate(_read(path, wanted, one.name), start=1):
        name = f"{one.name}, row {number:,}" + (f" (id {row[one.id_column]})" if one.id_column else "")
        answer = _plain(row[one.answer_column]) if one.answer_column else ""
        yield Reference(name, " ".join(filter(None, (_plain(row[column]) for column in one.columns))), answer)


def _plain(value: Any) -> str:
    """Return a cell as text: lists (of choices) one after the other, nothing for null."""
    if isinstance(value, (list, tuple)):
        return " ".join(map(_plain, value))
    return "" if value is None else str(value).strip()


def _read(path: Path, wanted: Sequence[str], name: str) -> Iterable[dict[str, Any]]:
    columns = list(dict.fromkeys(wanted))
    table: pa.Table
    try:
        if path.name.endswith(".parquet"):
            with open_stream(path) as file:
                _check(path, wanted, pq.read_schema(file).names, name)
                table = pq.read_table(file, columns=columns)
            return list(table.to_pylist())
        if ".csv" in path.suffixes:
            with open_stream(path) as stream:
                table = pcsv.read_csv(stream, parse_options=pcsv.ParseOptions(newlines_in_values=True))
            _check(path, wanted, table.column_names, name)
            return list(table.select(columns).to_pylist())
        return list(_objects(path, wanted, name))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: reference set {name}: cannot be read: {error}") from error


def _objects(path: Path, wanted: Sequence[str], name: str) -> Iterable[dict[str, Any]]:
    with open_stream(path) as stream:
        content = stream.read().decode()
    for number, line in enumerate(content.removesuffix("\n").split("\n"), start=1):
        try:
            row = json.loads(line) if line.strip() else dict.fromkeys(wanted)
        except ValueError as error:
            raise SourceError(f"{path}: reference set {name}: line {number}: not JSON: {error}") from error
        if not isinstance(row, dict):
            raise SourceError(f"{path}: reference set {name}: line {number}: expected an object with fields")
        _check(path, wanted, list(row), name)
        yield row


def _check(path: Path, wanted: Sequence[str], there: Sequence[str], name: str) -> None:
    if missing := [column for column in wanted if column not in there]:
        raise SourceError(
            f"{path}: reference set {name}: no column {missing[0]!r}; it has {', '.join(there) or 'none'}; mend "
            "cleaning.overlap"
        )
