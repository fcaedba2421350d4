"""CSV with a header row: records, which may span lines, to rows. RFC 4180, and nothing looser."""

import re
from collections import deque
from collections.abc import Iterable, Iterator

from cupel.errors import SourceError
from cupel.sources.empty_rows import drop_last_empty_rows
from cupel.sources.input_limits import check_header
from cupel.sources.json_rows import decoded
from cupel.sources.lines import Line
from cupel.sources.reasons import BadRow, Row, evidence, explain_header

_BARE = re.compile(rb'[^",]*+')
_QUOTED = re.compile(rb'(?:[^"]++|"")*+')


class _Record:
    """A record while its lines come in: fields closed so far, and the pieces of one that is still open."""

    def __init__(self) -> None:
        self.fields: list[bytes] = []
        self.open: list[bytes] | None = None

    def feed(self, line: bytes) -> bool:
        """Take one more line; tell whether quotes are placed as CSV allows."""
        position = 0
        if self.open is not None:
            self.open.append(b"\n")
            position = self._quoted(line, 0)
            if position < 0:
                return self.open is not None
        while position <= len(line):
            if line[position : position + 1] == b'"':
                self.open = []
                position = self._quoted(line, position + 1)
                if position < 0:
                    return self.open is not None
            else:
                end = _BARE.match(line, position).end()  # type: ignore[union-attr]
                if line[end : end + 1] == b'"':
                    return False
                self.fields.append(line[position:end])
                position = end + 1
        return True

    def _quoted(self, line: bytes, start: int) -> int:
        """Read on in a quoted field; return where the next field starts, or -1 when it stays open or breaks."""
        pieces = self.open if self.open is not None else []
        end = _QUOTED.match(line, start).end()  # type: ignore[union-attr]
        pieces.append(line[start:end])
        if end == len(line):
            return -1
        self.open = None
        if line[end + 1 : end + 2] not in (b"", b","):
            return -1
        self.fields.append(b"".join(pieces).replace(b'""', b'"'))
        return end + 2


def csv_rows(
    name: str, lines: Iterable[Line | BadRow], needed: tuple[str, ...], max_row_bytes: int
) -> Iterator[Row | BadRow]:
    """Yield a row a CSV record; the line of a record is the one it starts on. Empty lines at the end are none.

    Args:
        name: The file, for errors.
        lines: Its lines; the first is the header.
        needed: Fields that the header must name.
        max_row_bytes: A record that stays open for longer counts as an unclosed quote. Its first line is
            rejected and reading goes on with the next, so one stray quote costs one row.

    Raises:
        SourceError: The header cannot be read, names a field twice, or lacks a needed one.
    """
    return drop_last_empty_rows(_rows(name, lines, needed, max_row_bytes))


def _rows(
    name: str, lines: Iterable[Line | BadRow], needed: tuple[str, ...], max_row_bytes: int
) -> Iterator[Row | BadRow]:
    source = iter(lines)
    header: list[str] | None = None
    for record in _records(source, max_row_bytes):
        if isinstance(record, BadRow) and (header is not None or record.reason == "unreadable_file"):
            yield record
        elif header is None:
            header = _header(name, record, needed)
        elif not isinstance(record, BadRow):
            yield _row(record, header)


def _records(lines: Iterator[Line | BadRow], max_row_bytes: int) -> Iterator[BadRow | tuple[Line, list[bytes]]]:
    """Yield each record's lines joined, and its fields; a record that never closes gives its later lines back."""
    again: deque[Line | BadRow] = deque()
    while True:
        line = again.popleft() if again else next(lines, None)
        if line is None:
            return
        if isinstance(line, BadRow):
            yield line
        elif b'"' not in line.content:
            yield line, line.content.split(b",")
        else:
            yield _quoted_record(line, again, lines, max_row_bytes)


def _quoted_record(
    first: Line, again: deque[Line | BadRow], lines: Iterator[Line | BadRow], max_row_bytes: int
) -> BadRow | tuple[Line, list[bytes]]:
    record, size = _Record(), len(first.content)
    if not record.feed(first.content):
        return BadRow(first.line, "broken_csv", evidence(first.content))
    held: list[Line | BadRow] = []
    contents = [first.content]
    while record.open is not None:
        following = again.popleft() if again else next(lines, None)
        if following is not None:
            held.append(following)
        if isinstance(following, Line):
            size += len(following.content) + 1
            contents.append(following.content)
        if not isinstance(following, Line) or size > max_row_bytes or not record.feed(following.content):
            again.extendleft(reversed(held))
            return BadRow(first.line, "unclosed_quote", evidence(first.content))
    return Line(first.line, b"\n".join(contents)), record.fields


def _header(name: str, record: BadRow | tuple[Line, list[bytes]], needed: tuple[str, ...]) -> list[str]:
    if isinstance(record, BadRow):
        raise SourceError(f"{name}, line {record.line}: the header cannot be read: {record.reason}")
    line, fields = record
    if (problem := explain_header(line.content)) is not None:
        raise SourceError(f"{name}, line {line.line}: the header {problem}")
    header = [field.decode("utf-8") for field in fields]
    check_fields(name, header, needed)
    return header


def check_fields(name: str, fields: list[str], needed: tuple[str, ...]) -> None:
    """Hold a file's field names against what the delivery says.

    Raises:
        SourceError: There are too many, a name stands twice, or a needed one is missing; says what is there.
    """
    check_header(name, fields)
    missing = [field for field in needed if field not in fields]
    if missing:
        there = ", ".join(repr(field[:60]) for field in fields[:20])
        raise SourceError(
            f"{name}: no field {', '.join(map(repr, missing))}; the file has {there}. Set text_field, id_field, "
            "group_field and licence_field of the delivery (a CSV file has a header row and commas between fields)"
        )


def _row(record: tuple[Line, list[bytes]], header: list[str]) -> Row | BadRow:
    line, fields = record
    whole = decoded(line)
    if isinstance(whole, BadRow):
        return whole
    if len(fields) != len(header):
        return BadRow(line.line, "field_count", evidence(f"{len(fields)} fields for {len(header)}: {whole[:200]}"))
    return Row(line.line, dict(zip(header, (field.decode("utf-8") for field in fields), strict=True)))
