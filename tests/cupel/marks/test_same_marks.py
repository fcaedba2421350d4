from itertools import permutations
from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from cupel.marks.canonical_text import BOXES, SPANS, MarkForm, read_marks, write_marks
from cupel.marks.same_marks import are_same

EDGES = st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.integers(1, 8))
LINES = st.lists(EDGES, max_size=5).map(
    lambda some: write_marks(
        [{"class": name, "start": start, "end": start + size} for name, start, size in some], SPANS
    )
)
CORNERS = st.tuples(st.integers(0, 6), st.integers(0, 6), st.integers(1, 5), st.integers(1, 5))
PLANES = st.lists(CORNERS, max_size=4).map(
    lambda some: write_marks(
        [
            {"class": "a", "x": x / 4, "y": y / 4, "width": width / 4, "height": height / 4}
            for x, y, width, height in some
        ],
        BOXES,
    )
)


def same(one: str | None, other: str | None, form: MarkForm = SPANS, least: float = 0.5) -> bool:
    (found,) = are_same(pa.array([one], pa.string()), pa.array([other], pa.string()), form, least).to_pylist()
    return bool(found)


def overlap(one: dict[str, Any], other: dict[str, Any], form: MarkForm) -> float:
    """Return the IoU of two marks by counting cells of a quarter of a unit."""
    if one["class"] != other["class"]:
        return 0.0
    cells = [cells_of(mark, form) for mark in (one, other)]
    return len(cells[0] & cells[1]) / len(cells[0] | cells[1])


def cells_of(mark: dict[str, Any], form: MarkForm) -> set[Any]:
    if form is SPANS:
        return set(range(mark["start"], mark["end"]))
    left, top, width, height = (round(4 * mark[edge]) for edge in form.edges)
    return {(x, y) for x in range(left, left + width) for y in range(top, top + height)}


def pairs_up(one: str, other: str, form: MarkForm, least: float) -> bool:
    """Try every way to pair the marks of two texts."""
    first, second = read_marks(one, form), read_marks(other, form)
    if len(first) != len(second):
        return False
    return any(
        all(overlap(mark, partner, form) >= least for mark, partner in zip(first, order, strict=True))
        for order in permutations(second)
    )


@given(LINES, LINES, st.sampled_from([0.25, 0.5, 0.75, 1.0]))
def test_spans_say_the_same_where_some_pairing_leaves_no_mark_alone(one: str, other: str, least: float) -> None:
    assert same(one, other, SPANS, least) == pairs_up(one, other, SPANS, least) == same(other, one, SPANS, least)


@given(PLANES, PLANES, st.sampled_from([0.25, 0.5, 0.75]))
def test_boxes_say_the_same_where_some_pairing_leaves_no_mark_alone(one: str, other: str, least: float) -> None:
    assert same(one, other, BOXES, least) == pairs_up(one, other, BOXES, least)


def text(*marks: tuple[str, int, int]) -> str:
    return write_marks([{"class": name, "start": start, "end": end} for name, start, end in marks], SPANS)


def test_a_mark_goes_over_to_another_partner_where_one_would_be_left_alone() -> None:
    # Both marks on the left would take 0 to 10 first; the one from 3 can have only that.
    assert same(text(("a", 0, 8), ("a", 3, 11)), text(("a", 0, 10), ("a", 0, 6)))


def test_at_the_least_overlap_marks_are_partners_and_below_it_they_are_not() -> None:
    assert same(text(("a", 0, 10)), text(("a", 0, 5)))  # IoU 5 / 10
    assert not same(text(("a", 0, 11)), text(("a", 0, 5)))  # IoU 5 / 11


def test_missing_invented_doubled_and_misnamed_marks_are_wrong() -> None:
    assert not same(text(("a", 0, 9)), "[]")
    assert not same("[]", text(("a", 0, 9)))
    assert not same(text(("a", 0, 9), ("a", 0, 8)), text(("a", 0, 9)))
    assert not same(text(("a", 0, 9)), text(("b", 0, 9)))
    assert same("[]", "[]")


def test_what_else_is_known_of_a_mark_decides_nothing() -> None:
    assert same('[{"class":"a","start":0,"end":9,"attributes":{"sure":true}}]', text(("a", 0, 9)))


def test_null_is_the_same_as_nothing_even_beside_long_columns() -> None:
    one = pa.array(["[]", None, None, text(("a", 0, 9))], pa.string())
    other = pa.array([None, "[]", None, text(("a", 1, 9))], pa.string())
    assert are_same(one, other, SPANS, 0.5).to_pylist() == [False, False, False, True]
    assert are_same(pa.chunked_array([one]), pa.chunked_array([other]), SPANS, 0.5).to_pylist()[3]
    assert are_same(one[:0], other[:0], SPANS, 0.5).to_pylist() == []
