from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cupel.accept.delivery import Delivery, read_delivery
from cupel.accept.label_rules import ONE_CLASS
from cupel.accept.part_plan import count_costs, parse_parts, plan_parts
from cupel.accept.plan import PlannedPart, Settings, make_plan
from cupel.errors import AuditError
from label_buyer import write_csv


@pytest.fixture
def delivery(tmp_path: Path) -> Delivery:
    """5,000 labels: 300 spam, 3 odd, half of the others ham and news; the column language says de, en or, of 3, la."""
    rows = [["id", "text", "label", "language"]]
    for number in range(5_000):
        label = "spam" if number < 300 else "odd" if number < 303 else ("ham", "news")[number % 2]
        rows.append([f"i{number}", f"text {number}", label, "la" if number > 4_996 else ("de", "en")[number % 3 == 0]])
    write_csv(tmp_path / "mail.csv", rows)
    return read_delivery(tmp_path / "mail.csv")


def plan(delivery: Delivery, *by: str, size: int = 275) -> tuple[PlannedPart, ...]:
    asked = parse_parts(by)
    settings = Settings(error_budget=0.05, label_column="label", id_column="id", text_column="text",
                        annotator_column=None, classes=delivery.classes, budgets=asked.budgets,
                        slices=asked.slices)  # fmt: skip
    return plan_parts(delivery, ONE_CLASS, settings, 1, size)


def test_classes_of_at_least_one_in_a_hundred_are_bounded_and_columns_where_asked_for(delivery: Delivery) -> None:
    assert [(part.value, part.labels) for part in plan(delivery)] == [("ham", 2_348), ("news", 2_349), ("spam", 300)]
    assert [part.value for part in plan(delivery, "language") if part.by == "language"] == ["de", "en"]
    assert plan(delivery, "class") == plan(delivery)


def test_a_budget_of_wrong_ones_is_checked_on_labels_of_the_class_alone(delivery: Delivery) -> None:
    (spam,) = [part for part in plan(delivery, "class:spam:wrong=5%") if part.value == "spam"]
    assert 30 < spam.drawn < 300
    assert spam.drawn_others == 0


def test_a_budget_of_missed_ones_is_checked_on_both_sides_and_a_tighter_one_costs_more(delivery: Delivery) -> None:
    found = [part for by in ("15%", "10%") for part in plan(delivery, f"class:spam:missed={by}") if part.drawn_others]
    assert len(found) == 2
    assert 0 < found[0].drawn_others < found[1].drawn_others <= 4_700
    assert all(0 < part.drawn <= 300 for part in found)


def test_the_plan_tells_what_each_budget_costs_beside_the_whole(delivery: Delivery) -> None:
    asked = parse_parts(["class:spam:wrong=5%", "class:ham:wrong=50%"])
    settings = Settings(error_budget=0.05, label_column="label", id_column="id", text_column="text",
                        annotator_column=None, classes=delivery.classes, budgets=asked.budgets)  # fmt: skip
    parts = plan_parts(delivery, ONE_CLASS, settings, 1, 275)
    costs = {
        one.budget.value: one for one in count_costs(make_plan(delivery, "a", settings, 275, None, (), parts=parts))
    }
    # Of 275 of the whole some 16.5 are spam anyway; of ham there are more than its loose budget needs.
    assert costs["spam"].more == round(costs["spam"].drawn - 275 * 300 / 5_000)
    assert costs["ham"].more == 0


@pytest.mark.parametrize(
    ("by", "message"),
    [
        (["class:eggs:wrong=5%"], "no label names this class in mail.csv; there are ham, news, odd, spam"),
        (["class:spam:wrong=150%"], "expected more than 0 and less than 100%"),
        (["class:spam:wrong=0%"], "expected more than 0 and less than 100%"),
        (["class:spam:wrong=many"], "expected a percentage"),
        (["class:spam:wrong=5%", "class:spam:wrong=6%"], "found two budgets, class:spam:wrong=5% and"),
        (["class:odd:wrong=5%"], "has 3 such labels; of fewer than 30 nothing is proven"),
        (["language:la:wrong=5%"], "has 3 such labels; of fewer than 30 nothing is proven"),
        (["language:fr:wrong=5%"], "no label has this value in mail.csv; there are de, en, la"),
        (["language:de:missed=5%"], "only a class can be missed"),
        (["dialect"], "has no such column to divide it by; it has language"),
        (["class:spam=5%"], "COLUMN:VALUE:wrong=5%"),
        (["text"], "has no such column to divide it by"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_said_in_one_sentence(delivery: Delivery, by: list[str], message: str) -> None:
    with pytest.raises(AuditError, match=message):
        plan(delivery, *by)


def test_a_value_may_hold_colons() -> None:
    (budget,) = parse_parts(["source:http://a.b:80:wrong=2.5%"]).budgets
    assert (budget.by, budget.value, budget.share) == ("source", "http://a.b:80", 0.025)
    assert budget.option == "source:http://a.b:80:wrong=2.5%"


def test_of_two_thousand_classes_those_of_one_in_a_hundred_are_bounded(tmp_path: Path) -> None:
    labels = [*(f"c{number}" for number in range(2_000)), *["big"] * 2_500]
    write_csv(tmp_path / "many.csv", [["text", "label"], *([f"text {n}", label] for n, label in enumerate(labels))])
    many = read_delivery(tmp_path / "many.csv")
    assert len(many.classes) == 2_001
    assert [part.value for part in plan(many)] == ["big"]
    with pytest.raises(AuditError, match=r"there are big, c0, c1, .* and 1,989 more"):
        plan(many, "class:c2000:wrong=5%")
    with pytest.raises(AuditError, match="has 1 such labels; of fewer than 30 nothing is proven"):
        plan(many, "class:c7:wrong=5%")


def test_bad_budgets_leave_nothing_behind(make_buyer: Callable[..., Any]) -> None:
    buyer = make_buyer(0)
    for by in ("class:eggs:wrong=5%", "dialect"):
        with pytest.raises(AuditError):
            buyer.run(budget=0.05, by=(by,))
    assert [path.name for path in buyer.delivery.parent.iterdir() if path.name != "audit_record"] == ["delivery.csv"]
