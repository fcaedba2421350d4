"""A delivered file to rows: a table, or the export of a labeling tool; bad rows with a reason."""

from pathlib import Path
from typing import NamedTuple

from cupel.accept.one_label import one_label_rows
from cupel.exchange.imports.file import read_file, records
from cupel.exchange.imports.tools import Wanted, annotations_of, tool_of
from cupel.people.tool_annotation import ReadChoices, one_class
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
from cupel.sources.reasons import BadRow, Row


class ReadFile(NamedTuple):
    """A file as read: the hash of its bytes, its format or the tool that wrote it, every row in order."""

    sha256: str
    format: str
    rows: list[Row | BadRow]
    is_of_tool: bool = False


def read_rows(
    path: Path, label: str | None = None, id_field: str | None = None, read_choices: ReadChoices = one_class,
    limits: InputLimits = DEFAULT_LIMITS,
) -> ReadFile:  # fmt: skip
    """Read a delivered file.

    Args:
        path: A table (CSV, JSON Lines, JSON, Parquet), or an export of Label Studio, CVAT, COCO, Labelbox or Scale,
            of which one label an item is judged. doccano's labels of whole texts are read as the table that they are.
        label: For an export with several questions, the name of the one to judge.
        id_field: For a Label Studio export, the field of the item's id.
        read_choices: For an export, returns the label of an answer's choices.
        limits: How much of the file is read.

    Returns:
        The hash of the bytes as they lie on disk, and all rows.

    Raises:
        SourceError: The file is missing, damaged, or of another kind.
    """
    file = read_file(path, limits)
    tool = tool_of(file)
    if tool is None or (tool == "doccano" and not _has_spans(records(file))):
        return ReadFile(file.sha256, file.format, records(file))
    found = annotations_of(file, tool, Wanted(label, id_field, read=read_choices))
    return ReadFile(file.sha256, tool, one_label_rows(found), True)


def _has_spans(rows: list[Row | BadRow]) -> bool:
    """Tell whether any doccano record labels a part of its text."""
    return any(
        bool(row.values.get("entities")) or any(isinstance(one, list) for one in labels)
        for row in rows
        if isinstance(row, Row) and isinstance(labels := row.values.get("label") or [], list)
    )
