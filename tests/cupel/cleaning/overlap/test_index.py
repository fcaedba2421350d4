"""Finding what texts hold of reference sets."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.overlap.index import RUN, Index, Match
from cupel.cleaning.overlap.references import Reference

LONG = " ".join(f"word{number}" for number in range(20))
SHORT = "What is the capital of Mongolia?"
ROWS = [
    Reference("geo, row 1", SHORT, "Ulaanbaatar"),
    Reference("long, row 1", LONG, ""),
    Reference("tiny, row 1", "Is it true?", ""),
    Reference("eight, row 1", "One two three four five six seven eight", ""),
]
INDEX = Index(ROWS)


def found(text: str) -> Match | None:
    return INDEX.find(pa.array([text]))[0]


def test_a_whole_reference_is_found_and_named_wherever_it_stands() -> None:
    assert found(f"before, {LONG.upper()}! After.") == Match(1.0, "long, row 1: 8 of 8 runs of 13 words")
    assert found(LONG) == Match(1.0, "long, row 1: 8 of 8 runs of 13 words")


def test_a_part_counts_as_much_as_it_is_of_the_shorter_of_the_two() -> None:
    words = LONG.split()
    half = " ".join(words[:16])
    assert found(f"{half} and much more behind it that has nothing to do with it at all") == Match(
        4 / 8, "long, row 1: 4 of 8 runs of 13 words"
    )
    assert found(half) == Match(1.0, "long, row 1: 4 of 4 runs of 13 words")
    assert found(" ".join(words[: RUN - 1])) is None


def test_a_short_reference_needs_its_answer() -> None:
    assert found(f"{SHORT} Think hard.") is None
    assert found("Ulaanbaatar is far. so: what is the capital OF Mongolia") == Match(
        1.0, "geo, row 1: all its 6 words, and its answer"
    )
    assert found(f"{SHORT} Ulaanbaatarian") is None


def test_a_short_reference_without_an_answer_is_looked_for_if_it_is_long_enough_to_be_told_from_chance() -> None:
    assert found("so one two, three four five six seven eight nine") == Match(1.0, "eight, row 1: all its 8 words")
    assert found("Is it true? Is it true?") is None
    assert INDEX.not_looked_for == 1


def test_of_several_references_the_largest_share_counts() -> None:
    half = " ".join(LONG.split()[:16])
    both = f"{half} something else altogether that goes on; one two three four five six seven eight"
    assert found(both) == Match(1.0, "eight, row 1: all its 8 words")


def test_nothing_is_found_in_other_empty_and_missing_texts() -> None:
    assert INDEX.find(pa.array(["", None, "a b c", "!!"])) == [None] * 4
    assert INDEX.find(pa.array([], pa.string())) == []
    assert Index([Reference("none", "too short", "")]).find(pa.array([LONG])) == [None]


def test_a_text_that_repeats_a_reference_counts_it_once() -> None:
    assert found(f"{LONG} {LONG}") == Match(1.0, "long, row 1: 8 of 8 runs of 13 words")


@settings(deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=13, max_size=40), st.integers(0, 30), st.integers(13, 25))
def test_the_share_is_that_of_a_plain_set_of_runs(words: list[str], start: int, length: int) -> None:
    part = words[start : start + length]
    text = " ".join(["x", "y", *part, "z"])
    runs = {tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}
    own = text.split()
    mine = [tuple(own[at : at + RUN]) for at in range(len(own) - RUN + 1)]
    share = len(runs & set(mine)) / max(min(len(runs), len(mine)), 1)
    match = Index([Reference("r", " ".join(words), "")]).find(pa.array([text]))[0]
    assert (0.0 if match is None else match.share) == min(share, 1.0)
