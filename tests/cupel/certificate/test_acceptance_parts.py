"""Budgets and bounds of a delivery's parts: exact by an independent library, and seldom false in replays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from cupel.certificate.acceptance_parts import (
    PartItems,
    PartLook,
    PartShare,
    allowed_missed,
    bound_share,
    divide_bound_alpha,
    divide_budget_alpha,
    expect_budget,
    judge_budget,
)
from cupel.certificate.attempts import attempt_alpha


def checked(size: int, drawn: int, counted: int, contested: int = 0, attempt: int = 1) -> PartItems:
    """Items of which one look drew some."""
    return PartItems(size, (PartLook(attempt, drawn, counted, contested),), counted, contested)


def missed(others: PartItems, labels: PartItems) -> PartShare:
    """What a class misses; those of its labels that are not right are known."""
    return PartShare(others, labels._replace(known_contested=labels.drawn - labels.counted))


@pytest.mark.parametrize("attempt", [1, 3])
def test_a_budget_is_kept_by_as_many_wrong_as_the_exact_test_allows_and_not_by_one_more(attempt: int) -> None:
    level = divide_budget_alpha(attempt, False, is_missed=False).counted
    limit = int((hypergeom.cdf(range(150), 400, 21, 150) <= level).sum()) - 1
    states = [judge_budget(PartShare(checked(400, 150, n, 0, attempt)), 0.05, False, 1) for n in (limit, limit + 1)]
    if limit >= 0:
        assert [state.is_kept for state in states] == [True, False]
        assert states[0].upper <= 0.05 < states[1].upper


def test_missed_ones_are_held_against_the_right_ones_that_there_are_at_least() -> None:
    levels = divide_budget_alpha(1, True, is_missed=True)
    right = next(n for n in range(301) if hypergeom.sf(95, 300, n, 100) > levels.other)  # 96 of 100 were right
    allowed = allowed_missed(0.1, right)
    for found in range(12):
        kept = hypergeom.cdf(found, 4_700, allowed + 1, 1_500) <= levels.counted
        state = judge_budget(missed(checked(4_700, 1_500, found), checked(300, 100, 96)), 0.1, True, 1)
        assert state.is_kept == bool(kept), found


def test_the_levels_of_an_attempt_add_up_to_its_alpha() -> None:
    for attempt in (1, 2):
        for can_be_contested in (True, False):
            for is_missed in (True, False):
                test = divide_budget_alpha(attempt, can_be_contested, is_missed)
                bounds = [divide_bound_alpha(attempt, can_be_contested, is_missed, 7) for _ in range(7)]
                assert sum(map(sum, (test, *bounds))) == pytest.approx(attempt_alpha(attempt))


def test_of_fewer_than_thirty_items_nothing_is_shown_whatever_was_checked() -> None:
    assert bound_share(PartShare(checked(3, 3, 0)), True, 2) is None
    assert bound_share(PartShare(checked(29, 29, 0)), True, 2) is None
    assert bound_share(PartShare(checked(30, 30, 0)), True, 2) == 0
    assert bound_share(missed(checked(900, 900, 0), checked(3, 3, 3)), True, 2) is None


def test_without_a_checked_item_nothing_is_shown() -> None:
    assert bound_share(PartShare(checked(500, 0, 0)), True, 2) is None
    assert bound_share(missed(checked(500, 0, 0), checked(500, 100, 100)), True, 2) is None
    assert not judge_budget(PartShare(checked(500, 0, 0)), 0.5, True, 1).is_kept


@settings(max_examples=40, deadline=None)
@given(st.integers(30, 300), st.data())
def test_what_is_checked_whole_is_known(size: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, size - 1))
    contested = data.draw(st.integers(0, size - wrong - 1))
    share = PartShare(checked(size, size, wrong, contested))
    assert bound_share(share, True, 10) == pytest.approx(wrong / (size - contested))
    for budget in (0.05, 0.3):
        state = judge_budget(share, budget, True, 3)
        assert state.is_over == (wrong / (size - contested) > budget) == (not state.is_kept)


@settings(max_examples=40, deadline=None)
@given(st.integers(50, 400), st.integers(2, 40), st.data())
def test_one_more_wrong_never_lowers_a_bound(size: int, drawn: int, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, drawn - 2))
    uppers = [bound_share(PartShare(checked(size, drawn, n)), True, 4) or 1.0 for n in (wrong, wrong + 1)]
    assert uppers[0] <= uppers[1]


def test_what_other_samples_found_refuses_a_budget_that_its_own_sample_had_shown_to_be_kept() -> None:
    items = checked(400, 200, 0)
    assert judge_budget(PartShare(items), 0.05, True, 1).is_kept
    state = judge_budget(PartShare(items._replace(known=21)), 0.05, True, 1)
    assert (state.is_kept, state.is_over) == (False, True)
    assert not judge_budget(PartShare(items._replace(known=20)), 0.05, True, 1).is_over


def test_what_one_look_shows_stays_shown() -> None:
    looks = (PartLook(1, 200, 0), PartLook(2, 10, 2))
    state = judge_budget(PartShare(PartItems(400, looks, 2)), 0.05, True, 1)
    assert state.is_kept
    assert state.upper == judge_budget(PartShare(checked(400, 200, 0)), 0.05, True, 1).upper


def test_a_further_look_is_expected_to_do_where_the_rest_is_good() -> None:
    open_now = PartShare(checked(1_000, 60, 1))
    assert not judge_budget(open_now, 0.05, True, 1).is_kept
    chances = [expect_budget(open_now, 0.05, True, drawn, 0) for drawn in (0, 400, 940)]
    assert chances[0] == 0 < chances[1] < chances[2]
    assert expect_budget(PartShare(checked(1_000, 60, 6)), 0.05, True, 900, 0) < 0.5


def test_in_replays_a_part_over_its_budget_is_seldom_kept_and_all_bounds_hold_at_once() -> None:
    rng, replays = np.random.default_rng(18), 400
    kept = false_bounds = 0
    for _ in range(replays):
        wrong, contested = 22, 20  # of 420, of which 400 can be decided: one more than 5%
        items, looks = np.array([1] * wrong + [2] * contested + [0] * (420 - wrong - contested)), []
        for attempt, drawn in ((1, 150), (2, 150)):
            places = rng.permutation(len(items))[:drawn]
            found = items[places]
            looks.append(PartLook(attempt, drawn, int((found == 1).sum()), int((found == 2).sum())))
            items = np.delete(items, places)
        share = PartShare(PartItems(420, tuple(looks), sum(one.counted for one in looks)))
        kept += judge_budget(share, 0.05, True, 1).is_kept
        # One bound with all of the alpha that is there for bounds.
        upper = bound_share(share, True, 1)
        false_bounds += upper is not None and upper < wrong / 400
    assert kept <= 27  # 5% of 400 are 20; more than 27 come by chance 1 time in 20 even at 5%
    assert false_bounds <= 4  # .3% of 400 is 1
