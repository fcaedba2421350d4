from collections.abc import Callable
from typing import Any

from cupel.accept.delivery import read_delivery
from cupel.accept.looks import draw_later_look, draw_look, freeze_later_look
from cupel.accept.plan import Plan, Settings, make_plan, seed_plan

SETTINGS = Settings(error_budget=0.05, label_column="label", id_column="id", text_column="text",
                    annotator_column=None, classes=("bad", "good"))  # fmt: skip


def plan_of(make_buyer: Callable[..., Any], nonce: str) -> tuple[Plan, list[str]]:
    delivery = read_delivery(make_buyer(0).delivery)
    plan = seed_plan(make_plan(delivery, "a", SETTINGS, 50, None, ()), nonce, "option")
    return plan, [one.item_id for one in delivery.labels]


def test_the_same_nonce_draws_the_same_whatever_the_order_of_the_rows(make_buyer: Callable[..., Any]) -> None:
    plan, ids = plan_of(make_buyer, "7")
    assert draw_look(plan, ids) == draw_look(plan, ids[::-1])
    assert draw_look(seed_plan(plan, "8", "option"), ids) != draw_look(plan, ids)


def test_a_later_look_is_a_fresh_draw_among_items_that_were_not_drawn(make_buyer: Callable[..., Any]) -> None:
    plan, ids = plan_of(make_buyer, "7")
    first = draw_look(plan, ids)
    frozen = freeze_later_look(plan, 2, 50, attempt=4)
    later, other = (draw_later_look(frozen, nonce, "system", ids, first) for nonce in ("1", "2"))
    assert len(later.drawn) == len(other.drawn) == 50
    assert not set(first) & (set(later.drawn) | set(other.drawn))
    assert later.drawn != other.drawn
    assert (later.size, later.attempt, later.alpha) == (100, 4, 0.00125)
