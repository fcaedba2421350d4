"""Rounds before the freeze: a first one as a rule, further ones only where they are cheap or pay, as verdicts tell."""

import numpy as np
import pytest

from cupel.checking import rounds
from cupel.checking.rounds import (
    DOUBTS,
    NO_ROUND,
    TRY_CHANCE,
    LastRound,
    Standing,
    audit_shares,
    complete,
    doubt_weights,
    expected_wrong_share,
    next_end,
    pays,
    round_ends,
    seen_chance,
    wrong_chance,
)

SURE = np.linspace(9, 0, 1_000)


def judged(log_odds: float, wrong: int, count: int = 40) -> LastRound:
    """Return a round of labels that were equally sure, so many of them wrong."""
    return LastRound(np.full(count, log_odds), np.arange(count) < wrong)


def standing(asked: int, last: LastRound = NO_ROUND, log_odds: np.ndarray = SURE) -> Standing:
    return Standing(1_000, asked, log_odds[: 1_000 - asked], last)


def test_rounds_are_held_until_there_are_a_few_verdicts_and_none_after_the_last() -> None:
    assert all(pays(standing(asked, judged(9, 0)), 0.02) for asked in (0, 5, 10))
    assert not pays(standing(20, judged(9, 0), np.full(1_000, 9.0)), 0.02)
    assert not pays(standing(320, judged(2, 40)), 0.02)


def test_not_even_a_first_round_is_held_where_experts_would_hardly_see_its_items() -> None:
    sure = Standing(10_000, 0, np.full(10_000, 60.0), NO_ROUND)
    assert seen_chance(sure, audit_shares(10_000, 0.05)) < TRY_CHANCE
    assert not pays(sure, 0.05)


@pytest.mark.parametrize(
    ("chance", "wrong", "is_held"), [(0.96, 0.0, True), (0.94, 0.19, False), (0.6, 0.21, True), (0.4, 0.9, False)]
)
def test_further_rounds_are_held_where_they_are_cheap_or_pay(
    monkeypatch: pytest.MonkeyPatch, chance: float, wrong: float, is_held: bool
) -> None:
    monkeypatch.setattr(rounds, "seen_chance", lambda *_: chance)
    monkeypatch.setattr(rounds, "expected_wrong_share", lambda *_: wrong)
    assert pays(standing(20, judged(2, 4)), 0.02) == is_held


def test_verdicts_tell_how_many_labels_of_the_next_round_are_wrong() -> None:
    flat = np.full(1_000, 2.0)
    few, unheard, many = (
        expected_wrong_share(standing(40, last, flat)) for last in (judged(2, 2), NO_ROUND, judged(2, 20))
    )
    assert 0.05 < few < unheard < many < 0.5
    assert expected_wrong_share(standing(320)) == 0


def test_without_verdicts_all_doubts_count_alike() -> None:
    assert doubt_weights(NO_ROUND).tolist() == pytest.approx([1 / len(DOUBTS)] * len(DOUBTS))


@pytest.mark.parametrize("doubt", [(1.0, 1.4), (4.0, 0.5)])
def test_verdicts_bear_out_the_doubt_that_is_true(doubt: tuple[float, float]) -> None:
    log_odds = np.linspace(0, 4, 4_000)
    wrong = np.random.default_rng(3).random(4_000) < wrong_chance(log_odds, *doubt)
    assert DOUBTS[int(doubt_weights(LastRound(log_odds, wrong)).argmax())] == doubt


def test_verdicts_move_the_guess_of_what_experts_would_see() -> None:
    shares = audit_shares(1_000, 0.02)
    unheard, trusted, misled = (
        seen_chance(standing(40, last), shares) for last in (NO_ROUND, judged(1.5, 2), judged(1.5, 24))
    )
    assert trusted < unheard < misled


def test_that_a_label_nobody_gave_is_wrong_is_no_surprise() -> None:
    last = LastRound(np.array([-np.inf, -np.inf, 0.0]), np.array([True, True, False]))
    assert doubt_weights(last).sum() == pytest.approx(1)
    assert np.allclose(doubt_weights(last), doubt_weights(judged(0, 0, 1)))


def test_experts_see_the_riskiest_items_anyway_where_there_are_many_wrong_labels() -> None:
    shares = audit_shares(1_000, 0.02)
    assert seen_chance(standing(5, log_odds=np.zeros(1_000)), shares) > 0.99
    # Labels that are right seem so: no more than the first share of the audit sees them.
    assert seen_chance(standing(5, log_odds=np.full(1_000, 99.0)), shares) < 1.5 * shares[0]


def test_rounds_end_where_they_are_said_to_and_small_sets_have_few() -> None:
    assert next_end(standing(5)) == 10
    assert [complete(decided, 1_000) for decided in (0, 4, 5, 9, 10, 999)] == [0, 0, 5, 5, 10, 320]
    assert round_ends(1) == round_ends(0) == []
    assert round_ends(10) == [1, 2, 3]
