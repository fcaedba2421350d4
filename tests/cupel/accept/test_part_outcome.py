from pathlib import Path

import pytest
from rare_class import RareClass

from cupel.accept.judging import Prices, judge_delivery

REPLAYS = 12


@pytest.fixture
def mail(tmp_path: Path) -> RareClass:
    return RareClass(tmp_path)


def test_a_rare_class_a_quarter_wrong_is_accepted_without_a_budget_but_shown_as_such_and_refused_with_one(
    mail: RareClass,
) -> None:
    assert mail.wrong_share == pytest.approx(0.03)
    accepted, with_budget = [], []
    for nonce in range(REPLAYS):
        verdict = mail.judge(mail.plan(nonce, size=800))
        spam = next(one for one in verdict.bounds if one.value == "spam")
        accepted.append(verdict.verdict == "ACCEPT")
        assert spam.wrong_upper is None or spam.wrong_upper > 58 / 240
        verdict = mail.judge(mail.plan(nonce, "class:spam:wrong=5%", size=800))
        with_budget.append(verdict.verdict)
        assert verdict.budgets[0].status == "exceeded"
        assert verdict.reason.startswith("labels 'spam': ")
        assert "more than 5% of them are wrong, up to" in verdict.reason
    assert sum(accepted) >= 0.7 * REPLAYS
    assert set(with_budget) == {"REFUSE"}


def test_all_bounds_hold_at_once_in_nearly_all_replays(mail: RareClass) -> None:
    truth = {"wrong": {"spam": 58 / 240, "ham": 31 / 1_880, "news": 31 / 1_880},
             "missed": {"spam": 62 / 244, "ham": 58 / 1_907, "news": 0.0}}  # fmt: skip
    false = 0
    for nonce in range(REPLAYS):
        verdict = mail.judge(mail.plan(nonce, "class:spam:missed=40%"))
        assert {one.value for one in verdict.bounds} == set(truth["wrong"])
        false += any(
            (upper if upper is not None else 1.0) < truth[counts][one.value]
            for one in verdict.bounds
            for counts, upper in (("wrong", one.wrong_upper), ("missed", one.missed_upper))
        )
    assert false == 0


def test_a_class_within_its_budgets_is_accepted_and_each_is_named(tmp_path: Path) -> None:
    mail = RareClass(tmp_path, rare_wrong=3, missed=8)
    by = ("class:spam:wrong=6%", "class:spam:missed=15%", "site:a:wrong=5%")
    found = [mail.judge(mail.plan(nonce, *by)) for nonce in range(5)]
    accepted = [one for one in found if one.verdict == "ACCEPT"]
    assert len(accepted) >= 3
    for verdict in accepted:
        assert [one.status for one in verdict.budgets] == ["kept"] * 3
        assert "labels missing 'spam'" in verdict.reason
        assert "labels site 'a'" in verdict.reason
        assert verdict.audited == 400
        assert verdict.audited_for_parts > 0


def test_a_budget_that_is_not_shown_is_open_and_only_its_own_labels_are_drawn_for_it(tmp_path: Path) -> None:
    mail = RareClass(tmp_path, rare_wrong=5, missed=0)
    for nonce in range(40):
        plan = mail.plan(nonce, "class:spam:wrong=5%")
        looks = [mail.first_look(plan)]
        verdict = mail.judge(plan, looks)
        if verdict.verdict == "OPEN":
            break
    assert verdict.budgets[0].status == "unproven"
    assert "which does not show that 5% is kept; of the whole: " in verdict.reason
    later = mail.later_look(plan, looks, verdict)
    labels = {one.item_id: one.label for one in mail.delivery.labels}
    assert {labels[item] for item in later.ids} == {"spam"}
    assert verdict.next_look is not None
    assert len(later.ids) <= verdict.next_look.more
    assert not set(later.ids) & set(looks[0].ids)
    last = mail.judge(plan, [*looks, later])
    assert last.verdict == "ACCEPT"
    assert (last.audited, last.look, last.attempt) == (400, later.look, 2)


def test_a_delivery_over_its_budget_is_refused_however_good_its_parts_are(tmp_path: Path) -> None:
    mail = RareClass(tmp_path, rare_wrong=0, missed=0)
    for item in mail.ids[500:1_000]:
        mail.truth[item] = "spam"
    verdict = mail.judge(mail.plan(1, "class:spam:wrong=5%"))
    assert (verdict.verdict, verdict.is_proven, verdict.budgets[0].status) == ("REFUSE", True, "kept")
    assert "more than 5% of the delivery are wrong" in verdict.reason


def test_undecided_items_stand_aside_or_count_as_wrong_in_a_part_too(tmp_path: Path) -> None:
    mail = RareClass(tmp_path, rare_wrong=0, missed=0)
    undecided = frozenset(mail.ids[:100])
    for contested, status in (("aside", "kept"), ("wrong", "exceeded")):
        plan = mail.plan(2, "class:spam:wrong=6%", contested=contested)
        assert mail.judge(plan, undecided=undecided).budgets[0].status == status, contested


def test_a_whole_that_its_sample_accepts_is_refused_where_all_that_was_checked_is_over_its_budget(
    tmp_path: Path,
) -> None:
    mail = RareClass(tmp_path, rare_wrong=0, missed=0)
    plan = mail.plan(1, "site:a:wrong=50%")
    part = next(n for n, one in enumerate(plan.parts) if one.by == "site")
    # Nearly all of site a is checked, and 201 of it, not in the sample of the whole, are wrong: 5% of 4,000 are 200.
    plan = plan.model_copy(update={"parts": tuple(
        one.model_copy(update={"drawn": 1_300}) if n == part else one for n, one in enumerate(plan.parts)
    )})  # fmt: skip
    look = mail.first_look(plan)
    assert look.samples is not None
    whole = {mail.ids[place] for place in look.samples.whole}
    beside = [item for item in look.ids if item not in whole]
    for count, outcome in ((200, "ACCEPT"), (201, "REFUSE")):
        answers = {item: ("odd" if item in beside[:count] else mail.truth[item]) for item in look.ids}
        verdict = judge_delivery(plan, mail.delivery, [look], answers, Prices(), None)
        assert (verdict.verdict, verdict.wrong) == (outcome, 0)
