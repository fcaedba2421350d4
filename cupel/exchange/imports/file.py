"""A file as it lies on disk to records: CSV, JSON Lines, JSON and Parquet; broken rows with a reason."""

import gzip
import hashlib
import io
import json
import re
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from cupel.errors import SourceError
from cupel.exchange.imports.delimited import delimited_rows, open_text
from cupel.sources.input_limits import (
    DEFAULT_LIMITS,
    InputLimits,
    check_header,
    count_json_values,
    is_too_deep,
    may_be_deep,
    refuse_size,
)
from cupel.sources.json_rows import json_rows, read_constant
from cupel.sources.lines import Line
from cupel.sources.reasons import BadRow, Row, evidence
from cupel.store.files import open_file

ENDINGS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".conll": "csv",
    ".bio": "csv",
    ".iob": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".parquet": "parquet",
    ".xml": "xml",
}
BLOCK_BYTES = 1 << 20
PARQUET_ROWS = 8_192
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LIST = re.compile(rb"(?:\xef\xbb\xbf)?[ \t\r\n]*+\[")


class File(NamedTuple):
    """A file as read: its path, the hash of its bytes, its format, its bytes (unzipped), and of JSON what it says.

    Of a JSON document `content` is empty: `document` says it all. `limits` hold for what is made of it.
    """

    path: Path
    sha256: str
    format: str
    content: bytes
    document: Any
    limits: InputLimits = DEFAULT_LIMITS


def read_file(path: Path, limits: InputLimits = DEFAULT_LIMITS) -> File:
    """Read a file.

    Args:
        path: A file ending in .csv, .tsv, .jsonl, .ndjson, .json, .xml or .parquet; all but the last may be gzipped.
        limits: How much of it is read.

    Returns:
        The hash is of the bytes as they lie on disk. JSON that is several documents, one a line, is `jsonl`.

    Raises:
        SourceError: The file is missing, damaged, of another kind, or larger than a limit.
    """
    sha256, content = _read(path, _is_zipped(path), limits)
    kind = _kind(path)
    if kind != "json":
        return File(path, sha256, kind, content, None, limits)
    is_list = _LIST.match(content) is not None
    try:
        document = _parse_json(path, content, limits)
    except ValueError as error:
        if is_list:
            raise SourceError(f"{path}: not valid JSON: {error}; export it again") from None
        return File(path, sha256, "jsonl", content, None, limits)
    return File(path, sha256, kind, b"", document, limits)


def _read(path: Path, is_zipped: bool, limits: InputLimits) -> tuple[str, bytes]:
    """Return the hash of a file's bytes, and its content unzipped; nothing beyond the limit is read."""
    try:
        with open_file(path) as file:
            hashed = _HashedReader(file)
            source: Any = gzip.GzipFile(fileobj=cast(BinaryIO, hashed)) if is_zipped else hashed
            held = io.BytesIO()
            while block := source.read(BLOCK_BYTES):
                held.write(block)
                if held.tell() > limits.bytes:
                    refuse_size(str(path), "bytes" + " when it is unzipped" * is_zipped, limits, "bytes")
            return hashed.digest.hexdigest(), held.getvalue()
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(f"{path}: damaged: {error}; fetch it again") from None
    except (OSError, ValueError) as error:  # a name that is none
        raise SourceError(f"{path}: cannot be read: {getattr(error, 'strerror', error)}; name a file") from None


class _HashedReader:
    """A file that hashes the bytes that are read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        content = self._file.read(size)
        self.digest.update(content)
        return content


def _parse_json(path: Path, content: bytes, limits: InputLimits) -> Any:
    """Return what JSON says.

    Raises:
        ValueError: It is none.
        SourceError: It holds more values than the limit, or nests them deeper.
    """
    if count_json_values(content) > limits.values:
        refuse_size(str(path), "values", limits, "values")
    too_deep = SourceError(
        f"{path}: lists and objects in each other, more than {limits.depth} levels; flatten it, or allow more with "
        "--limit depth=NUMBER"
    )
    text = content.decode("utf-8-sig")
    try:
        document = json.loads(text, parse_constant=read_constant)
    except RecursionError:
        raise too_deep from None
    if may_be_deep(text, limits.depth) and is_too_deep(document, limits.depth):
        raise too_deep
    return document


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
    return list({"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[file.format](file))


def _kind(path: Path) -> str:
    endings = [ending.lower() for ending in path.suffixes]
    ending = endings[-2] if endings[-1:] == [".gz"] and len(endings) > 1 else "".join(endings[-1:])
    if ending not in ENDINGS or (ending == ".parquet" and endings[-1] == ".gz"):
        raise SourceError(f"{path}: ends in none of {', '.join(ENDINGS)} (or these with .gz); rename or convert it")
    return ENDINGS[ending]


def _is_zipped(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def _csv(file: File) -> Iterator[Row | BadRow]:
    return delimited_rows(str(file.path), open_text(file.content), file.limits)


def _jsonl(file: File) -> Iterator[Row | BadRow]:
    return json_rows(_lines(file), file.limits.depth, is_lenient=True)


def _lines(file: File) -> Iterator[Line | BadRow]:
    """Yield the lines of a file until they hold more values than the limit allows."""
    content, most, values = io.BytesIO(file.content), file.limits.row_bytes, 0
    content.seek(len(BYTE_ORDER_MARK) if file.content.startswith(BYTE_ORDER_MARK) else 0)
    for number, line in enumerate(content, 1):
        values += 1 + count_json_values(line)
        if values > file.limits.values:
            refuse_size(str(file.path), "values", file.limits, "values")
        if len(line) > most + 2:
            yield BadRow(number, "row_too_long", evidence(f"over {most} bytes: ".encode() + line[:1024]))
        else:
            yield Line(number, line.removesuffix(b"\n").removesuffix(b"\r"))


def _parquet(file: File) -> Iterator[Row | BadRow]:
    import pyarrow as pa

    from cupel.sources.parquet_rows import batch_rows, measure_unpacked, open_packed

    name, limits, first, size = str(file.path), file.limits, 1, 0
    try:
        with open_packed(io.BytesIO(file.content)) as opened:
            columns, about = opened.schema_arrow.names, opened.metadata
            check_header(name, columns, limits)
            if about.num_rows * len(columns) > limits.values:
                refuse_size(name, "values", limits, "values")
            for batch in opened.iter_batches(PARQUET_ROWS):
                size += measure_unpacked(batch)
                if size > limits.bytes:
                    refuse_size(name, "bytes when it is unpacked", limits, "bytes")
                yield from batch_rows(batch, first, limits.row_bytes)
                first += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{name}: not a Parquet file: {error}; export it again") from None


def tool_records(file: File) -> list[Row | BadRow]:
    """Return the records of JSON or JSON Lines; of a page of an API, which holds them under `docs`, those."""
    document: Any = file.document
    if isinstance(document, dict) and isinstance(document.get("docs"), list):
        return [
            Row(number, entry) if isinstance(entry, dict) else BadRow(number, "not_an_object", evidence(entry))
            for number, entry in enumerate(document["docs"], 1)
        ]
    return records(file)


def first_records(file: File, most: int = 1_000) -> list[dict[str, Any]]:
    """Return the records of JSON, or the first lines of JSON Lines, that could be taken apart; none of other formats.

    A tool is known by them: no more lines are parsed than `most`.
    """
    if file.format not in ("json", "jsonl"):
        return []
    rows = islice(_jsonl(file), most) if file.format == "jsonl" else tool_records(file)
    return [row.values for row in rows if isinstance(row, Row)]


def first_record(file: File) -> dict[str, Any] | None:
    """Return the first record of JSON or JSON Lines that could be taken apart; None of other formats."""
    return next(iter(first_records(file)), None)
