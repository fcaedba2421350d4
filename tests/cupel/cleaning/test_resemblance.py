"""Near-duplicates of texts, by themselves and against others: exact, complete, the same with any threads."""

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning import candidates, jaccard
from cupel.cleaning.folding import folded
from cupel.cleaning.minhash import Banding
from cupel.cleaning.resemblance import Found, NearDuplicates, near_duplicates, resembling
from cupel.cleaning.shingles import Shape

# One value a band: pairs of similarity .5 are missed once in 10^38 times.
EVERY = Banding(128, 1)
WORDS = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
TEXTS = st.lists(st.none() | st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join), max_size=14)


def shingles(text: str, shape: Shape) -> set:
    parts = folded(text).split() if shape.of_words else folded(text)
    return {tuple(parts[place : place + shape.width]) for place in range(max(1, len(parts) - shape.width + 1))}


def similarity(one: str | None, other: str | None, shape: Shape) -> float:
    if one is None or other is None:
        return 0.0
    left, right = shingles(one, shape), shingles(other, shape)
    return len(left & right) / len(left | right)


def as_rows(found: NearDuplicates | Found) -> list[tuple[int, int, float]]:
    return list(zip(*(part.tolist() for part in found[:3]), strict=True))


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sampled_from([0.5, 0.8, 1.0]), st.sampled_from([Shape(5), Shape(2, of_words=True)]))
def test_pairs_are_those_that_comparing_all_with_all_finds(texts: list, least: float, shape: Shape) -> None:
    found = near_duplicates(pa.array(texts, pa.string()), least, shape, EVERY)
    folds = [None if text is None else folded(text) for text in texts]
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
    shape = Shape(5)
    found = resembling(pa.array(texts, pa.string()), pa.array(others, pa.string()), least, shape, EVERY)
    folds = [None if text is None else folded(text) for text in others]
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
    whole = near_duplicates(texts, threads=1)
    assert len(whole.later) > 500
    monkeypatch.setattr(jaccard, "HASHES_AT_ONCE", 20_000)
    for one, other in zip(whole, near_duplicates(texts, threads=4), strict=True):
        assert np.array_equal(one, other)


def test_the_kept_row_is_the_earliest_of_its_cluster() -> None:
    texts = noisy(300)
    found = near_duplicates(pa.array(texts))
    for later, earlier, _ in as_rows(found):
        assert found.kept[later] == found.kept[earlier] <= earlier < later
    alone = set(range(300)) - set(found.later.tolist()) - set(found.earlier.tolist())
    assert all(found.kept[row] == row for row in alone)


def test_a_column_against_itself_finds_every_row_that_has_a_text() -> None:
    texts = pa.array([*noisy(100), None, ""])
    found = resembling(texts, texts)
    assert sorted(set(found.row.tolist())) == [*range(100), 101]


CLIQUE = [f"your order number {place} has been shipped and will arrive at your door soon" for place in range(4_000)]


def test_work_on_a_clique_grows_with_its_size_not_with_its_square() -> None:
    work = [near_duplicates(pa.array(CLIQUE[:count])).compared for count in (1_000, 2_000, 4_000)]
    assert work[2] <= 2.1 * work[1] <= 4.5 * work[0]
    assert work[2] <= 4_000 * 2 * candidates.COMPARED_OF_EACH_KIND
    whole = near_duplicates(pa.array(CLIQUE))
    assert whole.not_compared > 0
    assert (whole.kept == 0).all()


def test_equal_texts_are_compared_with_nothing_and_make_one_cluster() -> None:
    found = near_duplicates(pa.array(["the same text again and again"] * 20_000))
    assert (found.compared, found.not_compared, len(found.later)) == (0, 0, 19_999)
    assert (found.kept == 0).all()


@pytest.mark.parametrize("kind", [pa.string(), pa.large_binary(), pa.null()])
def test_columns_without_a_text_have_no_duplicates(kind: pa.DataType) -> None:
    for nulls in (0, 1, 3):
        found = near_duplicates(pa.array([None] * nulls, kind))
        assert found.kept.tolist() == list(range(nulls))
        assert len(resembling(pa.array([None] * nulls, kind), pa.array(["a"])).row) == 0


def test_empty_texts_are_equal_to_each_other_and_to_nothing_else() -> None:
    assert near_duplicates(pa.array(["", "a", " ", None, None])).kept.tolist() == [0, 1, 0, 3, 4]


def test_bytes_that_are_no_text_are_compared_too() -> None:
    broken = b"what \xff\xfe is not \xc3 UTF-8, \xed\xa0\x80 with a lone surrogate"
    assert near_duplicates(pa.array([broken, b"other", broken + b"!"])).kept.tolist() == [0, 1, 0]


@pytest.mark.parametrize("similarity", [0, -1, 1.01, float("nan")])
def test_a_similarity_that_is_none_is_refused(similarity: float) -> None:
    with pytest.raises(ValueError, match="above 0, and at most 1"):
        near_duplicates(pa.array(["a"]), similarity)
