import io
from pathlib import Path

from rare_class import RareClass
from rich.console import Console

from cupel.show.delivery_parts import format_bound, show_part_plan, show_parts_verdict
from cupel.show.delivery_verdict import verdict_page


def print_parts(*shown: object) -> str:
    console = Console(file=io.StringIO(), width=140, force_terminal=False)
    for one in shown:
        show_parts_verdict(console, one) if hasattr(one, "bounds") else show_part_plan(console, one)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_bound_is_rounded_up_and_what_is_not_shown_is_unproven() -> None:
    assert (format_bound(0.100001), format_bound(None)) == ("10.1%", "unproven")


def test_terminal_and_page_show_the_same_bounds_and_budgets(tmp_path: Path) -> None:
    mail = RareClass(tmp_path)
    plan = mail.plan(1, "class:spam:wrong=5%", "site")
    verdict = mail.judge(plan)
    printed, page = print_parts(plan, verdict), verdict_page(verdict).decode()
    for words in ("exceeded", "Upper bounds by delivered class", "Upper bounds by site",
                  *(format_bound(one.wrong_upper) for one in verdict.bounds)):  # fmt: skip
        assert words in printed
        assert words in page
    assert "class:spam:wrong=5%" in printed
    assert "about" in printed


def test_names_of_parts_are_text_on_the_terminal_and_on_the_page(tmp_path: Path) -> None:
    verdict = RareClass(tmp_path).judge(RareClass(tmp_path).plan(1, "class:spam:wrong=5%"))
    hostile = "[red]<b>\x1b[31m"
    changed = verdict.model_copy(
        update={
            "bounds": tuple(one.model_copy(update={"value": hostile}) for one in verdict.bounds),
            "budgets": tuple(one.model_copy(update={"value": hostile}) for one in verdict.budgets),
        }
    )
    assert "[red]<b>" in print_parts(changed)
    assert "\x1b" not in print_parts(changed)
    assert "<b>\x1b" not in verdict_page(changed).decode()
