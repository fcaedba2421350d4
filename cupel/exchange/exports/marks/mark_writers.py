"""Formats in which marks are written; what a format cannot hold is listed before, and refused unless told otherwise."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from cupel.errors import OutputError
from cupel.exchange.exports.marks.coco_writer import fit_coco, write_coco
from cupel.exchange.exports.marks.cvat_writer import fit_cvat, write_cvat
from cupel.exchange.exports.marks.format_losses import Fit, LossError
from cupel.exchange.exports.marks.label_studio_writer import fit_label_studio, write_label_studio
from cupel.exchange.exports.marks.segment_writers import (
    fit_activitynet,
    fit_ava,
    fit_charades,
    write_activitynet,
    write_ava,
    write_charades,
)
from cupel.exchange.exports.marks.span_writers import fit_conll, fit_doccano, write_conll, write_doccano
from cupel.exchange.exports.marks.table_writers import fit_everything, write_answers_parquet, write_webdataset
from cupel.exchange.imports.marks.marked_items import MarkedItems
from cupel.marks.canonical_text import BOXES, FORMS, SEGMENTS, SPANS, MarkForm
from cupel.store.outputs import Output, check_outputs, write_output


class MarkWriter(NamedTuple):
    """A format that marks are written in.

    Attributes:
        name: As `--format` names it.
        forms: Kinds of marks that it holds.
        ending: Of its files.
        fit: Returns what it holds of tables, and what is lost.
        write: Returns a file of what it holds.
        summary: What it is and who reads it, in one line.
    """

    name: str
    forms: tuple[MarkForm, ...]
    ending: str
    fit: Callable[[MarkedItems], Fit]
    write: Callable[[MarkedItems], bytes]
    summary: str


MARK_WRITERS: tuple[MarkWriter, ...] = (
    MarkWriter("doccano", (SPANS,), ".jsonl", fit_doccano, write_doccano, "doccano's JSON Lines, a text a line"),
    MarkWriter("conll", (SPANS,), ".conll", fit_conll, write_conll, "CoNLL's columns, a token a line with its BIO tag"),
    MarkWriter("label-studio", FORMS, ".json", fit_label_studio, write_label_studio, "Label Studio's tasks"),
    MarkWriter("coco", (BOXES,), ".json", fit_coco, write_coco, "COCO's JSON, which trainers of detectors read"),
    MarkWriter("cvat", (BOXES,), ".xml", fit_cvat, write_cvat, "CVAT's XML for images 1.1"),
    MarkWriter("activitynet", (SEGMENTS,), ".json", fit_activitynet, write_activitynet, "ActivityNet's JSON"),
    MarkWriter("charades", (SEGMENTS,), ".csv", fit_charades, write_charades, "Charades' CSV, a video a row"),
    MarkWriter("ava", (SEGMENTS,), ".csv", fit_ava, write_ava, "AVA's CSV, an action of a person a row"),
    MarkWriter("parquet", FORMS, ".parquet", fit_everything, write_answers_parquet, "Parquet with regions as lists"),
    MarkWriter("webdataset", FORMS, ".tar", fit_everything, write_webdataset, "WebDataset's tar, a sample an answer"),
)


def find_writer(name: str, form: MarkForm) -> MarkWriter:
    """Return a format by its name.

    Raises:
        OutputError: There is none of that name that holds such marks.
    """
    fitting = {one.name: one for one in MARK_WRITERS if form in one.forms}
    if name not in fitting:
        raise OutputError(f"--format {name}: no format of {form.name}; there are {', '.join(fitting)}")
    return fitting[name]


def list_losses(marked: MarkedItems, name: str) -> list[str]:
    """Return what a format cannot hold of tables, a sentence each with its count; nothing where it holds all.

    Raises:
        OutputError: There is no such format.
    """
    return list(find_writer(name, marked.form).fit(marked).losses)


def format_marks(marked: MarkedItems, name: str, *, is_lossy: bool = False) -> bytes:
    """Return a file of a format.

    Args:
        marked: The tables.
        name: The format.
        is_lossy: Write what the format holds, without what it does not.

    Raises:
        LossError: Something has no place in the format; the message lists it.
        OutputError: There is no such format.
    """
    writer = find_writer(name, marked.form)
    fit = writer.fit(marked)
    if fit.losses and not is_lossy:
        listed = "".join(f"\n- {loss}" for loss in fit.losses)
        raise LossError(
            f"--format {name} cannot hold all of it. It would be written with:{listed}\nSay --lossy to write it so, or "
            "name parquet or webdataset, which hold everything"
        )
    return writer.write(fit.marked)


def check_mark_file(path: Path, name: str, form: MarkForm, inputs: Iterable[Path]) -> None:
    """Refuse a file that is an input, or lies there already: nothing tells who wrote it.

    Raises:
        OutputError: It is, or there is no such format.
    """
    find_writer(name, form)
    check_outputs([Output("--to", path, lambda there: False)], inputs)


def write_mark_file(marked: MarkedItems, path: Path, name: str, *, is_lossy: bool = False) -> list[str]:
    """Write a file of a format, whole or not at all; return what was lost.

    Raises:
        LossError: Something has no place in the format, and `is_lossy` does not allow it.
        OutputError: There is no such format, or the file cannot be written.
    """
    content = format_marks(marked, name, is_lossy=is_lossy)
    write_output("--to", path, content)
    return list_losses(marked, name)
