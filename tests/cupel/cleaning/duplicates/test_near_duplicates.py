"""Near-duplicates of texts, by themselves and against others: exact, complete, the same with any threads."""

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.duplicates import candidates
from cupel.cleaning.duplicates import similarity as similarity_module
from cupel.cleaning.duplicates.fingerprints import Banding, ShingleShape
from cupel.cleaning.duplicates.folded_texts import fold_text
from cupel.cleaning.duplicates.near_duplicates import (
    NearDuplicates,
    TextMatches,
    find_clusters,
    find_near_duplicates,
    match_texts,
)

# One value a band: pairs of similarity .5 are missed once in 10^38 times.
EVERY = Banding(128, 1)
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
TEXTS = st.lists(st.none() | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), max_size=14)


def shingles(text: str, shape: ShingleShape) -> set:
    parts = fold_text(text).split() if shape.of_words else fold_text(text)
    return {tuple(parts[place : place + shape.width]) for place in range(max(1, len(parts) - shape.width + 1))}


def similarity(one: str | None, other: str | None, shape: ShingleShape) -> float:
    if one is None or other is None:
        return 0.0
    left, right = shingles(one, shape), shingles(other, shape)
    return len(left & right) / len(left | right)


def as_rows(found: NearDuplicates | TextMatches) -> list[tuple[int, int, float]]:
    return list(zip(*(part.tolist() for part in found[:3]), strict=True))


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sampled_from([0.5, 0.8, 1.0]), st.sampled_from([ShingleShape(5), ShingleShape(2, of_words=True)]))
def test_pairs_are_those_that_comparing_all_with_all_finds(texts: list, least: float, shape: ShingleShape) -> None:
    found = find_near_duplicates(pa.array(texts, pa.string()), least, shape, EVERY)
    folds = [None if text is None else fold_text(text) for text in texts]
    expected = []
    for later, text in enumerate(texts):
        if text is not None and folds.index(folds[later]) < later:
            expected.append((later, folds.index(folds[later]), 1.0))
            continue
        for earlier in range(later):
            share = similarity(text, texts[earlier], shape)
            if share >= least and folds.index(folds[earlier]) == earlier:
                expected.append((later, earlier, share))
    assert as_rows(found) == expected
    assert found.not_compared == 0


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([0.5, 0.8, 1.0]))
def test_one_column_is_found_in_another_and_neither_in_itself(texts: list, others: list, least: float) -> None:
    shape = ShingleShape(5)
    found = match_texts(pa.array(texts, pa.string()), pa.array(others, pa.string()), least, shape, EVERY)
    folds = [None if text is None else fold_text(text) for text in others]
    assert as_rows(found) == [
        (row, other, similarity(text, named, shape))
        for row, text in enumerate(texts)
        for other, named in enumerate(others)
        if similarity(text, named, shape) >= least and folds.index(folds[other]) == other
    ]


def noisy(count: int, seed: int = 3) -> list[str]:
    """Return texts of which a third are edited copies of one before."""
    draw = random.Random(seed)
    texts: list[str] = []
    for place in range(count):
        if place % 3 == 2:
            words = texts[draw.randrange(place)].split()
            words[draw.randrange(len(words))] = "edited"
        else:
            words = ["".join(draw.choices("abcdefghij", k=5)) for _ in range(30)]
        texts.append(" ".join(words))
    return texts


def test_results_do_not_depend_on_the_threads_nor_on_how_many_sets_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pa.array(noisy(2_000))
    whole = find_near_duplicates(texts, threads=1)
    assert len(whole.later) > 500
    monkeypatch.setattr(similarity_module, "HASHES_AT_ONCE", 20_000)
    for one, other in zip(whole, find_near_duplicates(texts, threads=4), strict=True):
        assert np.array_equal(one, other)


def test_the_kept_row_is_the_earliest_of_its_cluster() -> None:
    texts = noisy(300)
    found = find_near_duplicates(pa.array(texts))
    for later, earlier, _ in as_rows(found):
        assert found.kept[later] == found.kept[earlier] <= earlier < later
    alone = set(range(300)) - set(found.later.tolist()) - set(found.earlier.tolist())
    assert all(found.kept[row] == row for row in alone)


def test_a_column_against_itself_finds_every_row_that_has_a_text() -> None:
    texts = pa.array([*noisy(100), None, ""])
    found = match_texts(texts, texts)
    assert sorted(set(found.row.tolist())) == [*range(100), 101]


CLIQUE = [f"your order number {place} has been shipped and will arrive at your door soon" for place in range(4_000)]


def test_work_on_a_clique_grows_with_its_size_not_with_its_square() -> None:
    work = [find_near_duplicates(pa.array(CLIQUE[:count])).compared for count in (1_000, 2_000, 4_000)]
    assert work[2] <= 2.1 * work[1] <= 4.5 * work[0]
    assert work[2] <= 4_000 * 2 * candidates.COMPARED_OF_EACH_KIND
    whole = find_near_duplicates(pa.array(CLIQUE))
    assert whole.not_compared > 0
    assert (whole.kept == 0).all()


def test_equal_texts_are_compared_with_nothing_and_make_one_cluster() -> None:
    found = find_near_duplicates(pa.array(["the same text again and again"] * 20_000))
    assert (found.compared, found.not_compared, len(found.later)) == (0, 0, 19_999)
    assert (found.kept == 0).all()


@pytest.mark.parametrize("kind", [pa.string(), pa.large_binary(), pa.null()])
def test_columns_without_a_text_have_no_duplicates(kind: pa.DataType) -> None:
    for nulls in (0, 1, 3):
        found = find_near_duplicates(pa.array([None] * nulls, kind))
        assert found.kept.tolist() == list(range(nulls))
        assert len(match_texts(pa.array([None] * nulls, kind), pa.array(["a"])).row) == 0


def test_empty_texts_are_equal_to_each_other_and_to_nothing_else() -> None:
    assert find_near_duplicates(pa.array(["", "a", " ", None, None])).kept.tolist() == [0, 1, 0, 3, 4]


def test_bytes_that_are_no_text_are_compared_too() -> None:
    broken = b"what \xff\xfe is not \xc3 UTF-8, \xed\xa0\x80 with a lone surrogate"
    assert find_near_duplicates(pa.array([broken, b"other", broken + b"!"])).kept.tolist() == [0, 1, 0]


@pytest.mark.parametrize("similarity", [0, -1, 1.01, float("nan")])
def test_a_similarity_that_is_none_is_refused(similarity: float) -> None:
    with pytest.raises(ValueError, match="above 0, and at most 1"):
        find_near_duplicates(pa.array(["a"]), similarity)


PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20)


def kept_of(pairs: list[tuple[int, int]], count: int = 12) -> list[int]:
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    return find_clusters(count, left, right).tolist()


@settings(deadline=None)
@given(PAIRS, st.randoms(use_true_random=False))
def test_the_earliest_of_all_that_hangs_together_is_kept_in_any_order(pairs: list[tuple[int, int]], draw) -> None:
    name = list(range(12))
    for _ in range(12):
        for one, other in pairs:
            name[one] = name[other] = min(name[one], name[other])
    assert kept_of(pairs) == name
    mixed = [pair[::-1] for pair in draw.sample(pairs, len(pairs))]
    assert kept_of(mixed) == name


def test_a_chain_of_a_hundred_thousand_is_one_cluster() -> None:
    places = np.arange(99_999)
    assert (find_clusters(100_000, places + 1, places) == 0).all()
