from collections.abc import Callable
from typing import Any

import pytest
from scipy.stats import hypergeom

from cupel.accept.delivery import read_delivery
from cupel.accept.plan import Settings, choose_size, draw_look, later_look, make_plan
from cupel.errors import AuditError

SETTINGS = Settings(error_budget=0.05, label_column="label", id_column="id", text_column="text",
                    annotator_column=None, classes=("bad", "good"))  # fmt: skip


def test_the_chosen_audit_passes_a_third_of_the_budget_nine_times_in_ten_and_no_smaller_one_does() -> None:
    choice = choose_size(10_000, 0.01, "wrong", None)
    row = next(row for row in choice.table if row.drawn == choice.size)
    wrong = 34  # a third of 100, rounded up
    assert row.most_wrong is not None
    assert hypergeom.cdf(row.most_wrong, 10_000, wrong, choice.size) >= 0.9
    assert hypergeom.cdf(row.most_wrong, 10_000, 101, choice.size) <= 0.04
    assert hypergeom.cdf(row.most_wrong, 10_000, 101, choice.size - 1) > 0.04


def test_a_handful_of_labels_is_audited_whole() -> None:
    assert choose_size(10, 0.01, "aside", None).size == 10


def test_an_audit_larger_than_the_delivery_is_refused() -> None:
    with pytest.raises(AuditError, match="--audit 11"):
        choose_size(10, 0.01, "aside", 11)


def test_the_same_seed_draws_the_same_whatever_the_order_of_the_rows(make_buyer: Callable[..., Any]) -> None:
    delivery = read_delivery(make_buyer(0).delivery)
    plan = make_plan(delivery, SETTINGS, 50, None, 7, ())
    ids = [one.item_id for one in delivery.labels]
    assert draw_look(plan, ids, 1, 0) == draw_look(plan, ids[::-1], 1, 0)
    assert draw_look(plan.model_copy(update={"seed": 8}), ids, 1, 0) != draw_look(plan, ids, 1, 0)


def test_two_plans_get_different_seeds(make_buyer: Callable[..., Any]) -> None:
    delivery = read_delivery(make_buyer(0).delivery)
    assert len({make_plan(delivery, SETTINGS, 50, None, None, ()).seed for _ in range(5)}) == 5


def test_a_later_look_adds_only_items_that_were_not_drawn(make_buyer: Callable[..., Any]) -> None:
    delivery = read_delivery(make_buyer(0).delivery)
    plan = make_plan(delivery, SETTINGS, 50, None, 7, ())
    ids = [one.item_id for one in delivery.labels]
    first, later = draw_look(plan, ids, 1, 0), later_look(plan, ids, 2, 50)
    assert len(later.drawn) == 50
    assert not set(first) & set(later.drawn)
    assert (later.size, later.alpha) == (100, 0.005)
