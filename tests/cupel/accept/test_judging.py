from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from cupel.accept.delivery import Delivery, read_delivery
from cupel.accept.folder import first_look
from cupel.accept.judging import Prices, Verdict, judge_delivery, rate
from cupel.accept.looks import draw_look
from cupel.accept.plan import Plan, Settings, make_plan, seed_plan

FREE = Prices()


@pytest.fixture
def judge(make_buyer: Callable[..., Any]) -> Callable[..., Verdict]:
    def judge(wrong: int, contested: int = 0, policy: str = "aside", prices: Prices = FREE) -> Verdict:
        """Judge a look at 200 of 1,000 labels in which so many are wrong and so many cannot be decided."""
        delivery: Delivery = read_delivery(make_buyer(0).delivery)
        fixed = Settings.model_validate(
            {"error_budget": 0.05, "contested": policy, "label_column": "label", "id_column": "id",
             "text_column": "text", "annotator_column": "worker", "classes": ("bad", "good")}
        )  # fmt: skip
        plan: Plan = seed_plan(make_plan(delivery, "a", fixed, 200, None, ()), "1", "option")
        ids = draw_look(plan, [one.item_id for one in delivery.labels])
        plan = plan.model_copy(update={"drawn": ids})
        delivered = {one.item_id: one.label for one in delivery.labels}
        answers: dict[str, str | None] = {item: delivered[item] for item in ids}
        for place, item in enumerate(ids):
            if place < wrong:
                answers[item] = "good" if delivered[item] == "bad" else "bad"
            elif place < wrong + contested:
                answers[item] = None
        return judge_delivery(plan, delivery, [first_look(plan)], answers, prices, "acme")

    return judge


def test_a_delivery_passes_with_as_many_wrong_as_the_exact_test_allows_and_not_with_one_more(
    judge: Callable[..., Verdict],
) -> None:
    allowed = judge(0, policy="wrong").most_wrong
    assert allowed is not None
    # A sixteenth of the 4% goes to the bounds by class.
    assert hypergeom.cdf(allowed, 1000, 51, 200) <= 0.0375 < hypergeom.cdf(allowed + 1, 1000, 51, 200)
    assert judge(allowed, policy="wrong").verdict == "ACCEPT"
    assert judge(allowed + 1, policy="wrong").verdict == "OPEN"
    assert judge(100).verdict == "REFUSE"


def test_undecided_items_stand_aside_or_count_as_wrong_as_the_plan_says(judge: Callable[..., Verdict]) -> None:
    aside, counted = judge(1, 30), judge(1, 30, policy="wrong")
    assert (aside.verdict, counted.verdict) == ("ACCEPT", "REFUSE")
    assert (aside.wrong, aside.contested) == (counted.wrong, counted.contested) == (1, 30)
    assert aside.error_bound < 0.05 < aside.error_bound_with_contested
    assert not aside.is_accepted_with_contested


def test_the_items_to_send_back_are_those_the_auditor_did_not_confirm(judge: Callable[..., Verdict]) -> None:
    verdict = judge(3, 2)
    assert len(verdict.send_back) == 3
    assert all(one.auditor not in (None, one.delivered) for one in verdict.send_back)
    assert [one.auditor for one in verdict.undecided] == [None, None]


def test_the_parts_add_up_to_the_whole(judge: Callable[..., Verdict]) -> None:
    verdict = judge(13, 7)
    for parts in (verdict.by_class, verdict.by_annotator):
        sums = [sum(getattr(part, name) for part in parts) for name in ("labels", "audited", "wrong", "contested")]
        assert sums == [1000, 200, 13, 7]


def test_a_right_label_costs_labels_and_audit_divided_by_what_is_right(judge: Callable[..., Verdict]) -> None:
    cost = judge(20, prices=Prices(label=0.1, expert_answer=0.5)).cost
    assert (cost.labels, cost.audit, cost.right_by_estimate) == (100.0, 100.0, 900)
    assert cost.per_right_label_by_estimate == 200 / 900
    assert cost.per_right_label_at_worst == 200 / cost.right_at_worst > 200 / 900


def test_without_a_price_there_is_no_cost(judge: Callable[..., Verdict]) -> None:
    assert judge(1).cost.per_right_label_by_estimate is None


def test_the_wording_says_what_it_promises_and_what_it_cannot_see(judge: Callable[..., Verdict]) -> None:
    wording = judge(0).wording
    for words in ("more than 5% wrong", "at most 5 times in 100", "whoever filled in the sheet", "cannot be seen"):
        assert words in wording


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 400), st.data())
def test_the_interval_holds_exactly_the_counts_that_scipy_does_not_rule_out(
    population: int, data: st.DataObject
) -> None:
    audited = data.draw(st.integers(1, population))
    wrong = data.draw(st.integers(0, audited))
    found = rate(population, audited, wrong, 0)
    counts = range(wrong, population - audited + wrong + 1)
    chances = [
        min(hypergeom.cdf(wrong, population, count, audited), hypergeom.sf(wrong - 1, population, count, audited))
        for count in counts
    ]
    # A chance of exactly 0.025 may fall either way, by the last digit.
    surely, maybe = (
        [count for count, chance in zip(counts, chances, strict=True) if chance > level]
        for level in (0.025 + 1e-9, 0.025 - 1e-9)
    )
    assert round(found.low * population) in (surely[0], maybe[0])
    assert round(found.high * population) in (surely[-1], maybe[-1])


def test_without_a_settled_label_the_error_is_unknown() -> None:
    assert rate(10, 2, 0, 2).error is None
