"""Agreement against published examples and another library."""

import krippendorff
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cupel.consensus.agreement import gwet_ac1, krippendorff_alpha

# Twelve units, four observers, five categories, with answers missing: Krippendorff (2011), section C, and
# Gwet, Handbook of Inter-Rater Reliability (4th edition), table 2.10.
TWELVE_UNITS = np.array([
    [3, 0, 0, 0, 0], [0, 3, 1, 0, 0], [0, 0, 4, 0, 0], [0, 0, 4, 0, 0], [0, 4, 0, 0, 0], [1, 1, 1, 1, 0],
    [0, 0, 0, 4, 0], [3, 1, 0, 0, 0], [0, 4, 0, 0, 0], [0, 0, 0, 0, 3], [2, 0, 0, 0, 0], [0, 0, 1, 0, 0],
])  # fmt: skip


def test_alpha_of_the_published_example() -> None:
    assert krippendorff_alpha(TWELVE_UNITS).value == pytest.approx(0.743, abs=5e-4)
    assert krippendorff_alpha(TWELVE_UNITS).items == 11


def test_ac1_of_the_published_example() -> None:
    assert gwet_ac1(TWELVE_UNITS).value == pytest.approx(0.77544, abs=5e-6)


def test_ac1_stays_high_where_one_class_is_rare() -> None:
    # 125 items, two raters: 118 twice positive, 7 split. Gwet (2008), table 3.
    counts = np.array([[2, 0]] * 118 + [[1, 1]] * 7)
    share = (2 * 118 + 7) / 250
    expected = 2 * share * (1 - share)
    assert gwet_ac1(counts).value == pytest.approx((118 / 125 - expected) / (1 - expected), abs=1e-12)
    assert krippendorff_alpha(counts).value < 0


@settings(max_examples=100, deadline=None)
@given(arrays(np.int64, st.tuples(st.integers(2, 12), st.integers(2, 4)), elements=st.integers(0, 4)))
def test_alpha_equals_the_reference_library(counts: np.ndarray) -> None:
    ours = krippendorff_alpha(counts)
    pairable = counts[counts.sum(axis=1) > 1]
    if (pairable.sum(axis=0) > 0).sum() < 2:
        assert ours.value is None
    else:
        expected = krippendorff.alpha(value_counts=counts, level_of_measurement="nominal")
        assert ours.value == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("statistic", [krippendorff_alpha, gwet_ac1])
def test_the_interval_covers_and_shrinks(statistic) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 60_000)
    votes = np.where(rng.random((60_000, 3)) < 0.8, truth[:, None], rng.integers(0, 3, (60_000, 3)))
    counts = np.stack([(votes == label).sum(axis=1) for label in range(3)], axis=1)
    population = statistic(counts).value
    samples = [statistic(counts[start : start + 200]) for start in range(0, 60_000, 200)]
    covered = np.mean([sample.lower <= population <= sample.upper for sample in samples])
    assert 0.92 < covered < 0.98
    large, small = statistic(counts[:20_000]), samples[0]
    assert (large.upper - large.lower) * 5 < small.upper - small.lower


@pytest.mark.parametrize("statistic", [krippendorff_alpha, gwet_ac1])
def test_without_pairs_there_is_no_value(statistic) -> None:  # type: ignore[no-untyped-def]
    for counts in (np.zeros((0, 2), dtype=np.int64), np.zeros((3, 2), dtype=np.int64), np.array([[1, 0], [0, 1]])):
        assert statistic(counts) == (None, None, None, 0)


def test_alpha_is_not_defined_where_only_one_class_came_up() -> None:
    assert krippendorff_alpha(np.array([[2, 0], [3, 0]])).value is None
    assert gwet_ac1(np.array([[2, 0], [3, 0]])).value == 1


# Computed by irrCAC 0.4.4, CAC(...).gwet(), digits=14; it does not install beside pandas 3, so its figures stand here.
@pytest.mark.parametrize(
    ("seed", "items", "raters", "classes", "missing", "expected"),
    [
        (0, 12, 4, 3, 0.2, 0.42678419107194),
        (1, 40, 3, 2, 0.0, 0.53346292696473),
        (2, 60, 5, 4, 0.4, 0.54415268306482),
        (3, 25, 2, 3, 0.1, 0.47481749908093),
    ],
)
def test_ac1_equals_the_reference_library(
    seed: int, items: int, raters: int, classes: int, missing: float, expected: float
) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, items)
    votes = np.where(rng.random((items, raters)) < 0.7, truth[:, None], rng.integers(0, classes, (items, raters)))
    votes[rng.random((items, raters)) < missing] = -1
    votes[0] = np.arange(raters) % classes
    counts = np.stack([(votes == label).sum(axis=1) for label in range(classes)], axis=1)
    assert gwet_ac1(counts).value == pytest.approx(expected, abs=1e-9)
