"""Delimited text as people save it: comma, semicolon or tab; UTF-8, UTF-16 or a Windows code page; rows recovered."""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from cupel.errors import SourceError
from cupel.sources.empty_rows import drop_last_empty_rows
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits, check_header, limit_values
from cupel.sources.reasons import BadRow, Row, evidence, explain_header

DELIMITERS = (",", ";", "\t", "|")
# A quoted field that spans more lines than this was never closed.
MAX_LINES_OF_A_ROW = 1_000
# A first line by which a file tells Excel its delimiter.
_TOLD_DELIMITER = re.compile(r"(?i)\"?sep=([,;\t|])\"?\s*\Z")
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


def open_text(content: bytes) -> TextIO:
    """Return bytes as text that is decoded as it is read, as `decode` does; line ends are line feeds."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return io.TextIOWrapper(io.BytesIO(content), "utf-16", "replace")
    opened = io.BytesIO(content)
    opened.seek(3 if content.startswith(b"\xef\xbb\xbf") else 0)
    return io.TextIOWrapper(opened, "utf-8", "surrogateescape")


def delimited_rows(name: str, text: str | TextIO, limits: InputLimits = DEFAULT_LIMITS) -> Iterator[Row | BadRow]:
    """Yield a row a record; the first record is the header and is not yielded.

    Args:
        name: The file, for errors.
        text: Its text, as `decode` or `open_text` returns it.
        limits: How many columns and values are read, and how long a row may be.

    Yields:
        Rows in order, each with the line it starts on. A record that cannot be taken apart costs one line:
        reading goes on with the next. Empty lines at the end are no rows.

    Raises:
        SourceError: There is no header, it is no text, names a column twice or too many; or there are too many values.
    """
    opened = io.StringIO(text, newline=None) if isinstance(text, str) else text
    return drop_last_empty_rows(limit_values(name, _rows(name, opened, limits), limits))


def _rows(name: str, text: TextIO, limits: InputLimits) -> Iterator[Row | BadRow]:
    lines = _Lines(text, limits.row_bytes)
    first = lines.look()
    told = _TOLD_DELIMITER.match(first.text) if first is not None else None
    if told is not None:
        lines.take(1)
    delimiter = told[1] if told is not None else _delimiter(first.text) if first is not None else ","
    header: list[str] | None = None
    for line, fields, raw in _records(lines, delimiter, limits.row_bytes):
        if header is None:
            header = _header(name, line, fields, raw, limits)
        elif len(raw) > limits.row_bytes:
            yield BadRow(line, "row_too_long", evidence(f"over {limits.row_bytes} characters: {raw[:200]}"))
        elif not raw.strip():
            yield BadRow(line, "empty_row", "")
        elif fields is None:
            yield BadRow(line, "unclosed_quote" if raw.count('"') % 2 else "broken_csv", evidence(raw))
        elif problem := _problem(raw):
            yield BadRow(line, *problem)
        elif len(fields) != len(header):
            yield BadRow(line, "field_count", evidence(f"{len(fields)} fields for {len(header)}: {raw[:200]}"))
        else:
            yield Row(line, dict(zip(header, fields, strict=True)))
    if header is None:
        raise SourceError(f"{name}: the file is empty; expected a header row and rows of labels")


class _TextLine(NamedTuple):
    """A line without its end, and its number; of one that is too long its beginning, by one character too long."""

    number: int
    text: str


class _Lines:
    """The lines of a text, of which some may be looked at before they are taken.

    Only line ends divide it: form feeds and Unicode separators are part of a text.
    """

    def __init__(self, text: TextIO, most_characters: int) -> None:
        self._text = text
        self._most = most_characters
        self._count = 0
        self._ahead: deque[_TextLine] = deque()

    def look(self, place: int = 0) -> _TextLine | None:
        """Return the line that comes next, or after so many others; None behind the last."""
        while len(self._ahead) <= place:
            line = self._text.readline(self._most + 2)
            if not line:
                return None
            self._count += 1
            if line[-1] != "\n" and len(line) > self._most:
                self._skip()
            self._ahead.append(_TextLine(self._count, line.removesuffix("\n")[: self._most + 1]))
        return self._ahead[place]

    def take(self, count: int) -> list[str]:
        """Take lines that were looked at."""
        return [self._ahead.popleft().text for _ in range(count)]

    def _skip(self) -> None:
        """Read past the rest of a line."""
        while (more := self._text.readline(1 << 20)) and more[-1] != "\n":
            pass


def _delimiter(header: str) -> str:
    """Return the delimiter that the header holds most often outside quotes; a comma where it holds none."""
    outside = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=lambda delimiter: (outside.count(delimiter), -DELIMITERS.index(delimiter)))


def _records(lines: _Lines, delimiter: str, most_characters: int) -> Iterator[tuple[int, list[str] | None, str]]:
    """Yield each record's first line, its fields (None where quotes are broken) and its text."""
    csv.field_size_limit(most_characters)
    while (line := lines.look()) is not None:
        if '"' not in line.text or len(line.text) > most_characters:
            lines.take(1)
            yield line.number, line.text.split(delimiter) if len(line.text) <= most_characters else [], line.text
            continue
        reader = csv.reader(_following(lines, most_characters), delimiter=delimiter, strict=True)
        try:
            fields: list[str] | None = next(reader)
            used = reader.line_num
        except csv.Error:
            fields, used = None, 1
        yield line.number, fields, "\n".join(lines.take(used))


def _following(lines: _Lines, most_characters: int) -> Iterator[str]:
    """Yield the lines that a record may go on with."""
    size = 0
    for place in range(MAX_LINES_OF_A_ROW):
        line = lines.look(place)
        size += 0 if line is None else len(line.text) + 1
        if line is None or size > most_characters + 1:
            return
        yield f"{line.text}\n"


def _header(name: str, line: int, fields: list[str] | None, raw: str, limits: InputLimits) -> list[str]:
    where = f"{name}, line {line}"
    if len(raw) > limits.row_bytes:
        raise SourceError(
            f"{where}: a header of over {limits.row_bytes:,} characters; is it a table? Allow more with "
            "--limit row_bytes=NUMBER"
        )
    if (problem := explain_header(raw.encode("utf-8", "surrogateescape"))) is not None:
        raise SourceError(f"{where}: the header {problem}")
    if fields is None:
        raise SourceError(f"{where}: the header's quotes are broken; mend them")
    header = [field.strip() for field in fields]
    check_header(where, header, limits)
    return header


def _problem(raw: str) -> tuple[str, str] | None:
    """Return why a record is no text, and what was found."""
    if "\0" in raw:
        return "nul_byte", evidence(raw)
    found = _SURROGATE.search(raw)
    if found is None:
        return None
    before = raw[: found.start()].encode("utf-8", "surrogateescape")
    around = raw[max(0, found.start() - 40) : found.start() + 40].encode("utf-8", "surrogateescape")
    return "wrong_encoding", evidence(f"byte {len(before)}: ".encode() + around)
