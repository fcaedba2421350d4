from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from cupel.certificate.rising import Rise, chance_of_more, rising_shares, walk
from cupel.certificate.sample import draw, marks
from cupel.errors import AuditError

RISES = [Rise(0.0, 1), Rise(0.0, 3), Rise(1.0, 4), Rise(3.0, 2), Rise(0.5, 12)]


def by_hand(shares: list[Fraction], wrong: int, allowed: int) -> Fraction:
    """The chance that more than allowed of so many wrong labels stay unseen, met one by one."""

    @cache
    def more(met: int, found: int) -> Fraction:
        if met - found > allowed:
            return Fraction(1)
        if found == len(shares) or met == wrong:
            return Fraction(0)
        share = shares[found]
        return share * more(met + 1, found + 1) + (1 - share) * more(met + 1, found)

    return more(0, 0)


def replay(places: list[int], shares: np.ndarray, size: int, replays: int, seed: int) -> np.ndarray:
    """Wrong labels that stay unseen in replayed audits of a set whose wrong labels stand in the given places."""
    rng = np.random.default_rng(seed)
    wrong = np.zeros(size, dtype=bool)
    wrong[places] = True
    left = []
    for _ in range(replays):
        way = walk(rng.random(size), wrong, shares)
        left.append((wrong & ~way.is_due)[: way.accepted].sum())
    return np.array(left)


@pytest.mark.parametrize("allowed", [0, 1, 7, 30])
def test_the_chance_is_exact_whatever_the_shares(allowed: int) -> None:
    shares = [Fraction(1, 10), Fraction(1, 4), Fraction(1, 3)]
    exact = by_hand(shares, allowed + len(shares), allowed)
    assert chance_of_more(np.array([float(share) for share in shares]), allowed) == pytest.approx(
        float(exact), rel=1e-12
    )


@pytest.mark.parametrize(("share", "steps", "allowed"), [(0.1, 1, 30), (0.15, 3, 30), (0.02, 12, 300)])
def test_a_share_that_does_not_rise_is_the_negative_binomial(share: float, steps: int, allowed: int) -> None:
    chance = chance_of_more(np.full(steps, share), allowed)
    assert chance == pytest.approx(nbinom.sf(allowed, steps, share), rel=1e-9)


@pytest.mark.parametrize("wrong", range(9))
def test_fewer_wrong_labels_than_it_takes_are_less_dangerous(wrong: int) -> None:
    shares = [Fraction(1, 5), Fraction(1, 2)]
    assert by_hand(shares, wrong, 3) <= by_hand(shares, 3 + len(shares), 3)


@pytest.mark.parametrize("rise", RISES)
@pytest.mark.parametrize("allowed", [0, 3, 30, 2_000])
def test_shares_spend_alpha_and_no_more(rise: Rise, allowed: int) -> None:
    shares = rising_shares(rise, allowed, 0.04)
    assert np.all(np.diff(shares) >= 0)
    assert 0.04 * 0.9 <= chance_of_more(shares, allowed) <= 0.04
    assert np.array_equal(shares, np.round(shares, 6))


def test_less_allowed_audits_the_same_items_and_more() -> None:
    for rise in RISES:
        assert np.all(rising_shares(rise, 20, 0.04) >= rising_shares(rise, 21, 0.04))


@pytest.mark.parametrize("places", [list(range(60)), list(range(140, 200)), list(range(0, 200, 3))])
def test_wherever_the_wrong_labels_stand_the_chance_is_the_same(places: list[int]) -> None:
    shares = rising_shares(Rise(1.0, 4), 10, 0.2)
    deceived = (replay(places, shares, 200, 4_000, seed=len(places)) > 10).mean()
    assert deceived == pytest.approx(0.2, abs=0.02)


def test_a_set_within_its_budget_cannot_deceive() -> None:
    shares = rising_shares(Rise(1.0, 4), 10, 0.2)
    assert replay(list(range(10)), shares, 200, 500, seed=3).max() <= 10


def test_each_error_found_raises_the_share_of_what_follows() -> None:
    item_marks = np.array([0.05, 0.2, 0.2, 0.2, 0.05, 0.4, 0.4, 0.9])
    found = np.array([1, 0, 1, 0, 0, 1, 1, 1], dtype=bool)
    way = walk(item_marks, found, np.array([0.1, 0.3, 0.5]))
    assert way.is_due.tolist() == [True, True, True, True, True, True, False, False]
    assert way.found.tolist() == [0, 2, 5]
    assert way.accepted == 5


def test_without_errors_the_first_share_holds_to_the_end() -> None:
    item_marks = np.linspace(0, 0.99, 100)
    way = walk(item_marks, np.zeros(100, dtype=bool), np.array([0.25, 0.9]))
    assert way.is_due.sum() == 25
    assert (way.accepted, way.found.size) == (100, 0)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_was_asked_before_all_verdicts_were_in_is_never_asked_in_vain(seed: int) -> None:
    # Verdicts come in waves; each item asked in one is due in the end, or behind the cut, where all are seen.
    rng = np.random.default_rng(seed)
    item_marks, wrong = rng.random(300), rng.random(300) < 0.1
    shares = rising_shares(Rise(1.0, 3), 8, 0.05)
    last = walk(item_marks, wrong, shares)
    asked, waves = np.zeros(300, dtype=bool), 0
    while True:
        way = walk(item_marks, wrong & asked, shares)
        fresh = way.is_due & ~asked
        if not fresh.any():
            break
        asked |= fresh
        waves += 1
        assert not (asked & ~last.is_due)[: last.accepted].any()
    assert (way.accepted, way.is_due.tolist()) == (last.accepted, last.is_due.tolist())
    assert waves <= len(shares) + 1


def test_marks_are_the_order_of_the_draw() -> None:
    ids = [("movies", f"item {number}") for number in range(500)]
    assert marks(ids, 11).argsort().tolist() == draw(ids, 500, 11)
    assert 0 <= marks(ids, 11).min() < marks(ids, 11).max() < 1
    assert marks(ids, 11).mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    ("rise", "allowed", "alpha"),
    [(Rise(-1.0, 2), 3, 0.04), (Rise(1.0, 0), 3, 0.04), (Rise(1.0, 41), 3, 0.04), (Rise(1.0, 2), -1, 0.04),
     (Rise(1.0, 2), 3, 0.0)],
)  # fmt: skip
def test_an_impossible_rise_is_an_error(rise: Rise, allowed: int, alpha: float) -> None:
    with pytest.raises(AuditError, match="rise: found"):
        rising_shares(rise, allowed, alpha)
