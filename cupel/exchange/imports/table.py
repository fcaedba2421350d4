"""A plain table of answers: a row is what one annotator said of one item."""

from cupel.exchange.imports.columns import choose_columns
from cupel.people.tool_annotation import Annotation, Read, ReadChoices, as_id, as_seconds, as_time, one_class
from cupel.sources.reasons import BadRow, Row, evidence

SECONDS_NAMES = ("seconds_spent", "lead_time", "seconds", "duration_seconds")
TIME_NAMES = ("answered_at", "updated_at", "created_at", "completed_at", "timestamp")


def table(
    name: str,
    rows: list[Row | BadRow],
    label: str | None = None,
    id_field: str | None = None,
    annotator: str | None = None,
    read: ReadChoices = one_class,
) -> Read:
    """Yield the annotations of a table.

    Args:
        name: The file, for errors.
        rows: Its rows.
        label: Column of the label; None guesses.
        id_field: Column of the item's id; None guesses.
        annotator: Column of who answered; None guesses.
        read: Returns the label of a row's choices: of its text, or of its list of them.

    Raises:
        SourceError: A named column is missing, or none looks like a label.
    """
    names = list(dict.fromkeys(column for row in rows if isinstance(row, Row) for column in row.values))
    columns = choose_columns(name, names, label, id_field, None, annotator) if names else None
    seconds, time = (next((one for one in wanted if one in names), None) for wanted in (SECONDS_NAMES, TIME_NAMES))
    own = {*(columns or ()), seconds, time} - {columns.text if columns else None}
    for row in rows:
        if isinstance(row, BadRow) or columns is None:
            yield row if isinstance(row, BadRow) else BadRow(row.line, "empty_row", "")
            continue
        values = row.values
        item = as_id(values.get(columns.id)) if columns.id else f"row {row.line}"
        found = values.get(columns.label)
        answer = read(row.line, found if isinstance(found, list) else [found])
        if item is None:
            yield BadRow(row.line, "missing_id", evidence(values))
        elif isinstance(answer, BadRow):
            yield answer
        else:
            yield Annotation(
                row.line, item, answer, as_id(values.get(columns.annotator)) if columns.annotator else None,
                as_seconds(_number(values.get(seconds))) if seconds else None,
                as_time(values.get(time)) if time else None,
                fields={column: value for column, value in values.items() if column not in own},
            )  # fmt: skip


def _number(value: object) -> object:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return None
