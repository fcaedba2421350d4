import pytest

from contamination_designs import Items, flags, settings
from cupel.certificate.sample import draw
from cupel.cleaning.contamination.audit_rule import audit_seed
from cupel.cleaning.contamination.candidates import Examples
from cupel.cleaning.contamination.designing import designed, ranks_sha256
from cupel.config.contamination import ContaminationAnswers


def test_first_a_pilot_is_asked_about_then_what_is_doubtful_then_an_audit() -> None:
    items = Items()
    design = designed(items.candidates, items.answers, None, settings(), lambda _: pytest.fail("nobody answered yet"))
    asked = []
    for _ in range(3):
        asked.append(items.answer(design))
        design = designed(
            items.candidates, items.answers, design, settings(), lambda _: Examples(items.texts[:0], flags([]))
        )
    assert asked == [60, 20, 150]
    assert design.plan["status"][0].as_py() == "frozen"
    assert items.answer(design) == 0


def test_what_is_frozen_stays_whatever_answers_come() -> None:
    items = Items()
    design = items.follow(settings())
    turned = {item: "spam" for item in items.ids}
    items.answer(design, turned)
    again = designed(
        items.candidates, items.answers, design, settings(), lambda _: Examples(items.texts[:0], flags([]))
    )
    assert again.items.equals(design.items)
    assert again.plan.equals(design.plan)


def test_a_design_made_anew_from_the_same_log_is_the_same() -> None:
    items = Items()
    design = items.follow(settings())
    again = designed(items.candidates, items.answers, None, settings(), lambda _: Examples(items.texts[:0], flags([])))
    assert again.items.equals(design.items)
    assert again.plan.equals(design.plan)


def test_answers_of_the_audit_change_no_score() -> None:
    items = Items()
    design = items.follow(settings())
    audited = {row["item_id"] for row in design.items.to_pylist() if row["use"] == "audit"}
    other = Items()
    others_design = None
    for _ in range(4):
        others_design = designed(
            other.candidates, other.answers, others_design, settings(), lambda _: Examples(items.texts[:0], flags([]))
        )
        other.answer(others_design, {item: "spam" for item in audited})
    assert others_design is not None
    assert others_design.items.equals(design.items)


def test_the_audit_is_the_sample_that_its_seed_draws_within_the_loosest_cut() -> None:
    items = Items()
    design = items.follow(settings())
    plan = design.plan.to_pylist()[0]
    ranked = sorted((row for row in design.items.to_pylist() if row["rank"]), key=lambda row: row["rank"])
    names = [row["item_id"] for row in ranked]
    assert plan["items_sha256"] == ranks_sha256("one", names)
    assert plan["seed"] == audit_seed(plan)
    places = draw([("one", name) for name in names[: plan["loosest"]]], plan["audit_size"], plan["seed"])
    assert {names[place] for place in places} == {row["item_id"] for row in ranked if row["use"] == "audit"}


def test_nobody_who_was_asked_before_the_freeze_is_ranked() -> None:
    design = Items().follow(settings())
    uses = {row["use"] for row in design.items.to_pylist() if row["rank"]}
    assert uses == {None, "audit"}


def test_another_design_is_another_attempt_once_its_audit_has_begun() -> None:
    items = Items()
    first = items.follow(settings())
    second = items.follow(settings(at_most=0.06), first)
    third = items.follow(settings(at_most=0.07), second)
    plans = [design.plan.to_pylist()[0] for design in (first, second, third)]
    assert [plan["attempt"] for plan in plans] == [1, 2, 3]
    assert [plan["alpha"] for plan in plans] == [0.04, 0.005, 0.0025]
    known = [row["item_id"] for row in second.items.to_pylist() if row["use"] == "known"]
    assert len(known) == 230
    assert not {row["item_id"] for row in second.items.to_pylist() if row["rank"]}.intersection(known)


def test_a_design_that_was_changed_while_it_learned_is_no_second_look() -> None:
    items = Items()
    learning = designed(items.candidates, items.answers, None, settings(), lambda _: pytest.fail("nobody answered yet"))
    items.answer(learning)
    design = items.follow(settings(at_most=0.06), learning)
    plan = design.plan.to_pylist()[0]
    assert (plan["attempt"], plan["known_until"]) == (1, 60)


def test_changed_texts_are_another_design() -> None:
    items = Items()
    first = items.follow(settings())
    items.texts = Items(seed=2).texts
    assert items.follow(settings(), first).plan["attempt"][0].as_py() == 2


def test_answers_on_earlier_batches_train_and_vouch_for_nothing() -> None:
    before = Items(seed=9)
    earlier = Examples(before.texts, flags([item in before.unwanted for item in before.ids]))
    few = settings(answers=ContaminationAnswers(train=60, audit=150, pilot=60))
    alone, helped = Items(blurred=0.1), Items(blurred=0.1)
    without, design = alone.follow(few), helped.follow(few, earlier=earlier)
    assert without.plan["earlier_answers"][0].as_py() == 0
    assert design.plan["earlier_answers"][0].as_py() == len(before.ids)
    assert design.plan["trained"][0].as_py() == 60
    assert not design.items["score"].equals(without.items["score"])


@pytest.mark.parametrize("size", [0, 1, 5, 70])
def test_fewer_items_than_answers_are_all_read(size: int) -> None:
    items = Items(size, share=0.3)
    design = items.follow(settings())
    found, row = items.conclude(design)
    kept = {item for item, is_kept in zip(items.ids, found.is_kept, strict=True) if is_kept}
    assert kept == set(items.ids) - items.unwanted
    assert row["bound"] == (0.0 if kept else None)


def test_an_audit_that_could_never_succeed_is_not_asked_for() -> None:
    items = Items()
    design = items.follow(settings(at_most=0.01, answers=ContaminationAnswers(train=60, audit=30, pilot=60)))
    assert design.plan["audit_size"][0].as_py() == 0
    _, row = items.conclude(design)
    assert (row["status"], row["bound"]) == ("unbounded", None)
    assert "too few audit answers are allowed to show 1%" in row["reason"]
    assert row["answers_needed"] > 30
    enough = ContaminationAnswers(train=60, audit=row["answers_needed"], pilot=60)
    raised = items.follow(settings(at_most=0.01, answers=enough), design)
    assert raised.plan["attempt"][0].as_py() == 1
    assert raised.plan["audit_size"][0].as_py() > 0
