"""PAC labels against computations of their own: bounds by a search over means, coverage on simulated errors."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.double_check.pac_labels import (
    BOUNDS,
    count_standing,
    is_within_by_betting,
    is_within_by_normal,
    replay_pac,
)


def betting_upper_bound(errors: np.ndarray, alpha: float) -> float:
    """Return the highest mean that no capital of 1 / alpha speaks against, of a grid, written from the paper."""
    draws = len(errors)
    means = (0.5 + np.cumsum(errors)) / (1 + np.arange(1, draws + 1))
    variances = (0.25 + np.cumsum((errors - means) ** 2)) / (1 + np.arange(1, draws + 1))
    before = np.concatenate([[0.25], variances[:-1]])
    grid = np.linspace(0.0005, 0.9995, 1_999)
    bets = np.minimum(np.sqrt(2 * np.log(1 / alpha) / (draws * before))[None, :], 0.75 / (1 - grid[:, None]))
    capital = np.cumprod(1 - bets * (errors[None, :] - grid[:, None]), axis=1).max(axis=1)
    return float(grid[capital < 1 / alpha].max())


def hits(errors: np.ndarray) -> np.ndarray:
    return np.flatnonzero(errors)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.05, 0.2])
def test_the_betting_bound_is_within_just_the_budgets_above_that_of_a_search_over_all_means(share: float) -> None:
    rng = np.random.default_rng(3)
    for draws in (60, 300):
        errors = (rng.random(draws) < share).astype(float)
        bound = betting_upper_bound(errors, 0.05)
        assert is_within_by_betting(hits(errors), draws, bound + 0.001, 0.05)
        assert not is_within_by_betting(hits(errors), draws, bound - 0.001, 0.05)


def test_a_clean_sample_needs_so_many_draws_as_bets_that_are_all_won() -> None:
    # All bets are the same until the variance falls, and 0.75 / (1 - e) is the most.
    assert not is_within_by_betting(hits(np.zeros(60)), 60, 0.05, 0.05)
    fewest = math.ceil(math.log(20) / math.log(1 + 0.05 * 0.75 / 0.95))
    assert is_within_by_betting(hits(np.zeros(400)), 400, 0.05, 0.05)
    assert not is_within_by_betting(hits(np.zeros(fewest - 1)), fewest - 1, 0.05, 0.05)


def test_the_normal_bound_is_the_mean_and_so_many_standard_errors() -> None:
    bound = 4 / 100 + NormalDist().inv_cdf(0.95) * math.sqrt(0.04 * 0.96 / 100)
    assert is_within_by_normal(np.arange(4), 100, bound + 1e-9, 0.05)
    assert not is_within_by_normal(np.arange(4), 100, bound - 1e-9, 0.05)
    assert is_within_by_normal(np.arange(0), 10, 0.001, 0.05)


def test_the_betting_bound_is_rarely_too_low_and_the_normal_one_often_with_few_errors() -> None:
    rng = np.random.default_rng(4)
    samples = [hits(rng.random(200) < 0.02) for _ in range(2_000)]
    low = [is_within_by_betting(one, 200, 0.0199, 0.05) for one in samples]
    assert np.mean(low) <= 0.05
    assert np.mean([is_within_by_normal(one, 200, 0.0199, 0.05) for one in samples]) > 0.07


@given(st.lists(st.booleans(), min_size=1, max_size=80), st.sampled_from([0.02, 0.1, 0.3]), st.integers(0, 79))
@settings(max_examples=60)
def test_a_bound_within_a_budget_is_within_every_larger_one(errors: list[bool], budget: float, seed: int) -> None:
    drawn = hits(np.array(errors))
    for is_within in BOUNDS.values():
        if is_within(drawn, len(errors), budget, 0.05):
            assert is_within(drawn, len(errors), budget + 0.1, 0.05)


def test_labels_stand_before_the_first_error_that_is_too_many() -> None:
    is_wrong = np.zeros(100, np.bool_)
    is_wrong[[10, 20, 30, 40]] = True
    at_most_two = lambda drawn, draws, budget, alpha: len(drawn) <= 2  # noqa: E731
    assert count_standing(np.arange(100), is_wrong, 0.05, at_most_two) == 30
    # The item at 20 was drawn twice: both draws are taken in at once.
    assert count_standing(np.array([5, 20, 20, 10, 99]), is_wrong, 0.05, at_most_two) == 20
    assert count_standing(np.array([5, 10, 20, 99]), is_wrong, 0.05, at_most_two) == 100
    never = lambda drawn, draws, budget, alpha: False  # noqa: E731
    assert count_standing(np.arange(100), is_wrong, 0.05, never) == 0


def test_experts_see_each_drawn_item_once_and_all_behind_the_threshold() -> None:
    is_wrong = np.zeros(1_000, np.bool_)
    is_wrong[-200:] = True
    found = replay_pac(is_wrong, 300, 0.05, is_within_by_betting, np.random.default_rng(2))
    drawn = np.random.default_rng(2).integers(1_000, size=300)
    standing = count_standing(drawn, is_wrong, 0.05, is_within_by_betting)
    assert 800 <= standing < 850
    assert found.audited == len(set(drawn.tolist()))
    assert found.seen_share == len(set(drawn.tolist()) | set(range(standing, 1_000))) / 1_000
    assert (found.is_certified, found.is_false) == (True, False)


def test_pac_labels_are_rarely_certified_falsely_wherever_errors_stand() -> None:
    rng = np.random.default_rng(6)
    for places in (np.arange(60), np.arange(940, 1_000), np.linspace(0, 999, 60).astype(int)):
        is_wrong = np.zeros(1_000, np.bool_)
        is_wrong[places] = True
        false = sum(replay_pac(is_wrong, 200, 0.05, is_within_by_betting, rng).is_false for _ in range(400))
        assert false <= 400 * 0.05 + 2 * math.sqrt(400 * 0.05 * 0.95)
