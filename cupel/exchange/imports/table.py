"""A plain table of answers: a row is what one annotator said of one item, or a column is what one annotator said."""

from collections.abc import Iterable, Iterator, Sequence

from cupel.errors import SourceError
from cupel.exchange.imports.answer_rows import (
    check_named,
    is_true,
    read_number,
    read_rows,
    read_time,
    rows_without_columns,
)
from cupel.exchange.imports.answer_states import state_of
from cupel.exchange.imports.columns import (
    ANNOTATOR_NAMES,
    CONTENT_NAMES,
    ID_NAMES,
    LABEL_NAMES,
    Columns,
    choose_columns,
    describe_columns,
    guess_column,
    list_columns,
)
from cupel.exchange.imports.file import File
from cupel.exchange.imports.table_columns import (
    NOTHING_SPECIAL,
    SpecialColumns,
    describe_special,
    find_annotator_columns,
    find_special,
    name_classes,
    place_id,
)
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Annotation, Found, Notice, Read, UnreadKey, as_id, as_seconds
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
    rows, names = read_rows(file)
    rows = name_classes(file, rows, options.classes)
    name = file.path.name
    if not names:
        yield from rows_without_columns(rows)
    elif options.annotators:
        yield from read_annotator_columns(name, rows, names, options)
    else:
        refuse_annotator_columns(str(file.path), names, rows, options)
        columns = choose_table_columns(str(file.path), names, options)
        special = find_special(names, rows, columns.label)
        yield Notice(f"{name}: {describe_columns(columns, options[:4])}")
        yield from (Notice(f"{name}: {told}") for told in describe_special(special))
        yield from table_rows(name, rows, columns, names, options, special)


def choose_table_columns(name: str, names: list[str], options: ReadOptions) -> Columns:
    """Return which column is what.

    Raises:
        SourceError: A named column is missing, none looks like a label, or none names the item.
    """
    called = {"label": options.option("question"), "id": options.option("id_field")}
    columns = choose_columns(name, names, options.question, options.id_field, options.text, options.annotator, called)
    if columns.id is None and not options.has_no_ids:
        raise SourceError(_say_no_ids(name, names, options))
    return columns


def refuse_annotator_columns(
    name: str, names: Sequence[str], rows: Iterable[Row | BadRow], options: ReadOptions
) -> None:
    """Refuse a table that seems to have a column an annotator, where none was named.

    Raises:
        SourceError: Columns look like that, and neither the label's column nor that of who answered is named. A label's
            column beside them, told by its name, may be what was decided, and is no person's answer.
    """
    if options.question is not None or guess_column(names, ANNOTATOR_NAMES) is not None:
        return
    label = guess_column(names, LABEL_NAMES)
    roles = {guess_column(names, ID_NAMES), guess_column(names, CONTENT_NAMES), options.id_field, options.text, label}
    found = find_annotator_columns([one for one in names if one not in roles], rows if label is None else ())
    if not found:
        return
    beside = f", or name {label!r} with {options.option('question')} to read that" if label is not None else ""
    raise SourceError(
        f"{name}: {list_columns(found)} look like a column an annotator; name them with "
        f"{options.option('annotators')} {','.join(found[:5])}{beside}"
    )


def table_rows(
    name: str, rows: Iterable[Row | BadRow], columns: Columns, names: list[str], options: ReadOptions,
    special: SpecialColumns = NOTHING_SPECIAL,
) -> Iterator[Found]:  # fmt: skip
    """Yield a table's rows as annotations; an item without an id column is named by file and line."""
    seconds, time = (guess_column(names, wanted) for wanted in (SECONDS_NAMES, TIME_NAMES))
    unread_time: object = None
    own = {*columns, seconds, time, special.truth, *special.states.words, *special.states.flags} - {columns.text}
    shown: dict[str, dict[str, object]] = {}
    counts: dict[str, int] = {}
    people: set[str | None] = set()
    labels: set[str] = set()
    answers = 0
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        values = row.values
        item = as_id(values.get(columns.id)) if columns.id else f"{name}:{row.line}"
        if item is None:
            yield BadRow(row.line, "missing_id", evidence(values))
            continue
        item = place_id(item, values, special.place, counts) if special.place else item
        if (state := state_of(values, special.states)) is not None:
            yield BadRow(row.line, state, evidence(item))
            continue
        answer = options.read(row.line, as_choices(values.get(columns.label)))
        if isinstance(answer, BadRow):
            yield answer._replace(evidence=answer.evidence or evidence(item))
            continue
        fields = {column: value for column, value in values.items() if column not in own}
        who = as_id(values.get(columns.annotator)) if columns.annotator else None
        answered_at = read_time(values.get(time)) if time else None
        unread_time = unread_time or (values.get(time) if time and answered_at is None else None)
        yield Annotation(
            row.line, item, answer, who,
            as_seconds(read_number(values.get(seconds))) if seconds else None,
            answered_at,
            special.truth is not None and is_true(values.get(special.truth)),
            fields,
            value_text(values.get(columns.text)) if columns.text else None,
        )  # fmt: skip
        answers += 1
        people.add(who)
        labels.add(answer)
        first = shown.setdefault(item, fields)
        for column in fields if first is not fields else ():
            if column != columns.text and fields[column] not in (first.get(column), None, ""):
                yield UnreadKey(row.line, column, evidence(fields[column]))
    if unread_time is not None and columns.annotator is not None:
        yield Notice(
            f"{name}: {time!r} is not read as a time, as {evidence(unread_time)!r}: of an annotator's answers on one "
            "item the last in the file counts; write times as 2024-05-01T10:00:00"
        )
    yield from _notice_oddities(name, columns, len(people), len(shown) == answers, labels, options)


def _notice_oddities(
    name: str, columns: Columns, people: int, is_item_a_row: bool, labels: set[str], options: ReadOptions
) -> Iterator[Notice]:
    if people > 1 and is_item_a_row and columns.id is not None:
        yield Notice(
            f"{name}: {people:,} people answered, and no two of them the same item: if {columns.id!r} numbers answers, "
            f"name the item's column with {options.option('id_field')}"
        )
    if "-1" in labels and all(label.lstrip("-").isdecimal() for label in labels) and "-1" not in options.classes:
        yield Notice(
            f"{name}: the class -1 is imported as it stands; many data sets write it where an item has no label: "
            "--classes with the others leaves it out"
        )


def read_annotator_columns(
    name: str, rows: Iterable[Row | BadRow], names: list[str], options: ReadOptions
) -> Iterator[Found]:
    """Yield the annotations of a table with a column an annotator; an empty cell is no answer and not told one by one.

    Raises:
        SourceError: A named column is missing or has two roles, or none names the item.
    """
    option = options.option("annotators")
    there = frozenset(names)
    if missing := [one for one in options.annotators if one not in there]:
        raise SourceError(f"{name}: no column {missing[0]!r} ({option}); the file has {list_columns(names)}")
    if options.question is not None or options.annotator is not None:
        raise SourceError(
            f"{name}: {option} says where labels and annotators stand; leave out {options.option('question')} and "
            f"{options.option('annotator')}"
        )
    check_named(name, names, options)
    people = frozenset(options.annotators)
    others = [one for one in names if one not in people]
    item = options.id_field or guess_column(others, ID_NAMES)
    text = options.text or guess_column([one for one in others if one != item], CONTENT_NAMES)
    if item is None and not options.has_no_ids:
        raise SourceError(_say_no_ids(name, others, options))
    if people & {item, text}:
        raise SourceError(f"{name}: a column of {option} is also named for another role; name another")
    roles = (("item", item), ("text", text))
    said = "; ".join(f"{role}: {column!r}" if column else f"{role}: no column" for role, column in roles)
    yield Notice(f"{name}: {said}; a column an annotator: {list_columns(options.annotators)} (named)")
    label = guess_column(others, LABEL_NAMES)
    empty = 0
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        found, count = _read_wide_row(name, row, item, text, label, options)
        yield from found
        empty += count
    if empty:
        yield Notice(f"{name}: {empty:,} cells of annotators are empty: not answered")


def _read_wide_row(
    name: str, row: Row, item_column: str | None, text: str | None, label: str | None, options: ReadOptions
) -> tuple[list[Found], int]:
    """Return what a row holds, and how many of its cells are empty."""
    values = row.values
    item = as_id(values.get(item_column)) if item_column else f"{name}:{row.line}"
    if item is None:
        return [BadRow(row.line, "missing_id", evidence(values))], 0
    own = {*options.annotators, item_column, label}
    fields = {column: value for column, value in values.items() if column not in own}
    content = value_text(values.get(text)) if text else None
    given = [one for one in options.annotators if value_text(values.get(one))]
    found: list[Found] = []
    for who in given:
        answer = options.read(row.line, as_choices(values[who]))
        if isinstance(answer, BadRow):
            found.append(answer._replace(evidence=evidence(f"{item}, {who}: {answer.evidence}")))
        else:
            found.append(Annotation(row.line, item, answer, who, fields=fields, content=content))
    if not given:
        found.append(BadRow(row.line, "no_answer", evidence(item)))
    if label is not None and value_text(values.get(label)):
        found.append(UnreadKey(row.line, label, evidence(values[label])))
    return found, len(options.annotators) - len(given)


def as_choices(cell: object) -> list[object]:
    """Return the choices of a cell: those of a list, or the cell itself."""
    return cell if isinstance(cell, list) else [cell]


def _say_no_ids(name: str, names: Sequence[str], options: ReadOptions) -> str:
    return (
        f"{name}: no column names the item: {list_columns(names)}; name one with {options.option('id_field')}, or say "
        "--no-ids if every row is an item of its own"
    )


TABLE = Tool("table", lambda file: file.format != "xml", read_table, is_table=True)
