"""Addresses and words of code are told from words of people."""

import numpy as np
import pytest

from cupel.modalities.text.languages.machine_words import ADDRESS, CODE, PLAIN, read_word


def kind_of(word: str) -> int:
    codes = np.array([ord(sign) for sign in f"{word} end"], np.int32)
    kind, behind = read_word(codes, 0, len(codes))
    assert behind <= len(word)
    return kind


@pytest.mark.parametrize(
    "word", ["https://example.org/a?b=c", "www.example.org", "a.b@example.org", "@anna", "/usr/local/bin", "//cdn/x"]
)
def test_addresses(word: str) -> None:
    assert kind_of(word) == ADDRESS


@pytest.mark.parametrize(
    "word", ["f(x,y)", "range(10):", "json.loads", "a[1]", "x=1", '"name":', "std::vector", "get_user_name", "$total",
             "getUserName", "aGVsbG8gd29ybGQ", "9f86d081884c", "}else"],
)  # fmt: skip
def test_code(word: str) -> None:
    assert kind_of(word) == CODE


@pytest.mark.parametrize(
    "word", ["word", "Word,", "file(s)", "z.B.", "i.e.", "and/or", "iPhone", "B2", "Sa_ve", "don't", "12.05.2024",
             "EU:n", "(see", "below)", "3.5", "end.The", "co-op", "\"quoted\"", "=", "{}", "C++"],
)  # fmt: skip
def test_words_of_people(word: str) -> None:
    assert kind_of(word) == PLAIN


def test_a_word_ends_where_markup_begins() -> None:
    codes = np.array([ord(sign) for sign in "word<b>next"], np.int32)
    assert read_word(codes, 0, len(codes)) == (PLAIN, 4)
