"""Clusters, against the rule that what is alike through others belongs together."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.clusters import clusters

PAIRS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=20)


def kept(pairs: list[tuple[int, int]], count: int = 12) -> list[int]:
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    return clusters(count, left, right).tolist()


@settings(deadline=None)
@given(PAIRS, st.randoms(use_true_random=False))
def test_the_earliest_of_all_that_hangs_together_is_kept_in_any_order(pairs: list[tuple[int, int]], draw) -> None:
    name = list(range(12))
    for _ in range(12):
        for one, other in pairs:
            name[one] = name[other] = min(name[one], name[other])
    assert kept(pairs) == name
    mixed = [pair[::-1] for pair in draw.sample(pairs, len(pairs))]
    assert kept(mixed) == name


def test_a_chain_of_a_hundred_thousand_is_one_cluster() -> None:
    places = np.arange(99_999)
    assert (clusters(100_000, places + 1, places) == 0).all()
