"""Kinetics' lists of clips (CSV or JSON): a clip of a video has one class."""

import re
from typing import Any

from cupel.exchange.imports.answer_rows import rows_without_columns
from cupel.exchange.imports.file import File, records
from cupel.exchange.imports.headers import column_names
from cupel.exchange.imports.tool import ReadOptions, Tool
from cupel.people.tool_annotation import Annotation, Read, as_id, fields_of, one_class, unread_keys
from cupel.sources.class_values import value_text
from cupel.sources.reasons import BadRow, Row, evidence

COLUMNS = ("label", "youtube_id", "time_start", "time_end")


def is_kinetics(found: Any) -> bool:
    """Tell whether JSON is Kinetics': clips by their video's id, each with a label or a subset."""
    if not isinstance(found, dict) or not found:
        return False
    first = next(iter(found.values()))
    return (
        isinstance(first, dict) and {"annotations", "subset"} <= set(first) and isinstance(first["annotations"], dict)
    )


def kinetics(rows: list[Row | BadRow], options: ReadOptions) -> Read:
    """Yield the classes of clips; a clip is named `video_start_end`, as the data set's files are.

    Args:
        rows: Rows with the columns of Kinetics' CSV.
        options: How choices are read.

    Yields:
        Annotations in the file's order, and what is not understood. Who labelled is not told.
    """
    if not any(isinstance(row, Row) for row in rows):
        yield from rows_without_columns(rows)
        return
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        values = row.values
        yield from unread_keys(row.line, "", values, COLUMNS)
        video, times = as_id(values.get("youtube_id")), [_time(values.get(key)) for key in COLUMNS[2:]]
        if video is None:
            yield BadRow(row.line, "missing_id", evidence(values))
            continue
        item = "_".join([video, *(one for one in times if one)])
        label = one_class(row.line, [values.get("label")])
        if isinstance(label, BadRow):
            yield label._replace(evidence=evidence(f"{item}: {label.evidence}" if label.evidence else item))
        else:
            yield Annotation(row.line, item, label, fields={"video": video})


def _time(value: object) -> str | None:
    """Return seconds as the data set's file names write them: six digits."""
    text = value_text(value)
    return f"{int(text):06d}" if text is not None and re.fullmatch(r"[0-9]{1,6}", text) else text


def _read(file: File, options: ReadOptions) -> Read:
    if file.format == "csv":
        yield from kinetics(records(file), options)
        return
    rows: list[Row | BadRow] = []
    for line, (video, clip) in enumerate(file.document.items(), 1):
        said = fields_of(fields_of(clip).get("annotations"))
        if not isinstance(clip, dict):
            rows.append(BadRow(line, "not_an_object", evidence(f"{video}: {clip!r}")))
            continue
        segment = said.get("segment")
        times = dict(zip(COLUMNS[2:], segment if isinstance(segment, list) else (), strict=False))
        yield from unread_keys(line, "annotations", said, ("label", "segment"))
        rest = {key: value for key, value in clip.items() if key != "annotations"}
        rows.append(Row(line, {**rest, **times, "label": said.get("label"), "youtube_id": video}))
    yield from kinetics(rows, options)


def _recognise(file: File) -> bool:
    if file.format == "csv":
        return set(COLUMNS) <= set(column_names(file))
    return is_kinetics(file.document)


KINETICS = Tool("kinetics", _recognise, _read)
