"""One item fewer cannot pass, one more can: by the functions that judge the audit itself."""

from typing import Any

import numpy as np
import pytest

from cupel.certificate.design import Design, EProcess, FixedSequence, Rising, Stratified
from cupel.certificate.flawless_audit import find_prospect, judge_flawless
from cupel.certificate.result import Terms
from cupel.certificate.slice_budgets import Slice, SliceBudget


def terms(design: Design, **changes: Any) -> Terms:
    usual = {"error_budget": 0.02, "attempt": 1, "max_experts_seen_share": 0.3, "bounds_slices": True}
    return Terms(**{**usual, **changes}, design=design)


# Experts see the whole audit, whatever they find: 400 items are 30% of 1,334, and more of 1,333.
@pytest.mark.parametrize(
    "design", [FixedSequence(400), Stratified((0.5, 0.5), (200, 200))], ids=["fixed_sequence", "stratified"]
)
def test_an_audit_that_alone_is_more_than_experts_may_see_cannot_pass(design: Design) -> None:
    assert find_prospect(terms(design), 1334).can_pass
    refused = find_prospect(terms(design), 1333, draws=3)
    assert not refused.can_pass
    assert (refused.result.status, refused.tried) == ("refused", 3)
    assert refused.result.reason == (
        "the audit of 400 found 0 wrong and 0 contested: to keep 2%, experts would have to see 30.1% of the items, at "
        "most 30% are allowed"
    )


def test_a_share_or_a_budget_one_step_too_low_cannot_pass() -> None:
    assert find_prospect(terms(FixedSequence(400), max_experts_seen_share=0.4), 1000).can_pass
    assert not find_prospect(terms(FixedSequence(400), max_experts_seen_share=0.399), 1000, draws=3).can_pass


def test_an_e_process_whose_last_look_is_one_item_too_small_cannot_pass() -> None:
    # The last look of all is at everything that may be drawn; before it too few were seen to prove anything.
    found = [size for size in range(100, 301) if find_prospect(terms(EProcess(400, size)), 2000, draws=1).can_pass]
    least = found[0]
    assert found == list(range(least, 301))
    assert not find_prospect(terms(EProcess(400, least - 1)), 2000, draws=1).can_pass


def test_a_rising_audit_of_few_items_shows_experts_too_many_in_every_draw() -> None:
    assert not find_prospect(terms(Rising(1.0, 6)), 300).can_pass
    assert find_prospect(terms(Rising(1.0, 6)), 3000).can_pass


def test_the_limit_of_undecided_items_alone_can_make_an_audit_hopeless() -> None:
    # 0 of 60 undecided shows no less than some 7%: too many where 5% are allowed.
    loose, strict = ({"error_budget": 0.2, "max_undecided_share": share} for share in (0.2, 0.02))
    assert find_prospect(terms(FixedSequence(60), **loose), 1000).can_pass
    refused = find_prospect(terms(FixedSequence(60), **strict), 1000, draws=3)
    assert not refused.can_pass
    assert "release.certificate.max_undecided_share allows 2%" in refused.result.reason


def test_planted_items_that_are_too_few_to_show_that_auditors_see_anything_make_it_hopeless() -> None:
    design = FixedSequence(300)
    assert find_prospect(terms(design, planted_errors=60, error_budget=0.05), 2000).can_pass
    refused = find_prospect(terms(design, planted_errors=3, error_budget=0.05), 2000, draws=3)
    assert not refused.can_pass
    assert "is needed of them" in refused.result.reason


def test_adjudicators_who_are_audited_and_never_wrong_do_not_stand_in_the_way() -> None:
    certain = terms(FixedSequence(100), adjudicators_audited=200, max_experts_seen_share=1.0)
    result = judge_flawless(certain, np.random.default_rng(1).random(1000))
    assert (result.status, result.to_adjudicate > 0) == ("certified", True)


@pytest.mark.parametrize(("of_it", "can_pass"), [(29, False), (30, True)])
def test_a_budget_of_a_part_with_too_few_items_for_a_proof_makes_it_hopeless(of_it: int, can_pass: bool) -> None:
    part, nothing = np.arange(1000) < of_it, np.zeros(1000, np.bool_)
    budget = SliceBudget("source", "a", "wrong", 0.2, FixedSequence(of_it))
    found = find_prospect(
        terms(FixedSequence(300), max_experts_seen_share=0.9, budgets=(budget,)), 1000,
        [Slice(part, nothing, part, nothing)], draws=3,
    )  # fmt: skip
    assert found.can_pass is can_pass
    assert can_pass or "a budget is unproven" in found.result.reason


def test_what_experts_have_said_of_a_part_plays_no_role() -> None:
    everything, nothing = np.ones(1000, np.bool_), np.zeros(1000, np.bool_)
    budget = SliceBudget("source", "a", "wrong", 0.2, FixedSequence(100))
    certain, marks = terms(FixedSequence(300), max_experts_seen_share=0.9, budgets=(budget,)), np.arange(1000) / 1000
    results = [
        judge_flawless(certain, marks, [Slice(everything, said, everything, said)]) for said in (everything, nothing)
    ]
    assert results[0] == results[1]
