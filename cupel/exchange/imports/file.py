"""A file as it lies on disk to records: CSV, JSON Lines, JSON and Parquet; broken rows with a reason."""

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from cupel.errors import SourceError
from cupel.exchange.imports.delimited import decode, delimited_rows
from cupel.sources.json_rows import json_rows
from cupel.sources.lines import Line
from cupel.sources.reasons import BadRow, Row, evidence
from cupel.store.files import open_file

ENDINGS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".xml": "xml",
}


class File(NamedTuple):
    """A file as read: its path, the hash of its bytes, its format, its bytes (unzipped), and of JSON what it says."""

    path: Path
    sha256: str
    format: str
    content: bytes
    document: Any


def read_file(path: Path) -> File:
    """Read a file.

    Args:
        path: A file ending in .csv, .tsv, .jsonl, .ndjson, .json, .xml or .parquet; all but the last may be gzipped.

    Returns:
        The hash is of the bytes as they lie on disk. JSON that is several documents, one a line, is `jsonl`.

    Raises:
        SourceError: The file is missing, damaged, or of another kind.
    """
    try:
        with open_file(path) as file:
            content = file.read()
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}; name a file") from None
    sha256 = hashlib.sha256(content).hexdigest()
    kind = _kind(path)
    if path.suffix.lower() == ".gz":
        content = _unzipped(path, content)
    if kind != "json":
        return File(path, sha256, kind, content, None)
    is_list = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
    try:
        return File(path, sha256, kind, content, json.loads(content.decode("utf-8-sig")))
    except (ValueError, RecursionError) as error:
        if is_list:
            raise SourceError(f"{path}: not valid JSON: {error}; export it again") from None
        return File(path, sha256, "jsonl", content, None)


def records(file: File) -> list[Row | BadRow]:
    """Return the records of a file: rows of a table, lines of JSON, entries of a JSON list.

    Raises:
        SourceError: The file cannot be taken apart, or is XML.
    """
    if file.format == "json":
        found = file.document if isinstance(file.document, list) else [file.document]
        return [
            Row(number, entry) if isinstance(entry, dict) else BadRow(number, "not_an_object", evidence(entry))
            for number, entry in enumerate(found, 1)
        ]
    if file.format == "xml":
        raise SourceError(f"{file.path}: XML that is no CVAT export; export it as CSV or JSON")
    return list({"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[file.format](file.path, file.content))


def _kind(path: Path) -> str:
    endings = [ending.lower() for ending in path.suffixes]
    ending = endings[-2] if endings[-1:] == [".gz"] and len(endings) > 1 else "".join(endings[-1:])
    if ending not in ENDINGS or (ending == ".parquet" and endings[-1] == ".gz"):
        raise SourceError(f"{path}: ends in none of {', '.join(ENDINGS)} (or these with .gz); rename or convert it")
    return ENDINGS[ending]


def _unzipped(path: Path, content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise SourceError(f"{path}: damaged: {error}; fetch it again") from None


def _csv(path: Path, content: bytes) -> Iterator[Row | BadRow]:
    return delimited_rows(str(path), decode(content).text)


def _jsonl(path: Path, content: bytes) -> Iterator[Row | BadRow]:
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not lines[-1]:
        lines.pop()
    numbered: Iterable[Line] = (Line(number, line.removesuffix(b"\r")) for number, line in enumerate(lines, 1))
    return json_rows(numbered)


def _parquet(path: Path, content: bytes) -> Iterator[Row | BadRow]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from cupel.sources.parquet_rows import batch_rows

    try:
        table = pq.read_table(io.BytesIO(content))
        names = table.column_names
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path}: not a Parquet file: {error}; export it again") from None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(f"{path}: the column {twice[0]!r} stands twice; rename one of them")
    first = 1
    for batch in table.to_batches():
        yield from batch_rows(batch, first)
        first += batch.num_rows


def tool_records(file: File) -> list[Row | BadRow]:
    """Return the records of JSON or JSON Lines; of a page of an API, which holds them under `docs`, those."""
    document: Any = file.document
    if isinstance(document, dict) and isinstance(document.get("docs"), list):
        return [
            Row(number, entry) if isinstance(entry, dict) else BadRow(number, "not_an_object", evidence(entry))
            for number, entry in enumerate(document["docs"], 1)
        ]
    return records(file)


def first_record(file: File) -> dict[str, Any] | None:
    """Return the first record of JSON or JSON Lines that could be taken apart; None of other formats."""
    if file.format not in ("json", "jsonl"):
        return None
    return next((row.values for row in tool_records(file) if isinstance(row, Row)), None)
