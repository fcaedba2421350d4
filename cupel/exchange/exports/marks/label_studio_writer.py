"""Marks as Label Studio's tasks: spans of a text, boxes and outlines in percent, a timeline in frames."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from cupel.exchange.exports.marks.format_losses import (
    Fit,
    ShownMark,
    change_marks,
    classes_of_marks,
    count_of,
    drop_attributes,
    drop_facts,
    drop_unanswered,
    leave_out_answers,
    split_outlines,
)
from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.marks.item_facts import MICROSECONDS, ItemFacts, frame_at, time_of_frame
from cupel.exchange.imports.marks.marked_items import MarkedItems
from cupel.marks.canonical_text import ATTRIBUTES, BOXES, CLASS, SEGMENTS, SPANS, read_marks

Values = Iterator[tuple[str, dict[str, Any]]]
# Of each kind: the tag of what is shown, the tag and name of the control, and the field of the task's data.
TAGS = {
    SPANS.name: ("Text", "Labels", "text"),
    BOXES.name: ("Image", "RectangleLabels", "image"),
    SEGMENTS.name: ("Video", "TimelineLabels", "video"),
}
# More digits than a float holds are not written; less would move a mark.
PERCENT = 100


def fit_label_studio(marked: MarkedItems) -> Fit:
    """Return what Label Studio's tasks hold: all answers with who gave them; boxes in pictures of known size; segments
    that begin and end with a frame, of clips of a known and constant rate."""
    steps: dict[str, Callable[[MarkedItems], Fit]] = {
        SPANS.name: lambda one: _leave_out(one, lambda facts: "the item's text is not known" * (facts.text is None)),
        BOXES.name: lambda one: _leave_out(one, lambda facts: "the picture's size is not known" * (not facts.width)),
        SEGMENTS.name: _fit_frames,
    }
    held = {
        SPANS.name: ("text",),
        BOXES.name: ("path", "width", "height"),
        SEGMENTS.name: ("path", "duration", "frames", "rate"),
    }
    return (
        Fit(marked)
        .then(steps[marked.form.name])
        .then(lambda one: drop_attributes(one, ("outlines",) if one.form == BOXES else ()))
        .then(split_outlines)
        .then(lambda one: drop_facts(one, held[one.form.name]))
        .then(drop_unanswered)
    )


def write_label_studio(marked: MarkedItems) -> bytes:
    """Return a file of tasks, each with its annotations, as Label Studio imports and exports it."""
    answers: dict[str, list[dict[str, Any]]] = {}
    for row in marked.answers.to_pylist():
        answers.setdefault(row["item_id"], []).append(row)
    field, facts, tasks, number = TAGS[marked.form.name][2], marked.facts(), [], 0
    for task, (item, rows) in enumerate(answers.items(), 1):
        notes = []
        for row in rows:
            number += 1
            notes.append(_annotation(number, row, facts[item], marked))
        tasks.append({"id": task, "data": _data(item, facts[item], field), "annotations": notes})
    return json.dumps(tasks, ensure_ascii=False).encode()


def write_labeling_config(marked: MarkedItems) -> str:
    """Return the labeling configuration that the tasks are shown with."""
    shown, control, field = TAGS[marked.form.name]
    rate = ' frameRate="$fps"' if marked.form == SEGMENTS else ""
    labels = "".join(f"\n    <Label value={quoteattr(name)}/>" for name in classes_of_marks(marked))
    further = ""
    if marked.form == BOXES:
        further = f'\n  <PolygonLabels name="polygon" toName="item">{labels}\n  </PolygonLabels>'
    return (
        f'<View>\n  <{shown} name="item" value="${field}"{rate}/>\n  <{control} name="label" toName="item">{labels}\n'
        f"  </{control}>{further}\n</View>\n"
    )


def _leave_out(marked: MarkedItems, why: Callable[[ItemFacts], str]) -> Fit:
    facts = marked.facts()
    return leave_out_answers(marked, lambda row, marks: why(facts[row["item_id"]]) or None)


def _fit_frames(marked: MarkedItems) -> Fit:
    """Leave out clips without a constant rate, and move edges between frames to the nearest frame."""
    reasons = {True: "the rate of the clip's frames varies, or is not known", False: ""}
    fit = _leave_out(marked, lambda facts: reasons[facts.rate is None or facts.frame_times is not None])
    facts = fit.marked.facts()
    rows = fit.marked.answers["item_id"].to_pylist()
    moves: list[int] = []

    def move(found: ShownMark) -> dict[str, Any]:
        one, mark = facts[rows[found.row]], found.mark
        first, last = (_nearest_frame(mark[edge], one) for edge in ("start", "end"))
        first = first if one.frames is None else min(first, one.frames - 1)
        last = max(last, first + 1)  # a segment has one frame at least
        times = {"start": time_of_frame(first, one), "end": time_of_frame(last, one)}
        moves.extend(abs(times[edge] - mark[edge]) for edge in times if times[edge] != mark[edge])
        return {**mark, **times}

    changed = change_marks(fit.marked, move)
    if not moves:
        return fit
    told = f"{count_of(len(moves), 'edge')} moved to the nearest frame, by up to {max(moves) / 1000:g} milliseconds"
    return Fit(changed, (*fit.losses, told))


def _nearest_frame(time: int, facts: ItemFacts) -> int:
    found = frame_at(time, facts)
    if found is not None:
        return found
    if facts.rate is None:
        raise BadMarkError("unknown_rate", f"{time} microseconds")
    nearest = round(time * facts.rate / MICROSECONDS)
    return nearest if facts.frames is None else min(nearest, facts.frames)


def _data(item: str, facts: ItemFacts, field: str) -> dict[str, Any]:
    """Return a task's data: its id, what it shows, and what a reader must know of it."""
    data: dict[str, Any] = {"id": item, field: facts.text if field == "text" else facts.path or item}
    if field == "image":
        return data | {"width": facts.width, "height": facts.height}
    if field == "video" and facts.rate is not None:
        data |= {"fps": float(facts.rate), "rate": str(facts.rate)}
        data |= {} if facts.frames is None else {"frames": facts.frames}
        data |= {} if facts.duration is None else {"duration": facts.duration / MICROSECONDS}
    return data


def _annotation(number: int, row: dict[str, Any], facts: ItemFacts, marked: MarkedItems) -> dict[str, Any]:
    results = []
    for place, mark in enumerate(read_marks(row["label"], marked.form), 1):
        for kind, value in _values(mark, facts, marked):
            result: dict[str, Any] = {
                "id": f"{number}-{place}", "from_name": "polygon" if kind == "polygonlabels" else "label",
                "to_name": "item", "type": kind, "value": {**value, kind: [mark[CLASS]]},
            }  # fmt: skip
            if marked.form == BOXES:
                result |= {"original_width": facts.width, "original_height": facts.height, "image_rotation": 0}
            results.append(result)
    note: dict[str, Any] = {"id": number, "result": results, "was_cancelled": False, "ground_truth": row["is_truth"]}
    note |= {} if row["annotator"] is None else {"completed_by": {"email": row["annotator"]}}
    return note if row["seconds_spent"] is None else {**note, "lead_time": row["seconds_spent"]}


def _values(mark: dict[str, Any], facts: ItemFacts, marked: MarkedItems) -> Values:
    """Yield the type and value of a mark's result."""
    if marked.form == SPANS:
        text = (facts.text or "")[mark["start"] : mark["end"]]
        yield "labels", {"start": mark["start"], "end": mark["end"], "text": text}
    elif marked.form == SEGMENTS:
        first, last = frame_at(mark["start"], facts), frame_at(mark["end"], facts)
        yield "timelinelabels", {"ranges": [{"start": (first or 0) + 1, "end": last}]}
    else:
        width, height = facts.width or 1, facts.height or 1
        outlines = mark.get(ATTRIBUTES, {}).get("outlines", ())
        if len(outlines) == 1:
            points = [[x * PERCENT / width, y * PERCENT / height] for x, y in outlines[0]]
            yield "polygonlabels", {"points": points, "closed": True}
            return
        yield "rectanglelabels", {
            "x": mark["x"] * PERCENT / width, "y": mark["y"] * PERCENT / height,
            "width": mark["width"] * PERCENT / width, "height": mark["height"] * PERCENT / height, "rotation": 0,
        }  # fmt: skip
