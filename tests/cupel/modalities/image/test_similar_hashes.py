import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.modalities.image import similar_hashes as module
from cupel.modalities.image.similar_hashes import HashPairs, similar_hashes


def all_pairs(hashes: list[int], most_bits: int) -> set[tuple[int, int, int]]:
    return {
        (later, earlier, (one ^ other).bit_count())
        for later, one in enumerate(hashes)
        for earlier, other in enumerate(hashes[:later])
        if (one ^ other).bit_count() <= most_bits
    }


def found_pairs(found: HashPairs) -> list[tuple[int, int, int]]:
    return list(zip(found.later.tolist(), found.earlier.tolist(), found.distances.tolist(), strict=True))


def near(seed: int, count: int) -> list[int]:
    """Return hashes of which many are copies of one another with some bits changed."""
    random = np.random.default_rng(seed)
    hashes = random.integers(0, 1 << 64, count, dtype=np.uint64)
    for place in range(count // 2, count):
        changed = random.choice(64, random.integers(0, 14), replace=False)
        hashes[place] = hashes[random.integers(0, count // 2)] ^ np.uint64(sum(1 << int(bit) for bit in changed))
    return [int(one) for one in hashes]


@pytest.mark.parametrize("few", [0, 10_000])
@pytest.mark.parametrize("most_bits", [0, 3, 4, 8, 11])
def test_no_pair_is_missed_and_none_made_up(few: int, most_bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FEW", few)
    monkeypatch.setattr(module, "PAIRS_AT_ONCE", 500)
    hashes = near(most_bits, 400)
    found = found_pairs(similar_hashes(np.array(hashes, np.uint64), most_bits))
    assert found == sorted(found)
    assert set(found) == all_pairs(hashes, most_bits)
    assert len(found) == len(set(found)) > 0


@given(st.lists(st.integers(0, (1 << 64) - 1) | st.integers(0, 3), max_size=20), st.integers(0, 64), st.booleans())
@settings(deadline=None)
def test_any_hashes_and_any_threshold(hashes: list[int], most_bits: int, is_banded: bool) -> None:
    before, module.FEW = module.FEW, 0 if is_banded and most_bits < 16 else 4_096
    try:
        found = found_pairs(similar_hashes(np.array(hashes, np.uint64), most_bits))
    finally:
        module.FEW = before
    assert set(found) == all_pairs(hashes, most_bits)


def test_two_hundred_thousand_hashes_are_not_compared_all_with_all() -> None:
    hashes = np.array(near(1, 200_000), np.uint64)
    began = time.process_time()
    found = similar_hashes(hashes, 6)
    assert time.process_time() - began < 60  # all with all are 20 billion pairs: minutes
    assert len(found.later) > 30_000
