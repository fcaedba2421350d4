"""Fingerprints: the same for a text whatever stands beside it, of any bytes, at a cost in proportion to its length."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.duplicates import fingerprints as module
from cupel.cleaning.duplicates.fingerprints import (
    DIGITS,
    MINHASH_VALUES,
    SKETCH_WORDS,
    Banding,
    ShingleShape,
    hash_character_runs,
    hash_word_runs,
    may_be_similar,
    sort_distinct,
    take_fingerprints,
    write_bands,
    write_minhash,
    write_sketch,
)


def test_threads_and_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pa.array([f"text number {place} of many, {'long ' * (place % 50)}" for place in range(1_000)] + [None, ""])
    whole = take_fingerprints(texts, keep_shingles=True, threads=1)
    monkeypatch.setattr(module, "TEXTS_AT_ONCE", 7)
    for one, other in zip(whole, take_fingerprints(texts, keep_shingles=True, threads=4), strict=True):
        assert np.array_equal(one, other)
    assert len(whole.shingles) == whole.sizes.sum()
    assert whole.sizes[-2:].tolist() == [0, 1]


def test_shingles_are_kept_only_when_asked_for_and_bands_made_only_when_there_are_some() -> None:
    found = take_fingerprints(pa.array(["some text"]), banding=Banding(0, 1))
    assert (found.bands.shape, len(found.shingles), found.sizes.tolist()) == ((1, 0), 0, [5])


@pytest.mark.parametrize("shape", [ShingleShape(5), ShingleShape(5, of_words=True)])
def test_one_word_a_million_times_is_a_small_set(shape: ShingleShape) -> None:
    found = take_fingerprints(pa.array(["word " * 1_000_000]), shape)
    assert found.sizes.tolist() == [1 if shape.of_words else 5]


def test_a_document_of_a_hundred_megabytes_is_read() -> None:
    rng = np.random.default_rng(0)
    text = rng.integers(97, 123, 100_000_000, np.uint8).tobytes()
    found = take_fingerprints(pa.array([text], pa.large_binary()))
    # Nearly all of the 26^5 runs of five letters are in it; some hashes are equal.
    assert found.sizes[0] == pytest.approx(26**5, rel=0.003)
    assert found.texts[0, 1] == 100_000_000


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
    count = hash_character_runs(codes_of(text), len(text), width, hashes)
    runs = [text[place : place + width] for place in range(max(1, len(text) - width + 1))]
    assert count == len(runs)
    for run, value in zip(runs, hashes[:count].tolist(), strict=True):
        alone = np.empty(max(1, len(run)), np.uint32)
        assert hash_character_runs(codes_of(run), len(run), width, alone) == 1
        assert alone[0] == value
    assert len(set(hashes[:count].tolist())) == len(set(runs))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "ab", "ba"]), max_size=9), st.integers(1, 4))
def test_runs_of_words_have_one_hash_wherever_they_stand(words: list[str], width: int) -> None:
    text = " ".join(words)
    hashes = np.empty(len(words) + 1, np.uint32)
    count = hash_word_runs(codes_of(text), len(text), width, np.empty(len(words) + 1, np.uint64), hashes)
    runs = [tuple(words[place : place + width]) for place in range(max(1, len(words) - width + 1))]
    assert count == len(runs)
    assert len(set(hashes[:count].tolist())) == len(set(runs))
    assert {hashes[place] == hashes[0] for place in range(count) if runs[place] == runs[0]} == {True}


SETS = st.sets(st.integers(0, 2**32 - 1) | st.integers(0, 5), min_size=1, max_size=40)


def sketch(hashes: set[int]) -> np.ndarray:
    found = np.full(SKETCH_WORDS, 7, np.uint64)
    write_sketch(np.array(sorted(hashes), np.uint32), len(hashes), found)
    return found


def is_possible(one: set[int], other: set[int], least: float) -> bool:
    return may_be_similar(sketch(one), len(one), sketch(other), len(other), least)


@settings(deadline=None)
@given(SETS, SETS, st.sampled_from([0.1, 0.5, 0.8, 1.0]))
def test_no_similar_pair_is_ruled_out(one: set[int], other: set[int], least: float) -> None:
    other |= set(sorted(one)[: len(other)])
    similarity = len(one & other) / len(one | other)
    assert is_possible(one, other, least) or similarity < least


@settings(deadline=None)
@given(SETS)
def test_a_sketch_has_a_bit_for_each_of_1024_parts_that_has_a_hash(hashes: set[int]) -> None:
    bits = {
        word * 64 + bit for word, value in enumerate(sketch(hashes).tolist()) for bit in range(64) if value >> bit & 1
    }
    assert bits == {value >> 22 for value in hashes}


def test_unrelated_texts_of_usual_length_are_ruled_out() -> None:
    rng = np.random.default_rng(3)
    sets = [set(rng.integers(0, 2**32, 300, np.uint32).tolist()) for _ in range(40)]
    for left, one in enumerate(sets):
        for right, other in enumerate(sets):
            assert is_possible(one, other, 0.5) == (left == right)


def values_of(hashes: np.ndarray) -> tuple[np.ndarray, int]:
    values = np.empty(MINHASH_VALUES, np.uint64)
    computed = write_minhash(hashes.astype(np.uint32), len(hashes), values, np.empty(MINHASH_VALUES, np.int32))
    return values, computed


@pytest.mark.parametrize("size", [1, 2, 10, 100, 1_000])
@pytest.mark.parametrize("similarity", [0.5, 0.8])
def test_values_agree_as_often_as_the_sets_are_similar(size: int, similarity: float) -> None:
    rng = np.random.default_rng(size)
    agreed, exact, pairs = 0, 0.0, 400
    common = round(2 * size * similarity / (1 + similarity))
    for _ in range(pairs):
        hashes = rng.choice(2**32, 2 * size - common, replace=False)
        one, other = values_of(hashes[:size])[0], values_of(hashes[size - common :])[0]
        agreed += int((one == other).sum())
        exact += common / (2 * size - common)
    # Values of a pair do not hang together more than those of independent permutations: four standard deviations.
    assert abs(agreed / MINHASH_VALUES - exact) <= 4 * (pairs * 0.25 / MINHASH_VALUES) ** 0.5


def test_the_order_of_a_set_does_not_matter() -> None:
    hashes = np.random.default_rng(4).choice(2**32, 50, replace=False)
    assert (values_of(hashes)[0] == values_of(hashes[::-1])[0]).all()


@pytest.mark.parametrize(("size", "most"), [(1, 256), (10, 256 * 10), (300, 8 * 300), (100_000, 100_000)])
def test_a_set_is_hashed_a_bounded_number_of_times(size: int, most: int) -> None:
    assert values_of(np.random.default_rng(size).choice(2**32, size, replace=False))[1] <= most


def test_a_band_is_equal_where_all_its_values_are_and_differs_from_other_bands() -> None:
    values = np.arange(MINHASH_VALUES, dtype=np.uint64)
    bands, others = np.empty(32, np.uint32), np.empty(32, np.uint32)
    write_bands(values, 4, bands)
    values[[0, 127]] += np.uint64(1)
    write_bands(values, 4, others)
    assert np.flatnonzero(bands != others).tolist() == [0, 31]
    write_bands(np.zeros(MINHASH_VALUES, np.uint64), 4, bands)
    assert len(set(bands.tolist())) == 32


def test_bands_are_as_long_as_the_missed_share_allows() -> None:
    for similarity in (0.3, 0.5, 0.7, 0.9, 1.0):
        banding = Banding.of(similarity)
        assert banding.chance(similarity) >= 0.98
        assert banding.bands * banding.rows <= MINHASH_VALUES
        longer = banding.rows + 1
        assert longer > MINHASH_VALUES or Banding(MINHASH_VALUES // longer, longer).chance(similarity) < 0.98
