"""Charades' CSV to segments: a video a row, its actions in one cell as `class start end;class start end`."""

from typing import Any

from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.file import File, records
from cupel.exchange.imports.headers import column_names
from cupel.exchange.imports.marks.activitynet import read_duration, seconds_to_edges
from cupel.exchange.imports.marks.drawn_answers import DrawnAnswer, DrawnMark, MarkTerms, ReadDrawn
from cupel.exchange.imports.marks.item_facts import ItemFacts
from cupel.marks.canonical_text import MarkForm
from cupel.people.tool_annotation import as_id
from cupel.sources.reasons import BadRow, evidence

ID, ACTIONS, LENGTH = "id", "actions", "length"


def is_charades(file: File) -> bool:
    """Tell whether a file is Charades'."""
    return file.format == "csv" and {ID, ACTIONS} <= set(column_names(file))


def read_charades(file: File, form: MarkForm, terms: MarkTerms) -> ReadDrawn:
    """Yield the actions of each video, in the file's order; a video without any is an answer.

    Times are seconds, read exactly as they are written; `length` is the video's. Actions of Charades itself end up to
    1.6 seconds beyond it: `terms.end_tolerance` says how far they may, to be cut. It does not say who annotated.
    """
    for row in records(file):
        if isinstance(row, BadRow):
            yield row
            continue
        video = as_id(row.values.get(terms.id_field or ID))
        if video is None:
            yield BadRow(row.line, "missing_id", evidence(row.values))
            continue
        try:
            yield _video(row.line, video, row.values, terms)
        except BadMarkError as bad:
            yield BadRow(row.line, bad.reason, evidence(f"{video}, {bad.found}"))


def _video(line: int, video: str, values: dict[str, Any], terms: MarkTerms) -> DrawnAnswer:
    marks = []
    for number, action in enumerate(str(values.get(ACTIONS) or "").split(";"), 1):
        if not action.strip():
            continue
        where = f"actions, {number}"
        # The class may hold spaces, as that of other data sets in the same form.
        name, *times = action.strip().rsplit(" ", 2)
        if len(times) != 2:
            raise BadMarkError("no_number", f"{where}: found {action[:60]!r}, expected class, start and end")
        marks.append(DrawnMark(where, name, seconds_to_edges(times, where)))
    facts = ItemFacts(duration=read_duration(values, LENGTH))
    return DrawnAnswer(line, video, marks, terms.facts_of(video, facts))
