"""AVA's CSV to segments: a row is an action of a person in the second around a key frame, with the person's box."""

from fractions import Fraction
from typing import Any

from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.delimited import open_text
from cupel.exchange.imports.file import File
from cupel.exchange.imports.marks.drawn_answers import DrawnAnswer, DrawnMark, MarkTerms, ReadDrawn, exact_number
from cupel.exchange.imports.marks.item_facts import MICROSECONDS, ItemFacts
from cupel.exchange.imports.other_formats import AVA_LINE
from cupel.marks.canonical_text import MarkForm
from cupel.people.tool_annotation import Notice
from cupel.sources.reasons import BadRow, evidence

LINES_LOOKED_AT = 20
HALF_SECOND = Fraction(MICROSECONDS, 2)
# A key frame: its second, the person's box as it is written, and the line that it stands in.
KeyFrame = tuple[Fraction, list[str], int]


def is_ava(file: File) -> bool:
    """Tell whether a file is AVA's."""
    if file.format != "csv":
        return False
    lines = [line.strip() for line in file.content[:65536].decode("latin-1").splitlines()[:LINES_LOOKED_AT]]
    return any(lines) and all(AVA_LINE.match(line) for line in lines if line)


def read_ava(file: File, form: MarkForm, terms: MarkTerms) -> ReadDrawn:
    """Yield the actions of each video: key frames of one person and action that follow each other are one segment.

    A row speaks of the second around its time: it begins half a second before, or at 0. The boxes stay as they are
    written, one a key frame, as the attribute `boxes`, and the person as `person`; the class is the action's number.
    AVA names key frames without an action nowhere, nor who annotated.
    """
    runs: dict[str, dict[tuple[str, str], list[KeyFrame]]] = {}
    broken: dict[str, BadRow] = {}
    first: dict[str, int] = {}
    is_beyond = False
    for line, text in enumerate(open_text(file.content), 1):
        if not text.strip():
            continue
        cells = [cell.strip() for cell in text.strip().split(",")]
        first.setdefault(cells[0], line)
        try:
            second, box, action, person = _row(cells, line)
        except BadMarkError as bad:
            broken.setdefault(cells[0], BadRow(line, bad.reason, evidence(f"{cells[0]}, {bad.found}")))
            continue
        is_beyond |= any(exact_number(edge) > 1 for edge in box)
        runs.setdefault(cells[0], {}).setdefault((person, action), []).append((second, box, line))
    if is_beyond:
        yield Notice(f"{file.path.name}: boxes are no shares of the frame, as AVA's are; they are kept as written")
    for video, line in first.items():
        if video in broken:
            yield broken[video]
            continue
        try:
            facts = terms.facts_of(video, ItemFacts())
            marks = [mark for key, frames in runs[video].items() for mark in _segments(*key, frames)]
            yield DrawnAnswer(line, video, marks, facts)
        except BadMarkError as bad:
            yield BadRow(line, bad.reason, evidence(f"{video}, {bad.found}"))


def _row(cells: list[str], line: int) -> tuple[Fraction, list[str], str, str]:
    """Return what a row says: second, box, action, person.

    Raises:
        BadMarkError: A cell is missing, or a number none.
    """
    where = f"line {line}"
    if len(cells) not in (7, 8) or not cells[6]:
        raise BadMarkError("unexpected_shape", f"{where}: {len(cells)} cells, expected 8, the seventh an action")
    try:
        second, *box = (exact_number(cell) for cell in cells[1:6])
    except BadMarkError as bad:
        raise BadMarkError(bad.reason, f"{where}: {bad.found}") from None
    if second < 0 or min(box) < 0:
        raise BadMarkError("before_start" if second < 0 else "outside_frame", f"{where}: {', '.join(cells[1:6])}")
    if box[2] <= box[0] or box[3] <= box[1]:
        raise BadMarkError("no_area", f"{where}: {', '.join(cells[2:6])}")
    return second, cells[2:6], cells[6], cells[7] if len(cells) == 8 else ""


def _segments(person: str, action: str, frames: list[KeyFrame]) -> list[DrawnMark]:
    """Return key frames a second apart from each other as segments."""
    runs: list[list[KeyFrame]] = []
    for frame in sorted(frames, key=lambda one: (one[0], one[1])):
        if runs and frame[0] - runs[-1][-1][0] == 1:
            runs[-1].append(frame)
        elif not runs or frame[:2] != runs[-1][-1][:2]:  # the same row twice is one
            runs.append([frame])
    marks = []
    for run in runs:
        start = max(Fraction(0), run[0][0] * MICROSECONDS - HALF_SECOND)
        attributes: dict[str, Any] = {"boxes": [[float(cell) for cell in box] for _, box, _ in run]}
        attributes |= {"person": person} if person else {}
        edges = (start, run[-1][0] * MICROSECONDS + HALF_SECOND)
        marks.append(DrawnMark(f"line {run[0][2]}", action, edges, attributes))
    return marks
