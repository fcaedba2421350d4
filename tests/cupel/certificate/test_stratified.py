from itertools import product

import numpy as np
import pytest
from scipy.stats import hypergeom

from cupel.certificate.hypergeometric import tail
from cupel.certificate.sequence import cut_positions
from cupel.certificate.stratified import (
    Stratum,
    strata_ends,
    stratified_p_values,
    stratified_upper,
    weights,
    worst_p_value,
)
from cupel.errors import AuditError


def by_enumeration(strata: list[Stratum], found: int, wrong: int) -> float:
    """The worst spread's chance, all spreads tried; an independent library's probabilities."""
    best = 0.0
    for spread in product(*(range(min(wrong, stratum.items) + 1) for stratum in strata)):
        if sum(spread) != wrong:
            continue
        sums = np.array([1.0])
        for stratum, here in zip(strata, spread, strict=True):
            most = min(here, stratum.drawn)
            chances = np.zeros(most * stratum.weight + 1)
            chances[:: stratum.weight] = hypergeom.pmf(np.arange(most + 1), stratum.items, here, stratum.drawn)
            sums = np.convolve(sums, chances)
        best = max(best, float(sums[: found + 1].sum()))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_the_p_value_is_the_worst_spreads_or_above_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    close = 0
    for _ in range(10):
        items = rng.integers(4, 25, size=3)
        strata = [Stratum(int(n), int(rng.integers(1, n + 1)), int(rng.integers(1, 5))) for n in items]
        found, wrong = int(rng.integers(0, 9)), int(rng.integers(1, 8))
        exact, ours = min(1.0, by_enumeration(strata, found, wrong)), worst_p_value(strata, found, wrong)
        assert ours >= exact - 1e-12
        close += ours <= exact + 1e-9
    assert close >= 8


@pytest.mark.parametrize("found", [0, 6, 8, 12])
def test_with_shares_like_a_releases_it_is_exact(found: int) -> None:
    items, drawn = [120, 60, 20], [24, 24, 12]
    strata = [Stratum(*row) for row in zip(items, drawn, weights(items, drawn), strict=True)]
    for wrong in (3, 8, 12):
        assert worst_p_value(strata, found, wrong) == pytest.approx(by_enumeration(strata, found, wrong), abs=1e-10)


def test_one_stratum_is_the_hypergeometric_tail() -> None:
    for found in range(4):
        assert worst_p_value([Stratum(200, 50)], found, 9) == pytest.approx(float(tail(found, 200, 9, 50)), rel=1e-12)


def test_more_wrong_labels_than_items_cannot_be() -> None:
    assert worst_p_value([Stratum(3, 1), Stratum(2, 1)], 5, 6) == 0.0


def test_cuts_are_tested_until_the_first_above_alpha() -> None:
    size = 1_000
    is_audited = np.arange(size) % 3 == 0
    is_wrong = np.zeros(size, dtype=bool)
    is_wrong[300::30] = True
    positions = cut_positions(size)
    ends = strata_ends(size, [0.6, 0.4])
    p_values = stratified_p_values(positions, ends, is_audited, is_wrong & is_audited, 21, 0.04)
    failed = int(np.flatnonzero(p_values > 0.04)[0])
    assert 0 < failed < len(positions) - 1
    assert np.all(p_values[failed + 1 :] == 1)
    cut = int(positions[failed])
    parts = (
        [Stratum(600, 200, 6), Stratum(cut - 600, int(is_audited[600:cut].sum()), 6)]
        if cut > 600
        else [Stratum(cut, int(is_audited[:cut].sum()), 6)]
    )
    assert p_values[failed] == pytest.approx(worst_p_value(parts, 6 * int((is_wrong & is_audited)[:cut].sum()), 21))


def test_the_bound_of_all_strata_is_below_the_truth_no_more_often_than_alpha() -> None:
    rng = np.random.default_rng(2)
    ends = strata_ends(300, [0.5, 0.5])
    counted = np.zeros(300, dtype=bool)
    counted[rng.permutation(300)[:40]] = True
    failed = 0
    for _ in range(100):
        audited = np.zeros(300, dtype=bool)
        audited[rng.permutation(150)[:30]] = True
        audited[150 + rng.permutation(150)[:60]] = True
        failed += stratified_upper(ends, audited, counted & audited, 0.2) < 40
    assert failed <= 0.2 * 100


@pytest.mark.parametrize("shares", [[], [0.5, 0.4], [1.2, -0.2], [0.999, 0.001]])
def test_impossible_strata_are_an_error(shares: list[float]) -> None:
    with pytest.raises(AuditError, match="strata: found shares"):
        strata_ends(100, shares)
