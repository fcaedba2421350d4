"""Exact Jaccard similarity, against sets."""

from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.jaccard import HashSets

# Few and far values share slots and are equal often; single steps share a slot without being equal.
HASHES = st.sets(st.sampled_from([0, 1, 2, 3, 2**48, 2**48 + 1, 2**63, 2**64 - 1]), min_size=1)


def hash_sets(sets: list[set[int]]) -> HashSets:
    return HashSets(pa.chunked_array([[sorted(values) for values in sets]], pa.list_(pa.uint64())))


@settings(deadline=None)
@given(st.lists(HASHES, min_size=1, max_size=6), st.sampled_from([0.25, 0.5, 0.8, 1.0]))
def test_the_similarity_is_that_of_the_sets(sets: list[set[int]], least: float) -> None:
    pairs = [(left, right) for left in range(len(sets)) for right in range(len(sets))]
    left, right = (np.array(side, np.int64) for side in zip(*pairs, strict=True))
    found = hash_sets(sets).similarities(left, right, least)
    for (one, other), similarity in zip(pairs, found.tolist(), strict=True):
        exact = Fraction(len(sets[one] & sets[other]), len(sets[one] | sets[other]))
        assert similarity == (float(exact) if exact >= Fraction(least) else 0)


def test_a_pair_on_the_threshold_is_kept_and_one_below_it_is_not() -> None:
    sets = hash_sets([{1, 2, 3, 4}, {1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 6}])
    assert sets.similarities(np.array([0, 0]), np.array([1, 2]), 0.8).tolist() == [pytest.approx(4 / 5), 0]


def test_no_pairs_have_no_similarities() -> None:
    none = np.empty(0, np.int64)
    assert hash_sets([{1}]).similarities(none, none, 0.5).tolist() == []
