"""The canonical text of marks: the same marks of an item always have the same text, which is their label."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cupel.errors import CupelError

CLASS, ATTRIBUTES = "class", "attributes"
# The text of an answer that nothing is there.
NOTHING = "[]"
# Edges are below it: up to there numbers are exact, to the last digit that any form has.
MOST = 2**46
QUOTED_CHARACTERS = 80
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class MarkError(CupelError):
    """A mark that is none: edges that are missing, no numbers or in the wrong order, or a key that is not known."""


class MarkForm(NamedTuple):
    """What a mark of a label kind consists of.

    Attributes:
        name: Name of the label kind.
        edges: Its edges: a start and an end, half open; or x, y, width and height.
        decimals: Digits behind the point that an edge has; further ones are rounded away.
        unit: What its edges are counted in.
        unit_name: What one mark is called.
    """

    name: str
    edges: tuple[str, ...]
    decimals: int
    unit: str
    unit_name: str

    @property
    def dimensions(self) -> int:
        """How many pairs of edges a mark has: 1 on a line, 2 in a plane."""
        return len(self.edges) // 2


SPANS = MarkForm("spans", ("start", "end"), 0, "characters", "span")
SEGMENTS = MarkForm("segments", ("start", "end"), 0, "microseconds", "segment")
BOXES = MarkForm("boxes", ("x", "y", "width", "height"), 2, "pixels", "box")
FORMS = (SPANS, SEGMENTS, BOXES)


def write_marks(marks: Iterable[Mapping[str, Any]], form: MarkForm) -> str:
    """Return the canonical text of marks: a JSON list in the order of their edges, each mark once.

    Args:
        marks: Each with a class and its edges, in the unit of the form, and perhaps `attributes`: anything else that
            is known of it, which decides nothing.
        form: What a mark consists of.

    Raises:
        MarkError: A mark is none; the message says which, counted from 1, and why.

    >>> write_marks([{"end": 9, "start": 3, "class": "drug"}, {"start": 0, "end": 2, "class": "dose"}], SPANS)
    '[{"class":"dose","start":0,"end":2},{"class":"drug","start":3,"end":9}]'
    >>> write_marks([{"class": "car", "x": 1.004, "y": 2, "width": 30.5, "height": 4}], BOXES)
    '[{"class":"car","x":1,"y":2,"width":30.5,"height":4}]'
    """
    read = [_read_mark(mark, number, form) for number, mark in enumerate(marks, 1)]
    texts = {_encode(mark): mark for mark in read}
    ordered = sorted(texts, key=lambda text: (*(texts[text][edge] for edge in form.edges), text))
    return f"[{','.join(ordered)}]"


def read_marks(text: str, form: MarkForm) -> list[dict[str, Any]]:
    """Return the marks of a text that lists them, in their order there.

    Args:
        text: A JSON list, canonical or not.
        form: What a mark consists of.

    Raises:
        MarkError: It is no list of marks; the message says which mark, counted from 1, and why.

    >>> read_marks('[{"class": "drug", "start": 3, "end": 9.0}]', SPANS)
    [{'class': 'drug', 'start': 3, 'end': 9}]
    """
    try:
        found = json.loads(text, parse_constant=float)
    except (ValueError, RecursionError) as error:
        raise MarkError(f"found {_quote(text)}; expected a JSON list of marks, [] where there is none") from error
    if not isinstance(found, list):
        raise MarkError(f"found {_quote(text)}; expected a JSON list of marks, [] where there is none")
    return [_read_mark(mark, number, form) for number, mark in enumerate(found, 1)]


def _read_mark(mark: Any, number: int, form: MarkForm) -> dict[str, Any]:
    if not isinstance(mark, Mapping):
        raise MarkError(f"mark {number}: found {_quote(mark)}; expected an object with class, {_listed(form)}")
    if unknown := sorted(set(map(str, mark)) - {CLASS, ATTRIBUTES, *form.edges}):
        raise MarkError(
            f"mark {number}: {unknown[0]!r} is no key of {form.name}; expected class, {_listed(form)}, and whatever "
            f"else is known of it under {ATTRIBUTES}"
        )
    name = mark.get(CLASS)
    if not isinstance(name, str) or not name:
        raise MarkError(f"mark {number}, class: found {_quote(name)}; expected the name of a class")
    edges = {edge: _read_edge(mark.get(edge), f"mark {number}, {edge}", form) for edge in form.edges}
    _check_edges(edges, number, form)
    attributes = mark.get(ATTRIBUTES)
    if attributes is None or attributes == {}:
        return {CLASS: name, **edges}
    return {CLASS: name, **edges, ATTRIBUTES: _read_attributes(attributes, number)}


def _read_edge(value: Any, where: str, form: MarkForm) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MarkError(f"{where}: found {_quote(value)}; expected a number of {form.unit}")
    if not abs(value) < MOST:  # nor is what is no number
        raise MarkError(f"{where}: found {_quote(value)}; expected a number of {form.unit} that is finite")
    rounded = round(value, form.decimals) if form.decimals else value
    if rounded == int(rounded):
        return int(rounded)
    if not form.decimals:
        raise MarkError(f"{where}: found {value!r}; expected whole {form.unit}")
    return rounded


def _check_edges(edges: Mapping[str, int | float], number: int, form: MarkForm) -> None:
    """Refuse edges that are in the wrong order, or before the item's beginning."""
    if form.dimensions == 1:
        if edges["start"] < 0:
            raise MarkError(f"mark {number}, start: found {edges['start']}; expected 0 {form.unit} or more")
        if edges["end"] <= edges["start"]:
            raise MarkError(f"mark {number}, end: found {edges['end']}; expected more than its start {edges['start']}")
        return
    for edge in ("x", "y"):
        if edges[edge] < 0:
            raise MarkError(f"mark {number}, {edge}: found {edges[edge]}; expected 0 {form.unit} or more: cut it")
    for edge in ("width", "height"):
        if edges[edge] <= 0:
            raise MarkError(f"mark {number}, {edge}: found {edges[edge]}; expected more than 0: it has no area")


def _read_attributes(attributes: Any, number: int) -> Any:
    if not isinstance(attributes, Mapping):
        raise MarkError(f"mark {number}, {ATTRIBUTES}: found {_quote(attributes)}; expected an object")
    try:
        return json.loads(json.dumps(attributes, sort_keys=True, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise MarkError(f"mark {number}, {ATTRIBUTES}: {error}; expected what JSON can hold") from error


def _quote(value: Any) -> str:
    return repr(value)[:QUOTED_CHARACTERS]


def _listed(form: MarkForm) -> str:
    return ", ".join(form.edges[:-1]) + f" and {form.edges[-1]}"
