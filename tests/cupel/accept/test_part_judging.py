from collections import Counter
from pathlib import Path

from rare_class import RareClass

from cupel.accept.judging import Prices, judge_delivery
from cupel.accept.part_judging import describe_budget, describe_unbounded, find_unbounded
from cupel.accept.plan import PlannedPart
from cupel.accept.scores import score_of


def test_the_checked_and_found_of_a_class_are_those_of_its_own_sample(tmp_path: Path) -> None:
    mail = RareClass(tmp_path)
    plan = mail.plan(3, "class:spam:wrong=5%", "class:spam:missed=25%")
    look = mail.first_look(plan)
    verdict = mail.judge(plan, [look])
    labels = {one.item_id: one.label for one in mail.delivery.labels}
    spam = next(one for one in verdict.bounds if one.value == "spam")
    asked = [item for item in look.ids if labels[item] == "spam"]
    assert (spam.audited, spam.wrong) == (len(asked), sum(mail.truth[item] != "spam" for item in asked))
    others = [item for item in look.ids if labels[item] != "spam"]
    assert (spam.others_audited, spam.missed) == (len(others), sum(mail.truth[item] == "spam" for item in others))
    assert len(verdict.send_back) == sum(mail.truth[item] != labels[item] for item in look.ids)
    # What is estimated of the whole is so by the sample of the whole alone.
    assert verdict.audited == 400 == sum(part.audited for part in verdict.by_class)
    assert verdict.audited_for_parts == len(look.ids) - 400


def test_a_vendor_is_scored_by_the_sample_of_the_whole_alone_and_pays_for_all(tmp_path: Path) -> None:
    mail = RareClass(tmp_path)
    plan = mail.plan(3, "class:spam:wrong=5%")
    look = mail.first_look(plan)
    answers = {item: mail.truth[item] for item in look.ids}
    verdict = judge_delivery(plan, mail.delivery, [look], answers, Prices(expert_answer=0.5), "acme")
    score = score_of(verdict, "acme")
    assert (score.audited, score.wrong) == (400, verdict.wrong)
    assert verdict.wrong < len(verdict.send_back)
    assert score.audit_cost == 0.5 * len(look.ids) == 0.5 * (400 + verdict.audited_for_parts)


def test_parts_that_are_too_small_are_told_in_one_line() -> None:
    counts = Counter({"big": 9_000} | {f"c{number}": 1 for number in range(1_999)})
    (small,) = find_unbounded({"class": counts}, [PlannedPart(by="class", value="big", labels=9_000)])
    assert (small.values, small.labels) == (1_999, 1_999)
    assert describe_unbounded(small) == "Not bounded: 1,999 classes of less than 1% each, 1,999 labels in all."


def test_an_unproven_budget_says_so(tmp_path: Path) -> None:
    mail = RareClass(tmp_path, rare_wrong=12)
    verdict = mail.judge(mail.plan(3, "class:spam:wrong=5%"))
    (budget,) = verdict.budgets
    assert budget.status == "unproven"
    words = describe_budget(budget)
    assert words.startswith(f"labels 'spam': {budget.found} wrong in {budget.audited} checked, up to ")
    assert words.endswith("of them may be wrong, which does not show that 5% is kept")
