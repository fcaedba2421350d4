"""A delivered file to rows: a table, or the export of a labeling tool; bad rows with a reason."""

from pathlib import Path
from typing import NamedTuple

from cupel.accept.one_label import one_label_rows
from cupel.exchange.imports.doccano import holds_only_names
from cupel.exchange.imports.file import read_file, records
from cupel.exchange.imports.gate import judge_exports, keep_latest
from cupel.exchange.imports.table import TABLE
from cupel.exchange.imports.table_columns import name_classes
from cupel.exchange.imports.tool import ReadOptions
from cupel.exchange.imports.tools import read_as, recognise_tool
from cupel.people.tool_annotation import Annotation, ReadChoices, one_class
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
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
    limits: InputLimits = DEFAULT_LIMITS,
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
        limits: How much of the file is read.
        is_as_written: For an export, keep classes apart that differ only by case or Unicode form.

    Returns:
        The hash of the bytes as they lie on disk, and all rows.

    Raises:
        SourceError: The file is missing, damaged, or of another kind.
    """
    file = read_file(path, limits)
    tool = recognise_tool(file)
    if not annotators and (tool is TABLE or (tool.name == "doccano" and holds_only_names(file))):
        return ReadFile(file.sha256, file.format, name_classes(file, records(file), classes))
    options = ReadOptions(
        label, id_field, annotator if tool.is_table else None, has_no_ids=True, annotators=annotators, classes=classes,
        read=read_choices, option_names=OPTION_NAMES,
    )  # fmt: skip
    judged = judge_exports([read_as(file, tool, options)], classes, is_as_written=is_as_written)
    latest, earlier = keep_latest(judged.annotations)
    left = [one for one in (*judged.left, *earlier) if one.reason != "unread_key"]
    found: list[Annotation | BadRow] = [one.annotation for one in latest]
    found += [BadRow(one.line, one.reason, one.evidence) for one in left]
    return ReadFile(file.sha256, tool.name, one_label_rows(found), True, tuple(judged.notices), tool.is_table)
