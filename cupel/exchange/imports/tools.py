"""Which tool wrote a file, and its annotations."""

from pathlib import Path
from typing import Any, NamedTuple

from cupel.errors import SourceError
from cupel.exchange.imports.coco import coco, is_coco
from cupel.exchange.imports.cvat import cvat
from cupel.exchange.imports.doccano import doccano, is_doccano
from cupel.exchange.imports.file import File, read_file, records
from cupel.exchange.imports.label_studio import is_label_studio, label_studio
from cupel.exchange.imports.labelbox import is_labelbox, labelbox
from cupel.exchange.imports.scale import is_scale, scale
from cupel.exchange.imports.table import table
from cupel.people.tool_annotation import Annotation, ReadChoices, as_id, one_class
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits
from cupel.sources.reasons import BadRow, Row, evidence

TOOLS = ("label-studio", "cvat", "coco", "labelbox", "scale", "doccano", "table")


class Wanted(NamedTuple):
    """What to take of an export; None leaves it to the format, or guesses.

    `question`: which question's answer is the label (of a table: the column of the label); `id_field`: field or column
    of the item's id (Label Studio, tables); `annotator`: column of who answered; of tools that name nobody, who did;
    `read`: what reads the choices of an answer as a label; objects in an item have one class whatever it says.
    """

    question: str | None = None
    id_field: str | None = None
    annotator: str | None = None
    read: ReadChoices = one_class


NOTHING_NAMED = Wanted()


class Export(NamedTuple):
    """An export as read: its file, the tool, and its annotations with what is not understood, in the file's order."""

    path: Path
    sha256: str
    tool: str
    annotations: list[Annotation | BadRow]


def read_export(
    path: Path, tool: str | None = None, wanted: Wanted = NOTHING_NAMED, limits: InputLimits = DEFAULT_LIMITS
) -> Export:
    """Read finished work.

    Args:
        path: The file.
        tool: Which of TOOLS wrote it; None: told from what it holds, a table where it is none of the others.
        wanted: What to take of it.
        limits: How much of it is read.

    Raises:
        SourceError: The file cannot be read, is not that tool's, or a question must be named.
    """
    file = read_file(path, limits)
    tool = tool or tool_of(file) or "table"
    return Export(path, file.sha256, tool, annotations_of(file, tool, wanted))


def tool_of(file: File) -> str | None:
    """Return which tool wrote a file, by what it holds; None where it is a table."""
    if file.format == "xml":
        return "cvat"
    if is_label_studio(file.document):
        return "label-studio"
    if is_coco(file.document):
        return "coco"
    if file.format not in ("json", "jsonl"):
        return None
    first = next((row.values for row in _tasks(file) if isinstance(row, Row)), None)
    told = {"labelbox": is_labelbox(first), "scale": is_scale(first), "doccano": is_doccano(first)}
    return next((tool for tool, is_it in told.items() if is_it), None)


def annotations_of(file: File, tool: str, wanted: Wanted = NOTHING_NAMED) -> list[Annotation | BadRow]:
    """Return the annotations of a file that a tool wrote; see `read_export`."""
    name = str(file.path)
    if tool == "cvat" and file.format == "xml":
        found = list(cvat(name, file.content, wanted.read, file.limits))
    elif tool == "label-studio" and isinstance(file.document, list):
        found = list(label_studio(name, file.document, wanted.question, wanted.id_field, wanted.read))
    elif tool == "coco" and is_coco(file.document):
        found = list(coco(file.document))
    elif tool == "labelbox":
        found = list(labelbox(name, _tasks(file), wanted.question, wanted.read))
    elif tool == "scale":
        found = list(scale(name, _tasks(file), wanted.question, wanted.read))
    elif tool == "doccano":
        found = list(doccano(_tasks(file), wanted.annotator, wanted.read))
    elif tool == "table":
        return list(table(name, records(file), wanted.question, wanted.id_field, wanted.annotator, wanted.read))
    else:
        raise SourceError(f"{name}: a file of {file.format} that is no export of {tool}; name another tool or file")
    named = as_id(wanted.annotator)
    return [
        one._replace(annotator=named) if isinstance(one, Annotation) and one.annotator is None and named else one
        for one in found
    ]


def _tasks(file: File) -> list[Row | BadRow]:
    """Return records; of a page of Scale's API, which holds them under `docs`, those."""
    document: Any = file.document
    if isinstance(document, dict) and isinstance(document.get("docs"), list):
        return [
            Row(number, entry) if isinstance(entry, dict) else BadRow(number, "not_an_object", evidence(entry))
            for number, entry in enumerate(document["docs"], 1)
        ]
    return records(file)
