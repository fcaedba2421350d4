"""Repairs of lines: what is joined, what is taken away, and what stays as it was."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.line_repairs import c4_lines, unwrapped, without_policies, without_repeated
from cupel.modalities.text.scan.lines import PHRASES
from cupel.modalities.text.scan.measures import measures

WRAPPED = """The committee met again on Thursday to hear the engineers, who had found
that the bridge would stand for another forty years if the bearings on its
western side were changed before the winter, and that nothing else was of
any importance."""
POEM = """The wind was a torrent of darkness among the gusty trees,
The moon was a ghostly galleon tossed upon cloudy seas,
The road was a ribbon of moonlight over the purple moor,
And the highwayman came riding,
Riding,
Riding."""


def test_a_paragraph_that_was_broken_to_fit_a_width_is_one_line_again() -> None:
    assert unwrapped(WRAPPED).text == WRAPPED.replace("\n", " ")


def test_paragraphs_stay_apart() -> None:
    assert unwrapped(f"{WRAPPED}\n\n{WRAPPED}").text == "\n\n".join([WRAPPED.replace("\n", " ")] * 2)


@pytest.mark.parametrize(
    "text",
    [
        POEM,
        "\n".join(f"> {line}" for line in WRAPPED.split("\n")),
        "\n".join(f"- {line}" for line in WRAPPED.split("\n")),
        "\n".join(f"{number}. {line}" for number, line in enumerate(WRAPPED.split("\n"))),
        "Dear all,\nsee you there.\nBest,\nAnn",
        "\n".join(["A paragraph of one line that is longer than any screen is wide. " * 4] * 5),
        "",
    ],
    ids=["poem", "quote", "list", "numbered", "letter", "long lines", "empty"],
)
def test_lines_that_end_for_another_reason_stay(text: str) -> None:
    assert unwrapped(text).text == text


def test_a_hyphen_at_a_break_stays_and_no_space_comes_after_it() -> None:
    lines = ["a line that is nearly as long as the others are and well-", "known words " * 4 + "follow it", "x" * 58]
    assert "well-known words" in unwrapped("\n".join(lines)).text


@given(st.text(alphabet="ab .\n>-", max_size=400))
def test_joining_loses_no_visible_character(text: str) -> None:
    assert "".join(unwrapped(text).text.split()) == "".join(text.split())


def test_short_lines_about_policies_go_and_paragraphs_about_them_stay() -> None:
    article = "The court ruled on Monday that a privacy policy is a contract. " * 5
    text = f"{article}\nWe use cookies. Read our privacy policy.\nPlease enable JavaScript\nThe end."
    assert without_policies(text) == (
        f"{article}\nThe end.", ("We use cookies. Read our privacy policy.", "Please enable JavaScript"),
    )  # fmt: skip


def test_repeated_lines_go_whatever_the_spaces_around_them() -> None:
    found = without_repeated("News\r\n  Share this page\t\r\nMore", {"Share this page"})
    assert found == ("News\r\nMore", ("  Share this page\t\r",))


LINES = st.lists(
    st.sampled_from(
        ["One two three.", "no end here", "Two words.", "Wait for it...", "A {brace} is here.", "[12]", "", "  ",
         "We use cookies here.", "Enable JavaScript now!", "Lorem ipsum dolor sit.", "Cited one two. [12][edit]",
         "\u4e2d\u6587\u5f88\u597d\u3002", "\u4e2d\u6587\u3002", "\u4e2d" * 1_200 + "\u3002", "x" * 1_001 + " y z.",
         "\u0915\u0916 \u0917 \u0918\u0964", 'She said "no."', "\u2026 and then some \u2026", *PHRASES]
    )
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(LINES)
def test_c4_keeps_as_many_lines_as_the_scan_counts_and_its_verdict_stays(lines: list[str]) -> None:
    text = "\n".join(lines)
    after = c4_lines(text)
    names = ["kept_lines", "lorem_lines", "brace_lines", "kept_sentences"]
    before, now = (measures(pa.array([each])).select(names).to_pylist()[0] for each in (text, after.text))
    assert before == now
    kept = [line for line in after.text.splitlines() if line.strip()]
    assert len(kept) == before["kept_lines"] + before["lorem_lines"] + before["brace_lines"]
    assert len(kept) + len(after.removed) == sum(bool(line.strip()) for line in lines)


@given(LINES)
def test_removing_twice_removes_nothing_more(lines: list[str]) -> None:
    text = "\n".join(lines)
    for repair in (c4_lines, without_policies):
        assert repair(repair(text).text).removed == ()
