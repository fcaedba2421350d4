"""Marks as somebody drew them to answers with their canonical text; an answer with a bad mark is told with its reason.

An answer is taken whole or not at all: without one of its marks it would say what nobody said.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.marks.item_facts import ItemFacts, check_facts, describe_facts, merge_facts
from cupel.exchange.imports.marks.text_units import splits_sequence
from cupel.marks.canonical_text import ATTRIBUTES, BOXES, CLASS, SPANS, MarkError, MarkForm, write_marks
from cupel.people.tool_annotation import Annotation, Found, Notice, one_class
from cupel.sources.reasons import BadRow, evidence

# Hundredths of a pixel: how far beyond the edge of its picture a box may reach to be cut there.
PIXEL_TICK = 0.01
# Boxes and spans of one annotator and class that overlap by so much are told.
OVERLAP = 0.9
# So many marks that begin next are compared with a mark: of more in one place the count is what was found.
MOST_COMPARED = 50
OUTLINES = ("outlines", "rle")
# Numbers as tables have them; one such as 1e999999999 would take all memory.
_DECIMAL = re.compile(r"\s*[-+]?(?:[0-9]{1,20}\.?[0-9]{0,40}|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,2})?\s*\Z")


class MarkTerms(NamedTuple):
    """What to take of a file of marks.

    Attributes:
        classes: Those that were declared; empty: all.
        items: What is known of items, by id, beside what the file says.
        rate: Frames a second, at which the tool counted; None: as the items say.
        end_tolerance: How far beyond the clip's end a segment may end to be cut there, in microseconds.
        unit: In which unit places in texts are counted; None: as the tool counts, or any where all agree.
        annotator: Who answered, where the file names nobody.
        id_field: Field of the item's id.
    """

    classes: tuple[str, ...] = ()
    items: Mapping[str, ItemFacts] = {}
    rate: Fraction | None = None
    end_tolerance: int = 1
    unit: str | None = None
    annotator: str | None = None
    id_field: str | None = None

    def facts_of(self, item: str, found: ItemFacts) -> ItemFacts:
        """Return what is known of an item, with what a file says of it.

        Raises:
            BadMarkError: They contradict each other.
        """
        facts = merge_facts(found, self.items.get(item))
        facts = facts if self.rate is None else facts._replace(rate=self.rate)
        check_facts(facts)
        return facts


DEFAULT_TERMS = MarkTerms()


class DrawnMark(NamedTuple):
    """A mark as a file has it.

    Attributes:
        where: Its element or field, for messages.
        name: Its class.
        edges: Code points, microseconds or pixels: start and end, or x, y, width and height.
        attributes: What else is known of it.
    """

    where: str
    name: object
    edges: tuple[Any, ...]
    attributes: Mapping[str, Any] = {}


class DrawnAnswer(NamedTuple):
    """The marks of one annotator on one item, in the file's order; `line` is the number of the record in the file."""

    line: int
    item_id: str
    marks: list[DrawnMark]
    facts: ItemFacts = ItemFacts()
    annotator: str | None = None
    seconds_spent: float | None = None
    answered_at: datetime | None = None
    is_truth: bool = False
    annotator_number: str | None = None


class ItemIds(NamedTuple):
    """Ids of items that could be told only at a file's end, by those that they were given until then."""

    ids: Mapping[str, str]


DrawnFound = DrawnAnswer | Found | ItemIds
ReadDrawn = Iterator[DrawnFound]


def judge_answers(
    found: Iterable[DrawnFound], form: MarkForm, terms: MarkTerms = DEFAULT_TERMS
) -> Iterator[Found | ItemIds]:
    """Yield answers with their canonical text as label, why others are none, and what was counted.

    Args:
        found: What a reader yields.
        form: What a mark consists of.
        terms: Classes, and how far beyond an end is cut.
    """
    counts: Counter[str] = Counter()
    for one in found:
        if not isinstance(one, DrawnAnswer):
            yield one
            continue
        try:
            yield _judge(one, form, terms, counts)
        except BadMarkError as bad:
            yield BadRow(one.line, bad.reason, evidence(f"{one.item_id}, {bad.found}"))
        except MarkError as error:
            yield BadRow(one.line, "bad_mark", evidence(f"{one.item_id}, {error}"))
    yield from (Notice(f"{count:,} {what}") for what, count in counts.items() if count)


def exact_number(value: object) -> Fraction:
    """Return a number as it is written, exactly.

    Raises:
        BadMarkError: It is none, not finite, or missing.

    >>> exact_number(0.1), exact_number("30.96"), exact_number(7)
    (Fraction(1, 10), Fraction(774, 25), Fraction(7, 1))
    """
    if isinstance(value, Fraction):
        return value
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError
        if isinstance(value, str) and not _DECIMAL.match(value):
            raise ValueError
        return Fraction(repr(value) if isinstance(value, float) else value)
    except (ValueError, ZeroDivisionError, OverflowError):
        raise BadMarkError("no_number", f"found {str(value)[:60]!r}, expected a finite number") from None


def _judge(answer: DrawnAnswer, form: MarkForm, terms: MarkTerms, counts: Counter[str]) -> Annotation:
    marks: list[dict[str, Any]] = []
    for number, mark in enumerate(answer.marks, 1):
        try:
            read = _judge_box if form == BOXES else _judge_line
            edges = read(mark, form, answer.facts, terms, counts)
            name = _read_class(mark.name, terms)
        except BadMarkError as bad:
            raise BadMarkError(bad.reason, f"{mark.where or f'mark {number}'}: {bad.found}") from None
        if mark.attributes and any(key in mark.attributes for key in OUTLINES):
            counts["marks have outlines or masks: kept as attributes, not fused"] += 1
        marks.append({CLASS: name, **edges, **({ATTRIBUTES: mark.attributes} if mark.attributes else {})})
    label = write_marks(marks, form) if marks else "[]"
    _count_doubles(marks, form, counts)
    facts = answer.facts
    _check_characters((label, answer.item_id, answer.annotator, facts.text, facts.path))
    size = f" {facts.width}x{facts.height}" if facts.width else ""
    content = facts.text if facts.text is not None else f"{facts.path}{size}" if facts.path else None
    return Annotation(
        answer.line, answer.item_id, label, answer.annotator or terms.annotator, answer.seconds_spent,
        answer.answered_at, answer.is_truth, describe_facts(facts), content, answer.annotator_number,
    )  # fmt: skip


def _check_characters(texts: Iterable[str | None]) -> None:
    """Refuse half characters, which JSON can escape and no file of UTF-8 can hold."""
    for text in texts:
        if text is not None and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                found = text[error.start : error.start + 1].encode("unicode_escape").decode()
                raise BadMarkError("lone_surrogate", f"{found} at place {error.start}") from None


def _read_class(name: object, terms: MarkTerms) -> str:
    if isinstance(name, str):
        _check_characters((name,))
        if name in terms.classes:
            return name
    found = _one_class(name) if isinstance(name, str) else _one_class(str(name)) if isinstance(name, int) else None
    if found is None or isinstance(found, BadRow):
        raise BadMarkError("no_class" if name in (None, "") else "unexpected_shape", f"class {str(name)[:60]!r}")
    if terms.classes and found not in terms.classes:
        raise BadMarkError("unknown_label", f"class {found!r}, expected one of {', '.join(terms.classes[:10])}")
    return found


@lru_cache(maxsize=4096)
def _one_class(name: str) -> str | BadRow:
    return one_class(1, [name])


def _judge_line(
    mark: DrawnMark, form: MarkForm, facts: ItemFacts, terms: MarkTerms, counts: Counter[str]
) -> dict[str, int]:  # fmt: skip
    """Return the edges of a span or segment, cut to the item's end where it is beyond by no more than is allowed."""
    start, end = (_whole(edge, name, form) for edge, name in zip(mark.edges, form.edges, strict=True))
    if start < 0:
        raise BadMarkError("before_start", f"start {start} {form.unit}")
    if end <= start:
        raise BadMarkError("end_before_start", f"start {start}, end {end} {form.unit}")
    tolerance = 0 if form == SPANS else terms.end_tolerance
    if facts.length is not None and end > facts.length:
        if end - facts.length > tolerance or start >= facts.length:
            raise BadMarkError("beyond_end", f"start {start}, end {end}, the item ends at {facts.length} {form.unit}")
        counts["marks end beyond their item by no more than is allowed: cut to its end"] += 1
        end = facts.length
    if facts.text is not None and form == SPANS:
        splits = any(splits_sequence(facts.text, place) for place in (start, end))
        counts["spans begin or end between a character and the accent or joiner on it: kept as written"] += splits
    return {"start": start, "end": end}


def _whole(edge: object, name: str, form: MarkForm) -> int:
    """Return an edge as a whole number: microseconds are rounded, characters must be whole."""
    try:
        exact = exact_number(edge)
    except BadMarkError as bad:
        raise BadMarkError(bad.reason, f"{name}: {bad.found}") from None
    if abs(exact) >= 1 << 53 or (form == SPANS and exact.denominator != 1):
        raise BadMarkError("no_number", f"{name}: found {str(edge)[:60]!r}, expected whole {form.unit}")
    return round(exact)


def _judge_box(
    mark: DrawnMark, form: MarkForm, facts: ItemFacts, terms: MarkTerms, counts: Counter[str]
) -> dict[str, float]:  # fmt: skip
    """Return the edges of a box, cut to its picture where it is outside by no more than a hundredth of a pixel."""
    try:
        x, y, width, height = edges = [round(edge, 2) for edge in mark.edges]
        is_finite = math.isfinite(x + y + width + height)
    except (TypeError, ValueError, OverflowError):
        is_finite = False
    if not is_finite or bool in map(type, mark.edges):
        wrong = dict(zip(form.edges, map(str, mark.edges), strict=True))
        raise BadMarkError("no_number", f"{wrong}"[:160] + ", expected finite numbers")
    if width <= 0 or height <= 0:
        raise BadMarkError("no_area", f"width {width}, height {height} pixels")
    if x < 0 or y < 0:
        (x, width), (y, height) = _cut_low(x, width, "x"), _cut_low(y, height, "y")
    if facts.width is not None and x + width > facts.width:
        width = _cut_high(x, width, facts.width, "x")
    if facts.height is not None and y + height > facts.height:
        height = _cut_high(y, height, facts.height, "y")
    if [x, y, width, height] != edges:
        counts["boxes reach beyond their picture by no more than .01 pixels: cut to it"] += 1
    return {"x": x, "y": y, "width": width, "height": height}


def _cut_low(begin: float, length: float, name: str) -> tuple[float, float]:
    if begin >= 0:
        return begin, length
    if begin < -PIXEL_TICK or length + begin <= 0:
        raise BadMarkError("outside_frame", f"{name} {begin} pixels, expected 0 or more")
    return 0, round(length + begin, 2)


def _cut_high(begin: float, length: float, most: int, name: str) -> float:
    over = round(begin + length - most, 2)
    if over <= 0:
        return length
    if over > PIXEL_TICK or length <= over:
        raise BadMarkError("outside_frame", f"{name} ends at {round(begin + length, 2)}, the picture at {most} pixels")
    return round(length - over, 2)


def _count_doubles(marks: list[dict[str, Any]], form: MarkForm, counts: Counter[str]) -> None:
    """Count equal marks of an answer, which are one, and those that overlap nearly whole, which are kept."""
    if len(marks) < 2:
        return
    keys = [(mark[CLASS], *(mark[edge] for edge in form.edges), repr(mark.get(ATTRIBUTES))) for mark in marks]
    distinct = list(dict.fromkeys(keys))
    counts["marks stand twice in their answer: taken once"] += len(keys) - len(distinct)
    half = form.dimensions
    ordered = sorted((one[0], one[1 : 1 + 2 * half]) for one in distinct)
    for place, (name, edges) in enumerate(ordered):
        for other, others in ordered[place + 1 : place + 1 + MOST_COMPARED]:
            # Further ones begin further on, by more than an overlap allows.
            if other != name or others[0] - edges[0] > (edges[2] if half == 2 else edges[1] - edges[0]) * (1 - OVERLAP):
                break
            if _overlap(edges, others, form) >= OVERLAP:
                counts["marks overlap another of their class and annotator by 90% or more: kept as written"] += 1
                break


def _overlap(one: tuple[float, ...], other: tuple[float, ...], form: MarkForm) -> float:
    """Return the intersection over the union of two marks."""
    if form.dimensions == 1:
        spans = [(one, other)]
    else:
        spans = [
            ((one[axis], one[axis] + one[axis + 2]), (other[axis], other[axis] + other[axis + 2])) for axis in (0, 1)
        ]
    shared = math.prod(max(0, min(b[1], c[1]) - max(b[0], c[0])) for b, c in spans)
    sizes = [math.prod(pair[side][1] - pair[side][0] for pair in spans) for side in (0, 1)]
    return shared / (sum(sizes) - shared)
