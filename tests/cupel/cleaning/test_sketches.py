"""Sketches never rule out a pair that is similar, and rule out nearly all that are not."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.sketches import Sketches

HASHES = st.sets(st.integers(0, 2**64 - 1) | st.integers(0, 5), min_size=1, max_size=40)


def sketches(sets: list[set[int]]) -> Sketches:
    found = Sketches(len(sets))
    # In two pieces, the last first: sets may be added in any order.
    for places in (range(len(sets) // 2, len(sets)), range(len(sets) // 2)):
        lists = pa.chunked_array([[sorted(sets[place]) for place in places]], pa.list_(pa.uint64()))
        found.add(np.array(places, np.int64), lists)
    return found


@settings(deadline=None)
@given(HASHES, HASHES, st.sampled_from([0.1, 0.5, 0.8, 1.0]))
def test_no_similar_pair_is_ruled_out(one: set[int], other: set[int], least: float) -> None:
    other |= set(sorted(one)[: len(other)])
    similarity = len(one & other) / len(one | other)
    is_possible = sketches([one, other]).may_be_similar(np.array([0]), np.array([1]), least)[0]
    assert is_possible or similarity < least


def test_unrelated_texts_of_usual_length_are_ruled_out() -> None:
    rng = np.random.default_rng(3)
    sets = [set(rng.integers(0, 2**64, 300, np.uint64).tolist()) for _ in range(40)]
    found = sketches(sets)
    left, right = (places.ravel() for places in np.meshgrid(np.arange(40), np.arange(40)))
    assert (found.may_be_similar(left, right, 0.5) == (left == right)).all()


def test_sizes_are_those_of_the_sets() -> None:
    assert sketches([{1, 2, 3}, {2**63}, {7, 2**60}]).sizes.tolist() == [3, 1, 2]
