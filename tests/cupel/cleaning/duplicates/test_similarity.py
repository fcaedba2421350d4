"""Exact Jaccard similarity, against sets."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.duplicates import similarity as module
from cupel.cleaning.duplicates.candidates import Positions
from cupel.cleaning.duplicates.similarity import HashSets, verify_pairs

HASHES = st.sets(st.sampled_from([0, 1, 2, 3, 2**16, 2**16 + 1, 2**31, 2**32 - 1]), min_size=1)


def hash_sets(sets: list[set[int]]) -> HashSets:
    hashes = [value for values in sets for value in sorted(values)]
    return HashSets(np.array(hashes, np.uint32), np.array([len(values) for values in sets], np.int64))


@settings(deadline=None)
@given(st.lists(HASHES, min_size=1, max_size=6), st.sampled_from([0.25, 0.5, 0.8, 1.0]))
def test_the_similarity_is_that_of_the_sets(sets: list[set[int]], least: float) -> None:
    pairs = [(left, right) for left in range(len(sets)) for right in range(len(sets))]
    left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    found = hash_sets(sets).similarities(left, right, least)
    for (one, other), similarity in zip(pairs, found.tolist(), strict=True):
        exact = Fraction(len(sets[one] & sets[other]), len(sets[one] | sets[other]))
        assert similarity == (float(exact) if float(exact) >= least else 0)


def test_a_pair_on_the_threshold_is_kept_and_one_below_it_is_not() -> None:
    sets = hash_sets([{1, 2, 3, 4}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 6}])
    assert sets.similarities(np.array([0, 0]), np.array([1, 2]), 0.8).tolist() == [pytest.approx(4 / 5), 0]


def test_no_pairs_have_no_similarities() -> None:
    none = np.empty(0, np.int64)
    assert hash_sets([{1}]).similarities(none, none, 0.5).tolist() == []


def test_similarities_do_not_depend_on_the_threads() -> None:
    rng = np.random.default_rng(2)
    sets = hash_sets([set(rng.integers(0, 60, 30).tolist()) for _ in range(50)])
    left, right = (rng.integers(0, 50, 20_000) for _ in range(2))
    one = sets.similarities(left, right, 0.3, threads=1)
    assert (one == sets.similarities(left, right, 0.3, threads=4)).all()
    assert 0 < np.count_nonzero(one) < 20_000


def test_sets_that_do_not_fit_at_once_are_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    every = [{place, place + 1, place + 2} for place in range(40)]
    asked: list[int] = []

    def read(used: Positions) -> HashSets:
        asked.append(len(used))
        return hash_sets([every[place] for place in used.tolist()])

    later, earlier, sizes = np.arange(1, 40), np.arange(39), np.full(40, 3)
    whole = verify_pairs(later, earlier, sizes, read, 0.5).similarity
    monkeypatch.setattr(module, "HASHES_AT_ONCE", 30)
    assert (verify_pairs(later, earlier, sizes, read, 0.5).similarity == whole).all()
    assert whole.tolist() == [2 / 4] * 39
    assert asked[0] == 40
    assert max(asked[1:]) <= 10
