"""Budgets by class in the double check: without one nothing changes, with one its share is kept."""

import numpy as np

from benchmarks.double_check.class_budgets import (
    BUDGET_OF_ALL,
    ClassItems,
    find_rarest,
    plan_budgets,
    replay_with_class,
    take_items,
)
from benchmarks.double_check.deployed import Frozen
from benchmarks.double_check.folder import Gold
from benchmarks.double_check.orders import replay_rising
from cupel.checking.rounds import NO_ROUND, audit_shares


def made_items(size: int, rare: int, wrong: np.ndarray) -> ClassItems:
    """Return items of which so many, spread evenly, are labelled as the class; the wrong ones are of another."""
    is_labelled = np.zeros(size, np.bool_)
    is_labelled[np.linspace(0, size - 1, rare).astype(int)] = True
    is_wrong = np.zeros(size, np.bool_)
    is_wrong[wrong] = True
    return ClassItems(0, is_wrong, is_labelled, is_labelled & ~is_wrong)


def test_without_a_budget_of_the_class_experts_see_what_the_rising_audit_shows_them() -> None:
    rng = np.random.default_rng(1)
    items = made_items(1_000, 100, rng.choice(1_000, 40, replace=False))
    for _ in range(5):
        marks = rng.random(1_000)
        alone = replay_rising(0, items.is_wrong, marks, audit_shares(1_000, BUDGET_OF_ALL), BUDGET_OF_ALL)
        found = replay_with_class(items, marks, BUDGET_OF_ALL, ())
        assert (found.seen_share, found.wrong_share) == (alone.seen_share, alone.final_error)
        assert found.is_false == (alone.is_false, False, False)


def test_a_budget_of_the_class_costs_more_and_keeps_its_share_where_all_alone_does_not() -> None:
    # All that is wrong bears the rare label, at the safe end: 15 of 200 items, which 2% of all allows.
    places = np.linspace(0, 1_999, 200).astype(int)[:15]
    items = made_items(2_000, 200, places)
    budgets = plan_budgets(items, "rare", 0.05, ("wrong",))
    rng = np.random.default_rng(2)
    marks = [rng.random(2_000) for _ in range(300)]
    alone = [replay_with_class(items, one, BUDGET_OF_ALL, ()) for one in marks]
    both = [replay_with_class(items, one, BUDGET_OF_ALL, budgets) for one in marks]
    assert np.mean([one.class_wrong_share > 0.05 for one in alone]) > 0.5
    assert sum(one.is_false[1] for one in both) <= 300 * 0.05 + 2 * np.sqrt(300 * 0.05 * 0.95)
    # Another alpha plans another rise of the whole's audit, so that single draws may differ either way.
    assert np.mean([one.seen_share for one in both]) > np.mean([one.seen_share for one in alone])


def test_of_a_class_with_few_labels_nothing_is_proven_and_nothing_is_claimed() -> None:
    items = made_items(1_000, 20, np.linspace(0, 999, 20).astype(int)[:10])
    budgets = plan_budgets(items, "rare", 0.05, ("wrong", "missed"))
    found = replay_with_class(items, np.ones(1_000), BUDGET_OF_ALL, budgets)
    assert found.is_unproven
    assert (found.seen_share, found.class_wrong_share) == (0.0, 0.5)
    assert found.is_false == (False, False, False)


def test_items_that_experts_decided_are_right_and_bear_their_verdicts() -> None:
    gold = Gold({"a": "x", "b": "y", "c": "y", "d": "x", "e": "x"})
    frozen = Frozen(("b",), NO_ROUND, True, ("a", "c", "d", "e"), ("x", "x", None, "y"), np.arange(4.0)[::-1])
    items = take_items(frozen, gold, find_rarest(gold))
    assert find_rarest(gold) == "y"
    assert items.asked == 1
    assert items.is_wrong.tolist() == [False, False, True, True, True]
    assert items.is_labelled.tolist() == [True, False, False, False, True]
    assert items.is_of_class.tolist() == [True, False, True, False, False]
