"""A delivered file to rows: a table, or the export of a labeling tool; bad rows with a reason."""

from pathlib import Path
from typing import NamedTuple

from cupel.accept.one_label import one_label_rows
from cupel.exchange.imports.columns import ANNOTATOR_NAMES, ID_NAMES, guess_column
from cupel.exchange.imports.file import read_file, records
from cupel.exchange.imports.gate import judge_exports
from cupel.exchange.imports.table import TABLE
from cupel.exchange.imports.table_columns import name_classes
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_as, recognise_tool
from cupel.people.tool_annotation import Annotation, ReadChoices, as_id, one_class
from cupel.sources.reasons import BadRow, Row


class ReadFile(NamedTuple):
    """A file as read: the hash of its bytes, its format or the tool that wrote it, every row in order, and notices.

    `is_of_crowd`: the tool's file is a table, whose column of who answered the buyer may name.
    """

    sha256: str
    format: str
    rows: list[Row | BadRow]
    is_of_tool: bool = False
    notices: tuple[str, ...] = ()
    is_of_crowd: bool = False


OPTION_NAMES = (
    ("question", "--label"), ("id_field", "--id"), ("annotator", "--annotator"), ("text", "--text"),
    ("annotators", "--annotators"),
)  # fmt: skip


def read_rows(
    path: Path,
    label: str | None = None,
    id_field: str | None = None,
    read_choices: ReadChoices = one_class,
    classes: tuple[str, ...] = (),
    annotator: str | None = None,
    annotators: tuple[str, ...] = (),
    *,
    is_as_written: bool = False,
) -> ReadFile:
    """Read a delivered file.

    Args:
        path: A table (CSV, JSON Lines, JSON, Parquet), or an export of a labeling tool, of which one label an item is
            judged; so it is of a table in which several people answered an item. doccano's labels of whole texts are
            read as the table that they are.
        label: For an export with several questions, the name of the one to judge.
        id_field: For a Label Studio export, the field of the item's id.
        read_choices: For an export, returns the label of an answer's choices.
        classes: The classes that the guideline knows; empty: all.
        annotator: For a crowd's table, the column of who answered.
        annotators: Columns of a table that hold one annotator's answers each: one label an item is judged.
        is_as_written: For an export, keep classes apart that differ only by case or Unicode form.

    Returns:
        The hash of the bytes as they lie on disk, and all rows.

    Raises:
        SourceError: The file is missing, damaged, or of another kind.
    """
    file = read_file(path)
    tool = recognise_tool(file)
    if not annotators and (tool is TABLE or (tool.name == "doccano" and not _has_spans(records(file)))):
        rows = name_classes(file, records(file), classes)
        if tool is not TABLE or not _has_several_annotators(rows, label, id_field, annotator):
            return ReadFile(file.sha256, file.format, rows)
    options = ReadOptions(
        label, id_field, annotator if tool.is_table else None, has_no_ids=True, annotators=annotators, classes=classes,
        read=read_choices, option_names=OPTION_NAMES,
    )  # fmt: skip
    judged = judge_exports([read_as(file, tool, options)], classes, is_as_written=is_as_written)
    found: list[Annotation | BadRow] = [one.annotation for one in judged.annotations]
    found += [BadRow(one.line, one.reason, one.evidence) for one in judged.left if one.reason != "unread_key"]
    return ReadFile(file.sha256, tool.name, one_label_rows(found), True, tuple(judged.notices), tool.is_table)


def _has_several_annotators(
    rows: list[Row | BadRow], label: str | None, id_field: str | None, annotator: str | None
) -> bool:
    """Tell whether several people answered one item in a table: its rows are answers then, and no labels of items."""
    names = list(dict.fromkeys(name for row in rows if isinstance(row, Row) for name in row.values))
    taken = (label, id_field, annotator)
    others = [name for name in names if name not in taken]
    item = id_field or guess_column(others, ID_NAMES)
    who = annotator or guess_column(others, ANNOTATOR_NAMES)
    if item is None or who is None:
        return False
    first: dict[str | None, str | None] = {}
    for row in rows:
        if isinstance(row, Row):
            answered = as_id(row.values.get(who))
            if answered is not None and first.setdefault(as_id(row.values.get(item)), answered) != answered:
                return True
    return False


def _has_spans(rows: list[Row | BadRow]) -> bool:
    """Tell whether any doccano record labels a part of its text."""
    return any(
        bool(row.values.get("entities")) or any(isinstance(one, list) for one in labels)
        for row in rows
        if isinstance(row, Row) and isinstance(labels := row.values.get("label") or [], list)
    )
