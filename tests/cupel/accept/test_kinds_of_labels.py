"""A buyer's audit of labels whose kind says which are the same."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from cupel.accept.plan import Settings
from cupel.commands.accept_delivery import ExitCode, Request, accept_delivery
from cupel.contract.kind import Kind
from cupel.errors import AuditError
from cupel.kinds import KINDS
from label_buyer import read_csv, write_csv
from toy_kind import TOY

CLASSES = tuple("0123456")


def deliver(folder: Path, off: int, words: int = 0) -> Path:
    """Write 1,000 numbers that are all `off` from what is true of their text, and some words that are no numbers."""
    rows = [["id", "text", "label"], *([f"w{number}", "a word", "warm"] for number in range(words))]
    rows += [[f"i{number}", f"text {number}", f" {number % 3 + 1 + off}.0"] for number in range(1000)]
    write_csv(folder / "numbers.csv", rows)
    return folder / "numbers.csv"


def run(path: Path, kinds: Sequence[Kind] = TOY.kinds, **options: object) -> tuple[ExitCode, str]:
    out = io.StringIO()
    request = Request(path, is_suspicious_wanted=False, record=path.parent / "record", **options)  # type: ignore[arg-type]
    return accept_delivery(request, Console(file=out, width=200), kinds), out.getvalue()


def fill(path: Path) -> None:
    sheet = path.parent / "numbers.audit" / "sheet.csv"
    rows = read_csv(sheet)
    for row in rows[1:]:
        row[-1] = str(int(row[1].removeprefix("text ")) % 3 + 1)
    write_csv(sheet, rows)


@pytest.mark.parametrize(("off", "code"), [(0, ExitCode.ACCEPT), (1, ExitCode.ACCEPT), (2, ExitCode.REFUSE)])
def test_a_label_is_wrong_where_the_kind_says_so(off: int, code: ExitCode, tmp_path: Path) -> None:
    path = deliver(tmp_path, off)
    assert run(path, budget=0.05, kind="number", classes=CLASSES, seed=1)[0] == ExitCode.OPEN
    fill(path)
    assert run(path)[0] == code


def test_what_is_no_label_of_the_kind_is_rejected(tmp_path: Path) -> None:
    said = run(deliver(tmp_path, 0, words=3), budget=0.05, kind="number", classes=CLASSES)[1]
    assert "1,000 labels" in said
    assert "3" in said.split("the label is no")[0]


def test_without_a_kind_a_plan_holds_nothing_of_one() -> None:
    given = {"error_budget": 0.05, "label_column": "l", "id_column": None, "text_column": None,
             "annotator_column": None, "classes": ("a", "b")}  # fmt: skip
    assert "kind" not in Settings.model_validate(given).model_dump_json()
    assert Settings.model_validate({**given, "kind": "number"}).model_dump()["kind"] == "number"


def test_a_kind_that_is_not_there_or_cannot_be_asked_for_is_refused(tmp_path: Path) -> None:
    path = deliver(tmp_path, 0)
    with pytest.raises(AuditError, match="no label kind 'number'; known here: category"):
        run(path, KINDS, budget=0.05, kind="number", classes=CLASSES)
    with pytest.raises(AuditError, match="name them with --classes"):
        run(path, budget=0.05, kind="number")


def test_another_kind_than_the_plans_is_refused(tmp_path: Path) -> None:
    path = deliver(tmp_path, 0)
    run(path, budget=0.05, kind="number", classes=CLASSES)
    with pytest.raises(AuditError, match="a plan is not changed once the sheet is drawn"):
        run(path, kind="category")
