from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cupel.certificate.hypergeometric import (
    clopper_pearson_lower,
    clopper_pearson_upper,
    lower_count,
    tail,
    upper_count,
    upper_counts,
)
from cupel.errors import AuditError


def exact_tail(found: int, population: int, wrong: int, drawn: int) -> Fraction:
    ways = sum(comb(wrong, i) * comb(population - wrong, drawn - i) for i in range(found + 1))
    return Fraction(ways, comb(population, drawn))


@pytest.mark.parametrize(
    ("found", "population", "wrong", "drawn"),
    [(0, 10, 3, 2), (1, 10, 3, 2), (3, 20_000, 61, 1_500), (0, 20_000, 200, 335), (12, 20_000, 401, 1_000),
     (60, 10_000, 301, 2_000), (700, 2_000, 1_400, 1_000), (5, 10_000, 2_000, 100)],
)  # fmt: skip
def test_a_tail_is_the_exact_fraction(found: int, population: int, wrong: int, drawn: int) -> None:
    exact = float(exact_tail(found, population, wrong, drawn))
    assert float(tail(found, population, wrong, drawn)) == pytest.approx(exact, rel=1e-11)


def test_tails_agree_with_scipy_near_and_far_from_the_mean() -> None:
    rng = np.random.default_rng(3)
    size = rng.integers(1, 200_000, 20_000)
    wrong, drawn = ((rng.random(size.size) ** power * (size + 1)).astype(int) for power in (3, 2))
    found = np.round(drawn * wrong / size + rng.normal(size=size.size) * (1 + np.sqrt(drawn * wrong / size))).astype(
        int
    )
    expected = stats.hypergeom.cdf(found, size, wrong, drawn)
    np.testing.assert_allclose(tail(found, size, wrong, drawn), expected, rtol=1e-10, atol=1e-11)


def test_more_wrong_items_than_items_cannot_be() -> None:
    assert tail([5, 10], 10, 11, 10).tolist() == [0.0, 0.0]


def test_without_a_draw_nothing_is_unlikely() -> None:
    assert tail(0, 10, 10, 0) == 1


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_an_upper_bound_is_the_test_turned_round(data: st.DataObject) -> None:
    population = data.draw(st.integers(1, 300))
    drawn = data.draw(st.integers(0, population))
    found = data.draw(st.integers(0, drawn))
    budget = data.draw(st.integers(0, population))
    is_rejected = float(tail(found, population, budget + 1, drawn)) <= 0.05
    assert (upper_count(population, drawn, found, 0.05) <= budget) == is_rejected


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.data())
def test_bounds_fail_at_most_as_often_as_they_say(population: int, data: st.DataObject) -> None:
    drawn = data.draw(st.integers(0, population))
    wrong = data.draw(st.integers(0, population))
    alpha = data.draw(st.sampled_from([0.005, 0.04, 0.3]))
    found = np.arange(drawn + 1)
    chances = stats.hypergeom.pmf(found, population, wrong, drawn)
    uppers = upper_counts(population, drawn, found, alpha)
    lowers = population - upper_counts(population, drawn, drawn - found, alpha)
    some = found.tolist()[:3]
    assert uppers[:3].tolist() == [upper_count(population, drawn, k, alpha) for k in some]
    assert lowers[:3].tolist() == [lower_count(population, drawn, k, alpha) for k in some]
    assert chances[uppers < wrong].sum() <= alpha + 1e-12
    assert chances[lowers > wrong].sum() <= alpha + 1e-12


def test_a_full_count_leaves_nothing_open() -> None:
    assert upper_count(50, 50, 7, 0.05) == lower_count(50, 50, 7, 0.05) == 7


def test_an_item_less_passes_no_more() -> None:
    # 1 wrong of 100 stays hidden from a sample of 95 with chance 5/100, from one of 94 with 6/100.
    assert upper_count(100, 95, 0, 0.055) == 0
    assert upper_count(100, 94, 0, 0.055) == 1


@pytest.mark.parametrize(("errors", "audited"), [(0, 998), (1, 1_580), (4, 3_049), (20, 500), (9, 10), (10, 10)])
def test_clopper_pearson_is_that_of_scipy(errors: int, audited: int) -> None:
    upper = stats.binomtest(errors, audited, alternative="less").proportion_ci(0.95, "exact").high
    lower = stats.binomtest(errors, audited, alternative="greater").proportion_ci(0.95, "exact").low
    assert clopper_pearson_upper(errors, audited) == pytest.approx(upper)
    assert clopper_pearson_lower(errors, audited) == pytest.approx(lower)


@pytest.mark.parametrize(("population", "drawn", "found", "alpha"), [(5, 6, 0, 0.1), (5, 3, 4, 0.1), (5, 3, -1, 0.1),
                                                                     (5, 3, 1, 0.0), (5, 3, 1, 1.0)])  # fmt: skip
def test_impossible_counts_are_an_error(population: int, drawn: int, found: int, alpha: float) -> None:
    with pytest.raises(AuditError, match="expected"):
        upper_count(population, drawn, found, alpha)
    with pytest.raises(AuditError, match="expected"):
        lower_count(population, drawn, found, alpha)


@pytest.mark.parametrize(("errors", "audited", "confidence"), [(0, 0, 0.95), (2, 1, 0.95), (-1, 5, 0.95), (1, 5, 1.0)])
def test_impossible_rates_are_an_error(errors: int, audited: int, confidence: float) -> None:
    for bound in (clopper_pearson_upper, clopper_pearson_lower):
        with pytest.raises(AuditError, match="expected"):
            bound(errors, audited, confidence)
