"""ActivityNet's JSON to segments: `database`, by video its duration and annotations with a segment and a label."""

from typing import Any

from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.file import File
from cupel.exchange.imports.marks.drawn_answers import DrawnAnswer, DrawnMark, MarkTerms, ReadDrawn, exact_number
from cupel.exchange.imports.marks.item_facts import MICROSECONDS, ItemFacts
from cupel.marks.canonical_text import MarkForm
from cupel.people.tool_annotation import Notice
from cupel.sources.reasons import BadRow, evidence

# Subsets whose labels are kept back: that a video of theirs has none says nothing of it.
KEPT_BACK = ("test", "testing")


def is_activitynet(file: File) -> bool:
    """Tell whether a file is ActivityNet's."""
    return isinstance(file.document, dict) and isinstance(file.document.get("database"), dict)


def read_activitynet(file: File, form: MarkForm, terms: MarkTerms) -> ReadDrawn:
    """Yield the segments of each video, in the file's order; a video without any is an answer.

    Times are seconds, read exactly as they are written. Videos of the test set without annotations are told: their
    labels are kept back. ActivityNet does not say who annotated.
    """
    for line, (video, record) in enumerate(file.document["database"].items(), 1):
        notes = record.get("annotations", []) if isinstance(record, dict) else None
        if not isinstance(notes, list):
            yield BadRow(line, "unexpected_shape", evidence(f"{video}: {record!r}"))
            continue
        if not notes and str(record.get("subset")).lower() in KEPT_BACK:
            yield BadRow(line, "no_answer", evidence(f"{video}: subset {record['subset']}"))
            continue
        try:
            yield _video(line, str(video), record, notes, terms)
        except BadMarkError as bad:
            yield BadRow(line, bad.reason, evidence(f"{video}, {bad.found}"))
    if "results" in file.document:
        yield Notice(f"{file.path.name}: results of a model are not read")


def _video(line: int, video: str, record: dict[str, Any], notes: list[Any], terms: MarkTerms) -> DrawnAnswer:
    url = record.get("url")
    found = ItemFacts(path=url if isinstance(url, str) and url else None, duration=read_duration(record))
    size = str(record.get("resolution") or "").split("x")
    if len(size) == 2 and all(side.isdecimal() for side in size):
        found = found._replace(width=int(size[0]), height=int(size[1]))
    marks = []
    for number, note in enumerate(notes, 1):
        where = f"annotations[{number}].segment"
        segment = note.get("segment") if isinstance(note, dict) else None
        if not isinstance(segment, list) or len(segment) != 2:
            raise BadMarkError("no_number", f"{where}: found {str(segment)[:60]!r}, expected start and end")
        marks.append(DrawnMark(where, note.get("label"), seconds_to_edges(segment, where)))
    return DrawnAnswer(line, video, marks, terms.facts_of(video, found))


def read_duration(record: dict[str, Any], key: str = "duration") -> int | None:
    """Return a duration in seconds as microseconds.

    Raises:
        BadMarkError: It is no number above 0.
    """
    if record.get(key) in (None, ""):
        return None
    duration = exact_number(record[key])
    if duration <= 0:
        raise BadMarkError("no_number", f"{key}: found {record[key]!r}, expected a number above 0")
    return round(duration * MICROSECONDS)


def seconds_to_edges(segment: Any, where: str) -> tuple[Any, ...]:
    """Return seconds as microseconds, exactly.

    Raises:
        BadMarkError: One is no finite number.
    """
    try:
        return tuple(exact_number(value) * MICROSECONDS for value in segment)
    except BadMarkError as bad:
        raise BadMarkError(bad.reason, f"{where}: {bad.found}") from None
