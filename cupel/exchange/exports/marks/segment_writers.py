"""Segments as ActivityNet's JSON, Charades' CSV and AVA's CSV: times in seconds."""

import csv
import io
import json
from fractions import Fraction
from typing import Any

from cupel.exchange.exports.marks.format_losses import (
    Fit,
    drop_about_answers,
    drop_attributes,
    drop_facts,
    drop_unanswered,
    keep_one_answer,
    leave_out_answers,
)
from cupel.exchange.imports.marks.charades import ACTIONS, ID, LENGTH
from cupel.exchange.imports.marks.item_facts import MICROSECONDS
from cupel.exchange.imports.marks.marked_items import MarkedItems
from cupel.marks.canonical_text import ATTRIBUTES, CLASS, read_marks

HALF_SECOND = MICROSECONDS // 2


def write_seconds(time: int) -> str:
    """Return microseconds as seconds, exactly, written shortest.

    >>> write_seconds(1_500_000), write_seconds(30_000_000), write_seconds(1)
    ('1.5', '30', '0.000001')
    """
    whole, part = divmod(time, MICROSECONDS)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def fit_activitynet(marked: MarkedItems) -> Fit:
    """Return what ActivityNet's JSON holds: one answer a video, its duration, size and address; no annotator."""
    return (
        drop_unanswered(marked)
        .then(keep_one_answer)
        .then(drop_about_answers)
        .then(drop_attributes)
        .then(lambda one: drop_facts(one, ("path", "duration", "width", "height")))
    )


def write_activitynet(marked: MarkedItems) -> bytes:
    """Return a file of ActivityNet."""
    facts, database = marked.facts(), {}
    for row in marked.answers.to_pylist():
        one = facts[row["item_id"]]
        record: dict[str, Any] = {"subset": "training"}
        if one.duration is not None:
            record["duration"] = one.duration / MICROSECONDS
        if one.width and one.height:
            record["resolution"] = f"{one.width}x{one.height}"
        if one.path is not None:
            record["url"] = one.path
        record["annotations"] = [
            {"segment": [mark["start"] / MICROSECONDS, mark["end"] / MICROSECONDS], "label": mark[CLASS]}
            for mark in read_marks(row["label"], marked.form)
        ]
        database[row["item_id"]] = record
    document = {"version": "VERSION 1.3", "taxonomy": [], "database": database}
    return json.dumps(document, ensure_ascii=False).encode()


def fit_charades(marked: MarkedItems) -> Fit:
    """Return what Charades' CSV holds: one answer a video, its length; no annotator, no class with a semicolon."""

    def why(row: dict[str, Any], marks: list[dict[str, Any]]) -> str | None:
        is_parted = any(";" in mark[CLASS] or mark[CLASS] != mark[CLASS].strip() for mark in marks)
        return "a class's name has a semicolon, or white space around it" if is_parted else None

    return (
        drop_unanswered(marked)
        .then(lambda one: leave_out_answers(one, why))
        .then(keep_one_answer)
        .then(drop_about_answers)
        .then(drop_attributes)
        .then(lambda one: drop_facts(one, ("duration",)))
        .then(drop_unanswered)
    )


def write_charades(marked: MarkedItems) -> bytes:
    """Return a file of Charades."""
    facts, out = marked.facts(), io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([ID, ACTIONS, LENGTH])
    for row in marked.answers.to_pylist():
        duration = facts[row["item_id"]].duration
        actions = ";".join(
            f"{mark[CLASS]} {write_seconds(mark['start'])} {write_seconds(mark['end'])}"
            for mark in read_marks(row["label"], marked.form)
        )
        writer.writerow([row["item_id"], actions, "" if duration is None else write_seconds(duration)])
    return out.getvalue().encode()


def fit_ava(marked: MarkedItems) -> Fit:
    """Return what AVA's CSV holds: actions with a box at each second, one answer a video, and no empty one."""
    return (
        drop_unanswered(marked)
        .then(keep_one_answer)
        .then(lambda one: leave_out_answers(one, _why_not_ava))
        .then(drop_about_answers)
        .then(lambda one: drop_attributes(one, ("boxes", "person")))
        .then(drop_facts)
        .then(drop_unanswered)
    )


def write_ava(marked: MarkedItems) -> bytes:
    """Return a file of AVA: video, second of four digits, box, action's number, person's number; a row a key frame."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in marked.answers.to_pylist():
        found = []
        for mark in read_marks(row["label"], marked.form):
            attributes = mark[ATTRIBUTES]
            for second, box in zip(_key_frames(mark) or (), attributes["boxes"], strict=True):
                found.append((second, [f"{edge:.12g}" for edge in box], mark[CLASS], attributes.get("person", "")))
        for second, box, action, person in sorted(found):
            time = write_seconds(round(second * MICROSECONDS))
            writer.writerow([row["item_id"], time.zfill(4) if time.isdecimal() else time, *box, action, person])
    return out.getvalue().encode()


def _why_not_ava(row: dict[str, Any], marks: list[dict[str, Any]]) -> str | None:
    """Return why AVA has no place for an answer; None where it has."""
    if not marks:
        return "AVA has no row for a video in which nothing is"
    if any(not mark[CLASS].isdecimal() for mark in marks) or "," in row["item_id"]:
        return "actions are numbers in AVA, and videos have no comma in their name"
    for mark in marks:
        frames, boxes = _key_frames(mark), mark.get(ATTRIBUTES, {}).get("boxes")
        if frames is None:
            return "a segment is not of whole seconds around key frames"
        if not isinstance(boxes, list) or len(boxes) != len(frames):
            return "a segment has no box at each of its seconds"
    return None


def _key_frames(mark: dict[str, Any]) -> list[Fraction] | None:
    """Return the seconds of a segment's key frames; None where it does not begin and end between two of them."""
    start, end = mark["start"], mark["end"]
    first = Fraction(0) if start == 0 and end % MICROSECONDS else Fraction(start + HALF_SECOND, MICROSECONDS)
    last = Fraction(end - HALF_SECOND, MICROSECONDS)
    count = last - first
    return [first + step for step in range(int(count) + 1)] if count.denominator == 1 and count >= 0 else None
