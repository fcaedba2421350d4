"""Sketches never rule out a pair that is similar, and rule out nearly all that are not."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.sketches import WORDS, may_be_similar, write_sketch

HASHES = st.sets(st.integers(0, 2**32 - 1) | st.integers(0, 5), min_size=1, max_size=40)


def sketch(hashes: set[int]) -> np.ndarray:
    found = np.full(WORDS, 7, np.uint64)
    write_sketch(np.array(sorted(hashes), np.uint32), len(hashes), found)
    return found


def is_possible(one: set[int], other: set[int], least: float) -> bool:
    return may_be_similar(sketch(one), len(one), sketch(other), len(other), least)


@settings(deadline=None)
@given(HASHES, HASHES, st.sampled_from([0.1, 0.5, 0.8, 1.0]))
def test_no_similar_pair_is_ruled_out(one: set[int], other: set[int], least: float) -> None:
    other |= set(sorted(one)[: len(other)])
    similarity = len(one & other) / len(one | other)
    assert is_possible(one, other, least) or similarity < least


@settings(deadline=None)
@given(HASHES)
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
