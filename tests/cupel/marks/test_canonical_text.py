import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.marks.canonical_text import BOXES, NOTHING, SEGMENTS, SPANS, MarkError, MarkForm, read_marks, write_marks

NAMES = st.sampled_from(["run", "jump", 'quoted "é"', "走"])
LENGTHS = st.integers(1, 50)


@st.composite
def lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    starts = draw(st.lists(st.integers(0, 40), max_size=6))
    return [{"class": draw(NAMES), "start": start, "end": start + draw(LENGTHS)} for start in starts]


@st.composite
def planes(draw: st.DrawFn) -> list[dict[str, Any]]:
    cells = st.integers(0, 5000).map(lambda cell: cell / 100)
    corners = draw(st.lists(st.tuples(cells, cells), max_size=6))
    sizes = st.integers(1, 5000).map(lambda cell: cell / 100)
    return [{"class": draw(NAMES), "x": x, "y": y, "width": draw(sizes), "height": draw(sizes)} for x, y in corners]


MARKS = lines().map(lambda marks: (marks, SPANS)) | planes().map(lambda marks: (marks, BOXES))


@given(MARKS, st.randoms())
def test_the_same_marks_have_one_text_whatever_their_order_and_however_often_they_stand_there(
    made: tuple[list[dict[str, Any]], MarkForm], order: random.Random
) -> None:
    marks, form = made
    text = write_marks(marks, form)
    shuffled = [dict(reversed(mark.items())) for mark in (*marks, *marks[:1])]
    order.shuffle(shuffled)
    assert write_marks(shuffled, form) == text
    assert write_marks(read_marks(text, form), form) == text
    assert write_marks(read_marks(json.dumps(json.loads(text), indent=1), form), form) == text


def test_an_answer_that_nothing_is_there_is_a_text_of_its_own() -> None:
    assert write_marks([], SEGMENTS) == NOTHING == "[]"
    assert read_marks(" [ ] ", SEGMENTS) == []


def test_edges_are_rounded_to_the_form_and_written_as_short_as_can_be() -> None:
    box = {"class": "car", "x": 10.0, "y": 20.499999, "width": 0.125, "height": 1e2}
    assert write_marks([box], BOXES) == '[{"class":"car","x":10,"y":20.5,"width":0.12,"height":100}]'
    assert write_marks([{"class": "run", "start": 1.0, "end": 2}], SEGMENTS) == '[{"class":"run","start":1,"end":2}]'


def test_what_else_is_known_of_a_mark_stands_behind_its_edges_in_the_order_of_its_names() -> None:
    mark = {"class": "car", "x": 0, "y": 0, "width": 1, "height": 1, "attributes": {"b": [1.5, None], "a": True}}
    (found,) = read_marks(write_marks([mark], BOXES), BOXES)
    assert list(found["attributes"]) == ["a", "b"]
    assert write_marks([{**mark, "attributes": {}}], BOXES) == write_marks([{**mark, "attributes": None}], BOXES)


SPAN = {"class": "run", "start": 3, "end": 9}
BOX = {"class": "car", "x": 0, "y": 0, "width": 4, "height": 4}


@pytest.mark.parametrize(
    ("form", "mark", "said"),
    [
        (SPANS, {**SPAN, "end": 3}, "mark 1, end: found 3; expected more than its start 3"),
        (SPANS, {**SPAN, "end": 2}, "mark 1, end: found 2; expected more than its start 3"),
        (SPANS, {**SPAN, "start": -1}, "mark 1, start: found -1; expected 0 characters or more"),
        (SEGMENTS, {**SPAN, "end": float("inf")}, "mark 1, end: found inf; expected a number of microseconds that is"),
        (SEGMENTS, {**SPAN, "end": float("nan")}, "mark 1, end: found nan"),
        (SEGMENTS, {**SPAN, "end": 10**400}, "mark 1, end: found 1000"),
        (SEGMENTS, {**SPAN, "end": 9.5}, "mark 1, end: found 9.5; expected whole microseconds"),
        (SPANS, {**SPAN, "end": "9"}, "mark 1, end: found '9'; expected a number of characters"),
        (SPANS, {**SPAN, "end": True}, "mark 1, end: found True"),
        (SPANS, {"class": "run", "start": 3}, "mark 1, end: found None"),
        (SPANS, {**SPAN, "class": ""}, "mark 1, class: found ''; expected the name of a class"),
        (SPANS, {**SPAN, "class": None}, "mark 1, class: found None"),
        (SPANS, {**SPAN, "text": "x"}, "mark 1: 'text' is no key of spans; expected class, start and end"),
        (SPANS, "run", "mark 1: found 'run'; expected an object with class, start and end"),
        (SPANS, {**SPAN, "attributes": [1]}, "mark 1, attributes: found [1]; expected an object"),
        (SPANS, {**SPAN, "attributes": {"a": float("nan")}}, "mark 1, attributes: "),
        (BOXES, {**BOX, "width": 0}, "mark 1, width: found 0; expected more than 0: it has no area"),
        (BOXES, {**BOX, "height": 0.004}, "mark 1, height: found 0; expected more than 0"),
        (BOXES, {**BOX, "height": -2}, "mark 1, height: found -2"),
        (BOXES, {**BOX, "x": -0.5}, "mark 1, x: found -0.5; expected 0 pixels or more"),
    ],
)  # fmt: skip
def test_what_is_no_mark_is_told_with_its_place_and_what_was_found(form: MarkForm, mark: Any, said: str) -> None:
    with pytest.raises(MarkError) as error:
        write_marks([mark], form)
    assert str(error.value).startswith(said)


@pytest.mark.parametrize("text", ["", "null", "{}", "run", "[" * 100_000, '[{"class":"run","start":1,"end":2}'])
def test_a_text_that_lists_no_marks_is_refused(text: str) -> None:
    with pytest.raises(MarkError, match="expected a JSON list of marks"):
        read_marks(text, SPANS)


def test_the_number_of_the_mark_is_told() -> None:
    with pytest.raises(MarkError, match="mark 2, end: found nan"):
        read_marks('[{"class":"a","start":1,"end":2},{"class":"a","start":1,"end":NaN}]', SPANS)
