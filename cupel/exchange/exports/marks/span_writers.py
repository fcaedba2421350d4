"""Spans as doccano's JSON Lines, and as CoNLL's columns with BIO or BIOES tags."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
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
from cupel.exchange.imports.marks.marked_items import MarkedItems
from cupel.exchange.imports.marks.text_units import CODE_POINTS, GRAPHEMES, differing_units, from_code_points
from cupel.marks.canonical_text import CLASS, read_marks

_WORD = re.compile(r"\w+|[^\w\s]")
# What a line of a comment cannot hold.
_BREAK = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]|\A\s|\s\Z")


def fit_doccano(marked: MarkedItems, unit: str = CODE_POINTS) -> Fit:
    """Return what doccano's file holds: one answer a text, and no annotator.

    Args:
        marked: The tables.
        unit: In which characters are counted; doccano itself counts utf-16, or graphemes where the project says so.
    """
    return (
        drop_unanswered(marked)
        .then(keep_one_answer)
        .then(lambda one: _leave_out_textless(one, unit))
        .then(drop_about_answers)
        .then(drop_attributes)
        .then(lambda one: drop_facts(one, ("text",)))
        .then(drop_unanswered)
    )


def write_doccano(marked: MarkedItems, unit: str = CODE_POINTS) -> bytes:
    """Return a file of doccano: a text a line, with `id` and `label`."""
    facts = marked.facts()
    lines = []
    for row in marked.answers.to_pylist():
        text = facts[row["item_id"]].text or ""
        marks = read_marks(row["label"], marked.form)
        spans = [[*from_code_points(text, (mark["start"], mark["end"]), unit), mark[CLASS]] for mark in marks]
        lines.append(json.dumps({"id": row["item_id"], "text": text, "label": spans}, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


def fit_conll(marked: MarkedItems) -> Fit:
    """Return what CoNLL's columns hold: spans that do not overlap, and begin and end with a token."""
    texts = {item: one.text for item, one in marked.facts().items()}

    def why(row: dict[str, Any], marks: list[dict[str, Any]]) -> str | None:
        text = texts[row["item_id"]]
        if text is None:
            return "the item's text is not known"
        if any(mark["end"] > len(text) for mark in marks):
            return "a span ends beyond the item's text"
        if any(after["start"] < before["end"] for before, after in pairwise(marks)):
            return "spans overlap"
        if any(text[mark["start"]].isspace() or text[mark["end"] - 1].isspace() for mark in marks):
            return "a span begins or ends with white space"
        has_space = any(any(one.isspace() for one in mark[CLASS]) for mark in marks)
        return "a class's name has white space" if has_space else None

    return (
        drop_unanswered(marked)
        .then(lambda one: leave_out_answers(one, why))
        .then(lambda one: drop_about_answers(one, ("annotator",)))
        .then(drop_attributes)
        .then(lambda one: drop_facts(one, ("text",)))
        .then(drop_unanswered)
    )


def write_conll(marked: MarkedItems, is_bioes: bool = False) -> bytes:
    """Return a file of CoNLL's columns: token and tag with a tab between, items with an empty line between.

    Comments name item, annotator and text. A token is a word or sign; one that a span parts is two.
    """
    facts = marked.facts()
    found = []
    for row in marked.answers.to_pylist():
        text = facts[row["item_id"]].text or ""
        found += [f"# item_id = {row['item_id']}\n"]
        found += [f"# annotator = {row['annotator']}\n"] if row["annotator"] is not None else []
        found += [f"# text_json = {json.dumps(text)}\n" if _BREAK.search(text) or not text else f"# text = {text}\n"]
        found += _token_lines(text, read_marks(row["label"], marked.form), is_bioes=is_bioes)
        found += ["\n"]
    return "".join(found).encode()


def _token_lines(text: str, marks: list[dict[str, Any]], *, is_bioes: bool) -> Iterator[str]:
    cuts = sorted({edge for mark in marks for edge in (mark["start"], mark["end"])})
    tags = {}
    tokens = list(_tokens(text, cuts))
    for mark in marks:
        inside = [start for start, end in tokens if mark["start"] <= start and end <= mark["end"]]
        for place, start in enumerate(inside):
            letter = "B" if place == 0 else "I"
            if is_bioes and place == len(inside) - 1:
                letter = "S" if place == 0 else "E"
            tags[start] = f"{letter}-{mark[CLASS]}"
    yield from (f"{text[start:end]}\t{tags.get(start, 'O')}\n" for start, end in tokens)


def _tokens(text: str, cuts: list[int]) -> Iterator[tuple[int, int]]:
    """Yield words and signs of a text, none of them on both sides of a cut."""
    edges = [0, *(cut for cut in cuts if 0 < cut < len(text)), len(text)]
    for begin, end in pairwise(edges):
        yield from (found.span() for found in _WORD.finditer(text, begin, end))


def _leave_out_textless(marked: MarkedItems, unit: str) -> Fit:
    texts = {item: one.text for item, one in marked.facts().items()}

    def why(row: dict[str, Any], marks: list[dict[str, Any]]) -> str | None:
        text = texts[row["item_id"]]
        if text is None:
            return "the item's text is not known"
        is_unknown = unit == GRAPHEMES and GRAPHEMES in differing_units(text)
        return "graphemes of the text are not counted here" if is_unknown else None

    return leave_out_answers(marked, why)
