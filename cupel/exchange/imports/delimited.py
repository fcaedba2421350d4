"""Delimited text as people save it: comma, semicolon or tab; UTF-8, UTF-16 or a Windows code page; rows recovered."""

import csv
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from cupel.errors import SourceError
from cupel.sources.empty_rows import drop_last_empty_rows
from cupel.sources.reasons import BadRow, Row, evidence

DELIMITERS = (",", ";", "\t", "|")
# A quoted field that spans more lines than this was never closed.
MAX_LINES_OF_A_ROW = 1_000
MAX_FIELD_CHARACTERS = 1 << 27
# What decoding leaves of bytes that are no UTF-8.
_SURROGATE = re.compile("[\ud800-\udfff]")


class Decoded(NamedTuple):
    """A file's text; bytes that are not in its encoding stand as lone surrogates."""

    text: str
    encoding: str


def decode(content: bytes, fallback: str | None = None) -> Decoded:
    """Return bytes as text, by byte order mark, else as UTF-8.

    Args:
        content: A whole file.
        fallback: Encoding to take when the bytes are not UTF-8; None keeps such bytes as lone surrogates,
            so that the rows that hold them can be named.

    Returns:
        Text without byte order mark, and the encoding.

    >>> decode(b"\\xef\\xbb\\xbfid;label").text
    'id;label'
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Decoded(content.decode("utf-16", "replace"), "utf-16")
    content = content.removeprefix(b"\xef\xbb\xbf")
    if fallback is not None:
        try:
            return Decoded(content.decode("utf-8"), "utf-8")
        except UnicodeDecodeError:
            return Decoded(content.decode(fallback, "replace"), fallback)
    return Decoded(content.decode("utf-8", "surrogateescape"), "utf-8")


def delimited_rows(name: str, text: str) -> Iterator[Row | BadRow]:
    """Yield a row a record; the first record is the header and is not yielded.

    Args:
        name: The file, for errors.
        text: Its text, as `decode` returns it.

    Yields:
        Rows in order, each with the line it starts on. A record that cannot be taken apart costs one line:
        reading goes on with the next. Empty lines at the end are no rows.

    Raises:
        SourceError: There is no header, or it names a column twice.
    """
    return drop_last_empty_rows(_rows(name, text))


def _rows(name: str, text: str) -> Iterator[Row | BadRow]:
    lines = _lines(text)
    delimiter = _delimiter(lines[0] if lines else "")
    header: list[str] | None = None
    for line, fields, raw in _records(lines, delimiter):
        if header is None:
            header = _header(name, fields)
        elif not raw.strip():
            yield BadRow(line, "empty_row", "")
        elif fields is None:
            yield BadRow(line, "unclosed_quote" if raw.count('"') % 2 else "broken_csv", evidence(raw))
        elif problem := _problem(raw):
            yield BadRow(line, problem, evidence(raw.encode("utf-8", "surrogateescape")))
        elif len(fields) != len(header):
            yield BadRow(line, "field_count", evidence(f"{len(fields)} fields for {len(header)}: {raw[:200]}"))
        else:
            yield Row(line, dict(zip(header, fields, strict=True)))
    if header is None:
        raise SourceError(f"{name}: the file is empty; expected a header row and rows of labels")


def _lines(text: str) -> list[str]:
    """Split at line ends only: form feeds and Unicode separators are part of a text."""
    pieces = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return pieces[:-1] if pieces and not pieces[-1] else pieces


def _delimiter(header: str) -> str:
    """Return the delimiter that the header holds most often outside quotes; a comma where it holds none."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=lambda delimiter: (outside.count(delimiter), -DELIMITERS.index(delimiter)))


def _records(lines: list[str], delimiter: str) -> Iterator[tuple[int, list[str] | None, str]]:
    """Yield each record's first line, its fields (None where quotes are broken) and its text."""
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    position = 0
    while position < len(lines):
        line = lines[position]
        if '"' not in line:
            yield position + 1, line.split(delimiter), line
            position += 1
            continue
        reader = csv.reader(
            (f"{piece}\n" for piece in islice(lines, position, position + MAX_LINES_OF_A_ROW)),
            delimiter=delimiter,
            strict=True,
        )
        try:
            fields: list[str] | None = next(reader)
            used = reader.line_num
        except csv.Error:
            fields, used = None, 1
        yield position + 1, fields, "\n".join(lines[position : position + used])
        position += used


def _header(name: str, fields: list[str] | None) -> list[str]:
    if fields is None:
        raise SourceError(f"{name}, line 1: the header's quotes are broken; mend them")
    header = [field.strip() for field in fields]
    twice = sorted({field for field in header if header.count(field) > 1})
    if twice:
        raise SourceError(f"{name}, line 1: the header names {evidence(', '.join(twice))!r} twice; rename one of them")
    return header


def _problem(raw: str) -> str | None:
    if "\0" in raw:
        return "nul_byte"
    return "wrong_encoding" if _SURROGATE.search(raw) else None
