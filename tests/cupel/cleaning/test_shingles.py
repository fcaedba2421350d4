"""Sorting hashes in time proportional to their number, and runs of characters and words as hashes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.shingles import DIGITS, character_hashes, sort_distinct, word_hashes


def ordered(values: list[int]) -> list[int]:
    hashes, distinct = np.array(values, np.uint32), np.empty(len(values), np.uint32)
    count = sort_distinct(hashes, len(values), np.empty(DIGITS, np.int32), distinct)
    return distinct[:count].tolist()


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**32 - 1) | st.integers(2**31, 2**31 + 9), min_size=1, max_size=80))
def test_distinct_hashes_come_in_order(values: list[int]) -> None:
    assert ordered(values) == sorted(set(values))


@pytest.mark.parametrize("count", [2_048, 2_049, 100_000])
def test_many_hashes_come_in_order_however_often_they_are_repeated(count: int) -> None:
    rng = np.random.default_rng(1)
    for most in (2**32, 2**20, 3):
        values = rng.integers(0, most, count, np.uint32).tolist()
        assert ordered(values) == sorted(set(values))


def codes_of(text: str) -> np.ndarray:
    return np.array([ord(character) for character in text], np.int32)


@settings(deadline=None)
@given(st.text(st.sampled_from("ab \U0001f600"), max_size=12), st.integers(1, 7))
def test_runs_of_characters_have_one_hash_wherever_they_stand(text: str, width: int) -> None:
    hashes = np.empty(max(1, len(text)), np.uint32)
    count = character_hashes(codes_of(text), len(text), width, hashes)
    runs = [text[place : place + width] for place in range(max(1, len(text) - width + 1))]
    assert count == len(runs)
    for run, value in zip(runs, hashes[:count].tolist(), strict=True):
        alone = np.empty(max(1, len(run)), np.uint32)
        assert character_hashes(codes_of(run), len(run), width, alone) == 1
        assert alone[0] == value
    assert len(set(hashes[:count].tolist())) == len(set(runs))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "ab", "ba"]), max_size=9), st.integers(1, 4))
def test_runs_of_words_have_one_hash_wherever_they_stand(words: list[str], width: int) -> None:
    text = " ".join(words)
    hashes = np.empty(len(words) + 1, np.uint32)
    count = word_hashes(codes_of(text), len(text), width, np.empty(len(words) + 1, np.uint64), hashes)
    runs = [tuple(words[place : place + width]) for place in range(max(1, len(words) - width + 1))]
    assert count == len(runs)
    assert len(set(hashes[:count].tolist())) == len(set(runs))
    assert {hashes[place] == hashes[0] for place in range(count) if runs[place] == runs[0]} == {True}
