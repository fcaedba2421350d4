"""Rounds before the freeze: a first one always, further ones only where they are cheap or pay."""

import numpy as np
import pytest

from cupel.checking import rounds
from cupel.checking.rounds import Standing, audit_shares, complete, next_end, pays, round_ends, seen_chance

SURE = np.linspace(9, 0, 1_000)


def standing(asked: int, last_wrong_share: float = 0.0, log_odds: np.ndarray = SURE) -> Standing:
    return Standing(1_000, asked, log_odds[: 1_000 - asked], last_wrong_share)


def test_a_first_round_is_always_held_and_none_after_the_last() -> None:
    assert pays(standing(0), 0.02)
    assert not pays(standing(320, 1.0), 0.02)


@pytest.mark.parametrize(
    ("chance", "wrong", "is_held"), [(0.9, 0.0, True), (0.8, 0.2, False), (0.5, 0.3, True), (0.3, 0.9, False)]
)
def test_further_rounds_are_held_where_they_are_cheap_or_pay(
    monkeypatch: pytest.MonkeyPatch, chance: float, wrong: float, is_held: bool
) -> None:
    monkeypatch.setattr(rounds, "seen_chance", lambda *_: chance)
    assert pays(standing(10, wrong), 0.02) == is_held


def test_experts_see_the_riskiest_items_anyway_where_there_are_many_wrong_labels() -> None:
    shares = audit_shares(1_000, 0.02)
    assert seen_chance(standing(5, log_odds=np.zeros(1_000)), shares) > 0.99
    # Labels that are right seem so: no more than the first share of the audit sees them.
    assert seen_chance(standing(5, log_odds=np.full(1_000, 20.0)), shares) < 1.5 * shares[0]


def test_rounds_end_where_they_are_said_to_and_small_sets_have_few() -> None:
    assert next_end(standing(5)) == 10
    assert [complete(decided, 1_000) for decided in (0, 4, 5, 9, 10, 999)] == [0, 0, 5, 5, 10, 320]
    assert round_ends(1) == round_ends(0) == []
    assert round_ends(10) == [1, 2, 3]
