"""The label buyer's command with budgets by class and slice."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from cupel.cli import main
from cupel.commands.accept_delivery import ExitCode
from cupel.errors import AuditError

Make = Callable[..., Any]
GOOD = "class:good:wrong=4%"


@pytest.fixture
def opened(make_buyer: Make) -> Any:
    """A delivery whose first look, with two labels good answered bad, leaves the budget of good ones open."""
    buyer = make_buyer(0)
    buyer.run(budget=0.05, by=(GOOD,), seed=1)
    changed: list[str] = []

    def answer(_: int, right: str) -> str:
        if right == "good" and len(changed) < 7:
            changed.append(right)
            return "bad"
        return right

    buyer.fill(answer=answer)
    return buyer


def test_a_budget_that_is_open_is_followed_by_a_look_and_then_accepted(opened: Any) -> None:
    assert opened.run()[0] == ExitCode.OPEN
    first = json.loads((opened.folder / "verdict.json").read_text())
    assert [one["status"] for one in first["budgets"]] == ["unproven"]
    look = first["next_look"]["look"]
    later = json.loads((opened.folder / f"plan-{look}.json").read_text())
    assert 0 < len(later["drawn"]) <= first["next_look"]["more"]
    opened.fill(f"sheet-{look}.csv")
    code, printed = opened.run()
    assert (code, "Upper bounds by delivered class" in printed) == (ExitCode.ACCEPT, True)
    # Judged again without a new sheet, it comes to the same.
    before = (opened.folder / f"verdict-{look}.json").read_bytes()
    assert opened.run()[0] == ExitCode.ACCEPT
    assert (opened.folder / f"verdict-{look}.json").read_bytes() == before


def test_parts_cannot_be_asked_for_otherwise_once_the_sheet_is_drawn(opened: Any) -> None:
    for by in (("class:good:wrong=5%",), ("worker",), (GOOD, "worker")):
        with pytest.raises(AuditError, match="a plan is not changed"):
            opened.run(by=by)
    assert opened.run(by=(GOOD,))[0] == ExitCode.OPEN


@pytest.mark.parametrize(("key", "value"), [("drawn", 1), ("labels", 7)])
def test_a_part_of_a_plan_cannot_be_edited(opened: Any, key: str, value: int) -> None:
    path = opened.folder / "plan.json"
    plan = json.loads(path.read_text())
    plan["parts"][1][key] = value
    path.write_text(json.dumps(plan))
    with pytest.raises(AuditError, match="was altered"):
        opened.run()


def test_a_later_look_cannot_be_made_smaller(opened: Any) -> None:
    opened.run()
    (path,) = opened.folder.glob("plan-*.json")
    plan = json.loads(path.read_text())
    plan["parts"] = [[0, 0] for _ in plan["parts"]]
    path.write_text(json.dumps(plan))
    with pytest.raises(AuditError, match="was altered"):
        opened.run()


def test_another_budget_of_the_same_delivery_is_another_attempt(make_buyer: Make) -> None:
    one, other = make_buyer(0), make_buyer(0, "copy.csv")
    one.run(budget=0.05, by=(GOOD,))
    other.run(budget=0.05)
    assert json.loads((other.folder / "plan.json").read_text())["attempt"] == 2


def test_what_is_only_planned_leaves_nothing_behind(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    code, printed = buyer.run(budget=0.05, by=(GOOD,), is_only_planned=True)
    assert (code, GOOD in printed, "nothing is frozen" in printed) == (ExitCode.OPEN, True, True)
    assert [path.name for path in buyer.delivery.parent.iterdir()] == ["delivery.csv"]


def test_a_limit_that_the_budgets_would_break_is_said_before_the_draw(make_buyer: Make) -> None:
    with pytest.raises(AuditError, match="allow as many, or leave a budget out"):
        make_buyer(0).run(budget=0.05, by=(GOOD,), audit=100, at_most=110)


def test_the_command_line_takes_several_parts(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    options = ["--budget", "5%", "--by", GOOD, "--by", "worker", "--record", str(buyer.delivery.parent / "record")]
    found = CliRunner().invoke(main, ["accept", str(buyer.delivery), *options])
    assert found.exit_code == ExitCode.OPEN, found.output
    settings = json.loads((buyer.folder / "plan.json").read_text())["settings"]
    assert (settings["slices"], settings["budgets"][0]["share"]) == (["worker"], 0.04)
