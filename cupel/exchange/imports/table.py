"""A plain table of answers: a row is what one annotator said of one item."""

from collections.abc import Iterable, Iterator

from cupel.errors import SourceError
from cupel.exchange.imports.columns import Columns, choose_columns, describe_columns
from cupel.exchange.imports.file import File, records
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Annotation, Notice, Read, UnreadKey, as_id, as_seconds, as_time
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row, evidence

SECONDS_NAMES = ("seconds_spent", "lead_time", "seconds", "duration_seconds")
TIME_NAMES = ("answered_at", "updated_at", "created_at", "completed_at", "timestamp")


def read_table(file: File, options: ReadOptions) -> Read:
    """Yield the annotations of a table.

    Yields:
        Annotations in the file's order, what is not understood, which column was taken for what, and the columns whose
        values differ among the answers on one item.

    Raises:
        SourceError: A named column is missing, none looks like a label, or none names the item.
    """
    rows = records(file)
    names = list(dict.fromkeys(column for row in rows if isinstance(row, Row) for column in row.values))
    if not names:
        yield from rows_without_columns(rows)
        return
    columns = choose_table_columns(str(file.path), names, options)
    yield Notice(f"{file.path.name}: {describe_columns(columns, options[:4])}")
    yield from table_rows(file.path.name, rows, columns, names, options)


def choose_table_columns(name: str, names: list[str], options: ReadOptions) -> Columns:
    """Return which column is what.

    Raises:
        SourceError: A named column is missing, none looks like a label, or none names the item.
    """
    called = {"label": options.option("question"), "id": options.option("id_field")}
    columns = choose_columns(name, names, options.question, options.id_field, options.text, options.annotator, called)
    if columns.id is None and not options.has_no_ids:
        raise SourceError(
            f"{name}: no column names the item: {', '.join(map(repr, names[:20]))}; name one with "
            f"{options.option('id_field')}, or say --no-ids if every row is an item of its own"
        )
    return columns


def table_rows(
    name: str, rows: Iterable[Row | BadRow], columns: Columns, names: list[str], options: ReadOptions
) -> Iterator[Annotation | BadRow | UnreadKey]:
    """Yield a table's rows as annotations; an item without an id column is named by file and line."""
    seconds, time = (next((one for one in wanted if one in names), None) for wanted in (SECONDS_NAMES, TIME_NAMES))
    own = {*columns, seconds, time} - {columns.text}
    shown: dict[str, dict[str, object]] = {}
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        values = row.values
        item = as_id(values.get(columns.id)) if columns.id else f"{name}:{row.line}"
        found = values.get(columns.label)
        answer = options.read(row.line, found if isinstance(found, list) else [found])
        if item is None:
            yield BadRow(row.line, "missing_id", evidence(values))
            continue
        if isinstance(answer, BadRow):
            yield answer._replace(evidence=answer.evidence or evidence(item))
            continue
        fields = {column: value for column, value in values.items() if column not in own}
        yield Annotation(
            row.line, item, answer, as_id(values.get(columns.annotator)) if columns.annotator else None,
            as_seconds(read_number(values.get(seconds))) if seconds else None,
            as_time(values.get(time)) if time else None,
            fields=fields,
            content=value_text(values.get(columns.text)) if columns.text else None,
        )  # fmt: skip
        first = shown.setdefault(item, fields)
        for column in fields if first is not fields else ():
            if column != columns.text and fields[column] not in (first.get(column), None, ""):
                yield UnreadKey(row.line, column, evidence(fields[column]))


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


TABLE = Tool("table", lambda file: file.format != "xml", read_table, is_table=True)
