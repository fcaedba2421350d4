"""Rows of a tool's table as answers: which column is what, and what is told of the others."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from cupel.errors import SourceError
from cupel.exchange.imports.columns import (
    CONTENT_NAMES,
    Columns,
    describe_columns,
    guess_column,
    list_columns,
)
from cupel.exchange.imports.delimited import DELIMITERS, decode
from cupel.exchange.imports.file import File, records
from cupel.exchange.imports.tool import ReadOptions
from cupel.people.tool_annotation import (
    Annotation,
    Found,
    Notice,
    UnreadKey,
    as_id,
    as_seconds,
    as_time,
    unread_keys,
)
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row, evidence

# A header that is longer is no tool's: tools name some hundred columns of some ten characters.
MOST_HEADER_BYTES = 1 << 20
# What `unread_keys` passes over.
EMPTY: tuple[object, ...] = (None, "", [], {}, False)
_NUMBER = re.compile(r"\d+(?:\.\d*)?\Z")
# What forms write for a field that nobody filled.
NOTHING = "{}"


class AnswerRoles(NamedTuple):
    """Columns of a table of answers by role.

    Attributes:
        label: Name of the question whose answer is the label.
        item: Column of the item's id.
        annotator: Column of who answered.
        text: Column that shows the item.
        shown: Columns of the item.
        read: Columns that are read, as those of the question, the state, the time.
        seconds: Column of the seconds that the answer took.
        time: Column of the time of the answer.
        read_time: Reads that time.
    """

    label: str
    item: str
    annotator: str | None
    text: str | None
    shown: tuple[str, ...]
    read: frozenset[str]
    seconds: str | None = None
    time: str | None = None
    read_time: Callable[[object], datetime | None] = as_time


class UnreadColumns(NamedTuple):
    """Columns that are not used, and what was first found in each: a column is told many times, by one object."""

    names: tuple[str, ...]
    first: dict[str, UnreadKey]


def find_unread(names: Iterable[str], roles: AnswerRoles) -> UnreadColumns:
    """Return the columns of a table that have no role."""
    used = {roles.item, roles.annotator, roles.seconds, roles.time, *roles.shown, *roles.read}
    return UnreadColumns(tuple(name for name in names if name not in used), {})


def tell_unread(row: Row, unread: UnreadColumns) -> Iterator[UnreadKey]:
    """Yield the columns that are not used and that a row fills."""
    for name in unread.names:
        if name in unread.first:
            if row.values.get(name) not in EMPTY:
                yield unread.first[name]
        else:
            for found in unread_keys(row.line, "", {name: row.values.get(name)}, ()):
                yield unread.first.setdefault(name, found)


def header_names(file: File) -> list[str]:
    """Return the names of the columns of a table as its first line or record has them; of other files none."""
    if file.format == "csv":
        line = next(iter(decode(file.content[:MOST_HEADER_BYTES]).text.splitlines()), "")
        delimiter = max(DELIMITERS, key=line.count)
        try:
            return [name.strip() for name in next(csv.reader([line], delimiter=delimiter), [])]
        except csv.Error:
            return []
    if file.format == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return list(pq.read_schema(io.BytesIO(file.content)).names)
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            return []
    first: Any = file.document
    if file.format == "jsonl":
        line_of_json = next((one for one in file.content[:MOST_HEADER_BYTES].splitlines() if one.strip()), b"")
        try:
            first = json.loads(line_of_json)
        except (ValueError, RecursionError):
            first = None
    if isinstance(first, list):
        first = next((one for one in first if isinstance(one, dict)), None)
    return list(first) if isinstance(first, dict) else []


def read_rows(file: File) -> tuple[list[Row | BadRow], list[str]]:
    """Return the rows of a table and the names of its columns, each once, in their order."""
    rows = records(file)
    return rows, list(dict.fromkeys(column for row in rows if isinstance(row, Row) for column in row.values))


def check_named(name: str, names: Sequence[str], options: ReadOptions) -> None:
    """Check that columns that were named for the item, the annotator and the text are there, each for one role.

    Raises:
        SourceError: One is missing, or has two roles.
    """
    there = frozenset(names)
    taken: dict[str, str] = {}
    for role in ("id_field", "annotator", "text"):
        column = getattr(options, role)
        if column is None:
            continue
        if column not in there:
            raise SourceError(
                f"{name}: no column {column!r} ({options.option(role)}); the file has {list_columns(names)}"
            )
        if column in taken and "text" not in (role, taken[column]):
            raise SourceError(f"{name}: column {column!r} is named for two roles; name another for one of them")
        taken[column] = role


def choose_question(
    name: str, asked: Sequence[str], options: ReadOptions, prefix: str = "", there: Sequence[str] = ()
) -> str:
    """Return the question whose answer is the label: the only one, or the one that was named.

    Args:
        name: The file, for errors.
        asked: The questions that the file asks.
        options: Name the question.
        prefix: What stands before a question's name in the header; it may be left out.
        there: Columns to choose from where no question is recognised.

    Raises:
        SourceError: There are several and none was named, or the one named is not there.
    """
    option = options.option("question")
    wanted = options.question
    if wanted is None:
        if len(asked) == 1:
            return asked[0]
        if not asked:
            among = f": {list_columns(there)}" if there else ""
            raise SourceError(f"{name}: no column looks like a question's answer; name one with {option}{among}")
        raise SourceError(f"{name}: asks several questions ({list_columns(asked)}); name one with {option}")
    found = next((one for one in (wanted, f"{prefix}{wanted}") if one in asked), None)
    if found is None:
        raise SourceError(f"{name}: no question {wanted!r} ({option}); there is {list_columns(asked) or 'none'}")
    return found


def choose_text(shown: Sequence[str], options: ReadOptions) -> str | None:
    """Return the column that shows the item: the one that was named, else the only one, else by its name."""
    if options.text is not None or len(shown) == 1:
        return options.text or shown[0]
    return guess_column(shown, CONTENT_NAMES)


def describe_roles(name: str, roles: AnswerRoles, options: ReadOptions) -> Notice:
    """Return which column is taken for what."""
    columns = Columns(roles.label, roles.item, roles.text, roles.annotator)
    return Notice(f"{name}: {describe_columns(columns, options[:4])}")


def read_answer(
    row: Row, roles: AnswerRoles, unread: UnreadColumns, choices: Iterable[object], options: ReadOptions, *,
    state: str | None = None,
) -> Iterator[Found]:  # fmt: skip
    """Yield the answer of a row, or why there is none, and the columns that are not used.

    Args:
        row: The row.
        roles: Its columns.
        unread: Those that have no role.
        choices: What was chosen.
        options: Say how choices are read.
        state: Why the answer does not count, a reason of IMPORT_REASONS; None: it does.
    """
    values = row.values
    item = as_id(values.get(roles.item))
    who = as_id(values.get(roles.annotator)) if roles.annotator else None
    if item is None:
        yield BadRow(row.line, "missing_id", evidence(values))
        return
    if state is not None:
        yield BadRow(row.line, state, evidence(f"{item}, {who}"))
        return
    answer = options.read(row.line, choices)
    if isinstance(answer, BadRow):
        yield answer._replace(evidence=answer.evidence or evidence(f"{item}, {who}"))
    else:
        yield Annotation(
            row.line, item, answer, who,
            as_seconds(read_number(values.get(roles.seconds))) if roles.seconds else None,
            roles.read_time(values.get(roles.time)) if roles.time else None,
            False,
            {column: values.get(column) for column in roles.shown if column != roles.item},
            value_text([value_text(values.get(column)) for column in roles.shown]) if roles.shown else None,
        )  # fmt: skip
    yield from tell_unread(row, unread)


def read_choices(answer: object) -> list[object]:
    """Return what a crowd element's answer chooses: its label or labels, the options that are true, or itself.

    >>> read_choices({"label": "cat"}), read_choices({"cat": True, "dog": False}), read_choices({"on": False})
    (['cat'], ['cat'], [False])
    """
    if isinstance(answer, dict):
        if set(answer) in ({"label"}, {"labels"}):
            return read_choices(next(iter(answer.values())))
        if answer and all(isinstance(one, bool) for one in answer.values()):
            return list(answer.values()) if set(answer) == {"on"} else [key for key, one in answer.items() if one]
    # A form's field that nobody filled.
    if answer == NOTHING:
        return []
    return list(answer) if isinstance(answer, list) else [answer]


def rows_without_columns(rows: Iterable[Row | BadRow]) -> Iterator[BadRow]:
    """Yield the rows of a table in which no row could be taken apart, or none has a field."""
    for row in rows:
        yield row if isinstance(row, BadRow) else BadRow(row.line, "empty_row", "")


def read_number(value: object) -> object:
    """Return a number that is written as text, or the value as it is; None where the text is no number."""
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return None


def read_time(value: object) -> datetime | None:
    """Return a time: as ISO writes it, or a number of seconds, milli- or microseconds since 1970, also as text.

    >>> read_time("1714557600") == read_time(1714557600000) == read_time("2024-05-01T10:00:00Z")
    True
    """
    if isinstance(value, str) and _NUMBER.match(value.strip()):
        value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Seconds of our century are below 10^11, and milliseconds below 10^14.
        value = value * 1000 if abs(value) < 1e11 else value / 1000 if abs(value) >= 1e14 else value
    return as_time(value.strip() if isinstance(value, str) else value)


def is_true(value: object) -> bool:
    """Tell whether a cell says true, as tools write it.

    >>> is_true("TRUE"), is_true(1.0), is_true("no")
    (True, True, False)
    """
    return (value_text(value) or "").casefold() in ("true", "1", "yes", "t", "x")
