"""What is measured of a text, in fractions, and in linear time."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.duplicates.folded_texts import fold_text
from cupel.modalities.text.normalise import normalise
from cupel.modalities.text.quality import quality, words_of


def test_the_measures_of_a_text() -> None:
    found = quality("The cat, the dog... #pets")
    assert found.characters == 25
    assert found.words == 5
    assert found.mean_word_length == 16 / 5
    assert found.letter_share == 16 / 21
    assert found.symbol_word_share == 2 / 5
    assert found.repeated_word_share == 2 / 5


def test_a_repeated_line_counts_from_its_second_time() -> None:
    assert quality("ab\ncd\nab\nab").repeated_line_share == 4 / 8
    assert quality("ab\n\n\n\ncd").repeated_line_share == 0


def test_a_text_without_words_has_shares_of_nothing() -> None:
    for text in ("", "!!!", "### ..."):
        found = quality(text)
        assert (found.words, found.mean_word_length, found.letter_share, found.repeated_word_share) == (0, 0, 0, 0)
    assert quality("### ...").symbol_word_share == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't 'quote' rock''n''roll it's' 'tis", ["don't", "quote", "rock", "n", "roll", "it's", "tis"]),
        ("snake_case x2 3.5", ["snake", "case", "x2", "3", "5"]),
        ("l\u2019\u00e9t\u00e9 \u00c0", ["l\u2019\u00e9t\u00e9", "\u00e0"]),
        ("\u0939\u093f\u0928\u094d\u0926\u0940 \u092d\u093e\u0937\u093e",
         ["\u0939\u093f\u0928\u094d\u0926\u0940", "\u092d\u093e\u0937\u093e"]),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", ["\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"]),
    ],
)  # fmt: skip
def test_words_are_runs_of_letters_digits_and_inner_apostrophes(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@settings(deadline=None)
@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_fast_way_finds_the_words_that_the_definition_does(text: str) -> None:
    assert words_of(text) == re.findall(r"[a-z0-9]+(?:'[a-z0-9]+)*", text.lower())


@settings(deadline=None)
@given(st.text())
def test_vowel_signs_belong_to_their_letters(text: str) -> None:
    found = quality(normalise(text))
    assert 0 <= found.letter_share <= 1
    assert 0 <= found.repeated_line_share < 1 or found.characters == 0
    assert quality("\u0939\u093f\u0928\u094d\u0926\u0940").letter_share == 1


@pytest.mark.parametrize(
    "text",
    ["word " * 200_000, "a" * 1_000_000, " " * 1_000_000, "\n" * 1_000_000, "a'" * 400_000, "." * 1_000_000,
     "a\u200d" * 200_000, "a" + "\u0301" * 400_000, "\u0915\u094d" * 200_000, " \n" * 400_000],
    ids=["one word", "no space", "spaces", "lines", "apostrophes", "dots", "joiners", "marks", "viramas", "space line"],
)  # fmt: skip
def test_hostile_text_takes_linear_time(text: str) -> None:
    begin = time.process_time()
    quality(normalise(text))
    fold_text(text)
    # Takes up to half a second; anything quadratic would take an hour.
    assert time.process_time() - begin < 20
