"""Label Studio's tasks to marks: spans of a text, boxes and outlines in percent, a timeline in frames, audio."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from cupel.exchange.imports.bad_marks import BadMarkError
from cupel.exchange.imports.file import File
from cupel.exchange.imports.label_studio.annotations import item_of, judge_state, person, read_time, tell_others
from cupel.exchange.imports.label_studio.tasks import TaskRecord, split_tasks, task_rows
from cupel.exchange.imports.marks.drawn_answers import DrawnAnswer, DrawnMark, MarkTerms, ReadDrawn, exact_number
from cupel.exchange.imports.marks.item_facts import MICROSECONDS, ItemFacts, parse_rate, time_of_frame
from cupel.exchange.imports.marks.outlines import outline_box
from cupel.exchange.imports.marks.text_units import CODE_POINTS, UTF16, differing_units, to_code_points
from cupel.marks.canonical_text import BOXES, SEGMENTS, SPANS, MarkForm
from cupel.people.tool_annotation import Notice, as_id, as_seconds, entries, fields_of, object_id
from cupel.sources.reasons import BadRow, evidence

# What of a task's data shows the item, the most telling first.
SHOWN_BY = {SPANS.name: ("text",), BOXES.name: ("image", "img"), SEGMENTS.name: ("video", "audio")}
# Places in HTML and dialogues: elements' paths and offsets in them.
HTML_KEYS = ("startOffset", "endOffset", "globalOffsets")
Result = Mapping[str, Any]
ReadResult = Callable[[Result, str, ItemFacts, MarkTerms], Iterable[DrawnMark]]


def read_label_studio_marks(file: File, form: MarkForm, terms: MarkTerms) -> ReadDrawn:
    """Yield the marks of each annotation of an export of tasks, in its order; an empty one is an answer.

    Frames of a timeline are counted from 1, both ends inside, at the rate that the `<Video>` tag says (24 where it
    says none), which is not in the export: `terms.rate`, `rate` or `fps` of the task's data, or the item's.
    Characters are code points, before Label Studio 1.5 halves of UTF-16: which of them is told by the text that a span
    quotes. What a reviewer rejected, was skipped or is a model's is told.
    """
    found = list(split_tasks(task_rows(file) or []))
    projects = {as_id(one.task.values.get("project")) for one in found if isinstance(one, TaskRecord)} - {None}
    quoted: list[str] = []
    for one in found:
        if isinstance(one, BadRow):
            yield one
            continue
        yield from one.left
        item, _ = item_of(one.task.values, terms.id_field, one.line, has_projects=len(projects) > 1)
        if item is None:
            yield BadRow(one.line, "missing_id", evidence(one.task.values["data"]))
            continue
        if not one.notes:
            yield BadRow(one.line, "no_answer", evidence(item))
        for note in one.notes:
            yield from _note(one, item, note.values, form, terms, quoted)
        yield from tell_others(one.line, item, one.task.values)
    if quoted:
        yield Notice(
            f"{len(quoted):,} annotations count characters in UTF-16, as Label Studio did before 1.5: converted"
        )


def _note(
    task: TaskRecord, item: str, note: dict[str, Any], form: MarkForm, terms: MarkTerms, quoted: list[str]
) -> ReadDrawn:
    line, (who, number, _) = task.line, person(note)
    if (state := judge_state(note)) is not None:
        yield BadRow(line, state, evidence(f"{item}, {who}"))
        return
    time = note.get("updated_at") or note.get("created_at")
    for page, results in _pages(entries(note.get("result"))).items():
        shown = item if page is None else object_id(item, page)
        try:
            facts = terms.facts_of(shown, _facts(task.task.values["data"], results, form))
            marks, others = _read_results(results, form, facts, terms, quoted)
        except BadMarkError as bad:
            yield BadRow(line, bad.reason, evidence(f"{shown}, {who}, {bad.found}"))
            continue
        for told in others:
            yield BadRow(line, "other_kind", evidence(f"{shown}, {who}: {told}"))
        yield DrawnAnswer(
            line, shown, marks, facts, who, as_seconds(note.get("lead_time")), read_time(time),
            bool(note.get("ground_truth")), number,
        )  # fmt: skip


def _pages(results: list[dict[str, Any]]) -> dict[str | None, list[dict[str, Any]]]:
    """Return results by the page of the task that they are about; None: it has no pages."""
    pages: dict[str | None, list[dict[str, Any]]] = {}
    for one in results:
        pages.setdefault(as_id(one.get("item_index")), []).append(one)
    return pages or {None: []}


def _facts(data: Mapping[str, Any], results: Iterable[Result], form: MarkForm) -> ItemFacts:
    """Return what a task's data and results say of the item."""
    texts = [key for key, value in data.items() if isinstance(value, str) and key not in ("id", "rate", "fps")]
    named = [key for key in SHOWN_BY[form.name] if key in texts] or (texts if len(texts) == 1 else [])
    shown = data[named[0]] if named else None
    if form == SPANS:
        return ItemFacts(text=shown)
    if form == SEGMENTS:
        rate, found = data.get("rate", data.get("fps")), [one.get("original_length") for one in results]
        duration = next((one for one in (data.get("duration"), *found) if isinstance(one, int | float)), None)
        micros = None if duration is None else round(exact_number(duration) * MICROSECONDS)
        frames = data.get("frames") if isinstance(data.get("frames"), int) else None
        known = None if rate is None else parse_rate(rate)
        return ItemFacts(path=shown, duration=micros, frames=frames, rate=known)
    sizes = [(one.get("original_width"), one.get("original_height")) for one in results if "original_width" in one]
    if any(size != sizes[0] for size in sizes):
        raise BadMarkError("other_content", f"original_width and original_height: {str(sizes)[:60]}")
    width, height = next(iter(sizes), (data.get("width"), data.get("height")))
    is_size = all(isinstance(one, int) and not isinstance(one, bool) and one > 0 for one in (width, height))
    return ItemFacts(path=shown, width=width, height=height) if is_size else ItemFacts(path=shown)


def _read_results(
    results: list[dict[str, Any]], form: MarkForm, facts: ItemFacts, terms: MarkTerms, quoted: list[str]
) -> tuple[list[DrawnMark], list[str]]:
    """Return the marks of results, and what the others are."""
    readers: dict[str, ReadResult] = {SPANS.name: _span, BOXES.name: _box, SEGMENTS.name: _segment}
    labelled = {as_id(one.get("id")) for one in results if _classes(one)} - {None}
    if form == SPANS and (unit := _find_unit(results, facts.text, terms.unit)) != terms.unit:
        terms = terms._replace(unit=unit)
        quoted += ["utf-16"] * (unit == UTF16)
    marks: list[DrawnMark] = []
    others: list[str] = []
    for number, one in enumerate(results, 1):
        where = f"result {as_id(one.get('id')) or number}"
        value = fields_of(one.get("value"))
        if not _is_of(value, form):
            others.append(f"{where}: {one.get('type') or ', '.join(value)}")
        elif _classes(one) or as_id(one.get("id")) not in labelled:
            marks += readers[form.name](one, where, facts, terms)
    return marks, others


def _is_of(value: Mapping[str, Any], form: MarkForm) -> bool:
    if form == BOXES:
        return {"x", "y", "width", "height"} <= value.keys() or ("points" in value and "polygonlabels" in value)
    is_range = "ranges" in value or {"start", "end"} <= value.keys()
    return is_range if form == SEGMENTS else is_range and "channel" not in value and "ranges" not in value


def _classes(one: Result) -> list[object]:
    value = fields_of(one.get("value"))
    return next((found for key, found in value.items() if key.endswith("labels") and isinstance(found, list)), [])


def _marks(one: Result, where: str, edges: tuple[Any, ...], **attributes: object) -> Iterator[DrawnMark]:
    """Yield a mark for each class of a result; one without any is told as a mark without a class."""
    for name in _classes(one) or [None]:
        yield DrawnMark(where, name, edges, attributes)


def _find_unit(results: Iterable[Result], text: str | None, named: str | None) -> str:
    """Return the unit of places in a text: that in which each span holds what it quotes."""
    if named is not None or text is None or UTF16 not in differing_units(text):
        return named or CODE_POINTS
    values = [fields_of(one.get("value")) for one in results]
    spans = [value for value in values if isinstance(value.get("text"), str) and isinstance(value.get("start"), int)]
    if not spans or all(_holds_quote(value, text, CODE_POINTS) for value in spans):
        return CODE_POINTS
    return UTF16 if all(_holds_quote(value, text, UTF16) for value in spans) else CODE_POINTS


def _holds_quote(value: Mapping[str, Any], text: str, unit: str) -> bool:
    """Tell whether a span holds the text that it quotes, but for white space, which the tool shows otherwise."""
    try:
        start, end = to_code_points(text, [value["start"], value["end"]], unit)
    except BadMarkError:
        return False
    return _folded(text[start:end]) == _folded(value["text"])


def _folded(text: str) -> str:
    return "".join(text.replace("\\n", " ").split())


def _span(one: Result, where: str, facts: ItemFacts, terms: MarkTerms) -> Iterator[DrawnMark]:
    value = fields_of(one.get("value"))
    if any(key in value for key in HTML_KEYS) or not isinstance(value["start"], int | float):
        raise BadMarkError("html_place", f"{where}: start {str(value['start'])[:60]!r}")
    edges: tuple[Any, ...] = (value["start"], value["end"])
    if facts.text is None or not all(isinstance(edge, int) for edge in edges):
        yield from _marks(one, where, edges)
        return
    try:
        start, end = to_code_points(facts.text, edges, terms.unit or CODE_POINTS)
    except BadMarkError as bad:
        raise BadMarkError(bad.reason, f"{where}: {bad.found}") from None
    quote = value.get("text")
    is_inside = 0 <= start < end <= len(facts.text)  # else told by its edges
    if isinstance(quote, str) and is_inside and _folded(facts.text[start:end]) != _folded(quote):
        raise BadMarkError("text_differs", f"{where}: {quote[:60]!r}, there stands {facts.text[start:end][:60]!r}")
    yield from _marks(one, where, (start, end))


def _segment(one: Result, where: str, facts: ItemFacts, terms: MarkTerms) -> Iterator[DrawnMark]:
    value = fields_of(one.get("value"))
    if "ranges" not in value:  # audio: seconds
        edges: tuple[Any, ...] = tuple(exact_number(value[edge]) * MICROSECONDS for edge in ("start", "end"))
        channel = value.get("channel")
        yield from _marks(one, where, edges, **({"channel": channel} if channel else {}))
        return
    for range_ in entries(value["ranges"]):
        first, last = range_.get("start"), range_.get("end")
        if isinstance(first, bool) or not isinstance(first, int) or not isinstance(last, int):
            raise BadMarkError("no_number", f"{where}: frames {first!r} to {last!r}, expected two whole numbers")
        if first < 1 or last < first:
            reason = "before_start" if first < 1 else "end_before_start"
            raise BadMarkError(reason, f"{where}: frames {first} to {last}, counted from 1")
        try:
            edges = (time_of_frame(first - 1, facts), time_of_frame(last, facts))
        except BadMarkError as bad:
            raise BadMarkError(bad.reason, f"{where}: {bad.found}") from None
        yield from _marks(one, where, edges)


def _box(one: Result, where: str, facts: ItemFacts, terms: MarkTerms) -> Iterator[DrawnMark]:
    value = fields_of(one.get("value"))
    turns = (value.get("rotation") or 0, one.get("image_rotation") or 0)
    if any(turns):
        raise BadMarkError("rotated", f"{where}: rotation {turns[0]}, image_rotation {turns[1]}")
    if facts.width is None or facts.height is None:
        raise BadMarkError("unknown_size", f"{where}: original_width {one.get('original_width')!r}")
    size = (facts.width, facts.height)
    if "points" in value:
        given = value["points"] if isinstance(value["points"], list) else [value["points"]]
        points = [_pixels(point, size, where) for point in given]
        yield from _marks(one, where, outline_box([points], where), outlines=[points])
        return
    x, y = _pixels((value["x"], value["y"]), size, where)
    width, height = _pixels((value["width"], value["height"]), size, where)
    yield from _marks(one, where, (x, y, width, height))


def _pixels(percents: Any, size: tuple[int, int], where: str) -> list[float]:
    """Return a pair of percents of a picture's width and height as pixels.

    Raises:
        BadMarkError: One is no number, below 0 or above 100 by more than a hundredth of a pixel.
    """
    if not isinstance(percents, list | tuple) or len(percents) != 2:
        raise BadMarkError("no_number", f"{where}: found {str(percents)[:60]!r}, expected two numbers")
    pixels = []
    for percent, length in zip(percents, size, strict=True):
        exact = exact_number(percent)
        pixel = exact * length / 100
        if pixel < -Fraction(1, 100) or pixel - length > Fraction(1, 100):
            raise BadMarkError("percent_above_100", f"{where}: {percent} percent")
        pixels.append(round(float(pixel), 6))
    return pixels
