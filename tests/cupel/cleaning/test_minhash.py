"""MinHash values agree as often as sets are similar, at a bounded cost."""

import numpy as np
import pytest

from cupel.cleaning.minhash import VALUES, Banding, minhash, write_bands


def values_of(hashes: np.ndarray) -> tuple[np.ndarray, int]:
    values = np.empty(VALUES, np.uint64)
    computed = minhash(hashes.astype(np.uint32), len(hashes), values, np.empty(VALUES, np.int32))
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
    assert abs(agreed / VALUES - exact) <= 4 * (pairs * 0.25 / VALUES) ** 0.5


def test_the_order_of_a_set_does_not_matter() -> None:
    hashes = np.random.default_rng(4).choice(2**32, 50, replace=False)
    assert (values_of(hashes)[0] == values_of(hashes[::-1])[0]).all()


@pytest.mark.parametrize(("size", "most"), [(1, 256), (10, 256 * 10), (300, 8 * 300), (100_000, 100_000)])
def test_a_set_is_hashed_a_bounded_number_of_times(size: int, most: int) -> None:
    assert values_of(np.random.default_rng(size).choice(2**32, size, replace=False))[1] <= most


def test_a_band_is_equal_where_all_its_values_are_and_differs_from_other_bands() -> None:
    values = np.arange(VALUES, dtype=np.uint64)
    bands, others = np.empty(32, np.uint32), np.empty(32, np.uint32)
    write_bands(values, 4, bands)
    values[[0, 127]] += np.uint64(1)
    write_bands(values, 4, others)
    assert np.flatnonzero(bands != others).tolist() == [0, 31]
    write_bands(np.zeros(VALUES, np.uint64), 4, bands)
    assert len(set(bands.tolist())) == 32


def test_bands_are_as_long_as_the_missed_share_allows() -> None:
    for similarity in (0.3, 0.5, 0.7, 0.9, 1.0):
        banding = Banding.of(similarity)
        assert banding.chance(similarity) >= 0.98
        assert banding.bands * banding.rows <= VALUES
        longer = banding.rows + 1
        assert longer > VALUES or Banding(VALUES // longer, longer).chance(similarity) < 0.98
