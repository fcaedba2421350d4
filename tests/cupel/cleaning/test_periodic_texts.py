"""Texts of one or two characters again and again take time in step with their length, whatever is asked of them."""

import random
import time
import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.periodic_texts import STEPS, compare_sizes, is_bad, periods, repeat, warm_up
from cupel.cleaning.line_repairs import c4_lines
from cupel.modalities.text.normalise import compose
from cupel.modalities.text.scan.tokens import tokenise

# Of each kind that a step treats on its own one or two; `benchmarks.periodic_texts` takes many more.
SIGNS = "@.:/-+([]'# 1aA\n\u0301\u0323\u200d\uff10\u03a3\u4e2d\xc3"
CHARACTERS = 8_000
Form = Literal["NFC", "NFKC"]
FORMS: tuple[Form, ...] = ("NFC", "NFKC")
MARKS = ["\u0301", "\u0323", "\u0344", "\u0f71", "\u0f72", "\u0f73", "\uff9e", "\u3099", "\u0338", "\u0345", "\u0327"]
OTHERS = ["a", "\xe9", "\u1ea5", "=", "\uac00", "\u0915", "\uff76", "\u200d"]


@pytest.mark.parametrize("step", STEPS)
def test_four_times_a_text_of_two_characters_takes_about_four_times_the_time(step: str) -> None:
    warm_up([step])
    timings = (compare_sizes(step, period, " end", CHARACTERS) for period in periods((1, 2), SIGNS))
    assert [timing for timing in timings if is_bad(timing)] == []


def seconds(call: object, text: str) -> float:
    start = time.process_time()
    call(text)  # type: ignore[operator]
    return time.process_time() - start


@pytest.mark.parametrize("period", ["@", "a@", "@:", "a@b-"])
def test_long_runs_of_at_signs_are_measured_at_once(period: str) -> None:
    warm_up(["scan"])
    assert seconds(STEPS["scan"], repeat(period, "", 200_000)) < 2


@pytest.mark.parametrize(
    "period", ["\u0323\u0301", "\u0344\u0323", "\u0f71\u0f72", "\uff9e\u0323", "\u0301\u200b\u0323"]
)
@pytest.mark.parametrize("step", ["normal form NFC", "normal form NFKC"])
def test_long_runs_of_marks_are_brought_into_order_at_once(step: str, period: str) -> None:
    assert seconds(STEPS[step], repeat(period, "", 150_000)) < 2


def test_many_citations_at_the_end_of_a_line_are_taken_away_at_once() -> None:
    line = "This is a line of some words." + "[1]" * 200_000
    assert seconds(c4_lines, line) < 2
    assert c4_lines("A line of some words.[1][edit][2]").removed == ()
    assert c4_lines("[1]" * 1_000).text == ""
    assert c4_lines("No words of its own[citation needed][x][12]").text == ""


@given(st.lists(st.tuples(st.sampled_from(OTHERS), st.sampled_from([0, 1, 3, 63, 64, 65, 100])), max_size=4),
       st.randoms(use_true_random=False))  # fmt: skip
def test_marks_that_come_sorted_have_the_normal_form_of_unicode(
    parts: list[tuple[str, int]], random: random.Random
) -> None:
    text = "".join(letter + "".join(random.choices(MARKS, k=count)) for letter, count in parts)
    for form in FORMS:
        assert compose(text, form) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("form", FORMS)
def test_every_sign_that_decomposes_to_marks_keeps_its_normal_form_in_a_long_run(form: Form) -> None:
    signs = [chr(code) for code in range(0x300, 0x20000) if not 0xD800 <= code <= 0xDFFF]
    marks = [sign for sign in signs if any(map(unicodedata.combining, unicodedata.normalize("NFKD", sign)))]
    assert len(marks) > 900
    shuffled = "".join(random.Random(5).sample(marks, len(marks)))
    for text in (f"a{shuffled}", shuffled * 2, f"\u0301{shuffled}e"):
        assert compose(text, form) == unicodedata.normalize(form, text)


@pytest.mark.parametrize(
    ("run", "is_whole"),
    [("a@b.c-d", True), ("@a.b-c", False), ("a@.c-d", False), ("a@@.c-d", True), ("a-b@c@d.e", True), ("a-b@c.", False),
     ("a-b@c.d", True), ("a@b@c-d", False), ("x-y://z-z", True), ("a@b-c.", False)],
)  # fmt: skip
def test_an_address_has_a_dot_behind_any_of_its_at_signs(run: str, is_whole: bool) -> None:
    # What may follow a full stop at its end aside: it stands apart from the run.
    assert (run in tokenise(run)) == is_whole
