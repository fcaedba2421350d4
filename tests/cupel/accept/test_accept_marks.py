"""A buyer's audit of labels that are marks: right within an overlap, wrong where one is missing, invented or off."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from cupel.accept.folder import read_plan
from cupel.commands.accept_delivery import ExitCode, Request, accept_delivery
from cupel.errors import AuditError
from cupel.kinds import KINDS
from cupel.store.local import LocalStore
from label_buyer import read_csv, write_csv

AT = 14  # where the drug begins in each text


def span(start: int, end: int) -> str:
    return json.dumps([{"class": "drug", "start": start, "end": end}])


def deliver(folder: Path) -> Path:
    rows = [["id", "text", "label"]]
    rows += [[f"i{number}", f"patient {number:05d} took aspirin", span(AT, AT + 7)] for number in range(600)]
    write_csv(folder / "notes.csv", rows)
    return folder / "notes.csv"


def run(path: Path, **options: object) -> tuple[ExitCode, str]:
    out = io.StringIO()
    request = Request(path, is_suspicious_wanted=False, record=path.parent / "record", **options)  # type: ignore[arg-type]
    return accept_delivery(request, Console(file=out, width=400), KINDS), out.getvalue()


def fill(path: Path, answer: str) -> None:
    sheet = path.parent / "notes.audit" / "sheet.csv"
    rows = read_csv(sheet)
    for row in rows[1:]:
        row[-1] = answer
    write_csv(sheet, rows)


@pytest.mark.parametrize(
    ("least", "answer", "code"),
    [
        (None, span(AT, AT + 14), ExitCode.ACCEPT),  # IoU 7 / 14
        (None, span(AT, AT + 15), ExitCode.REFUSE),
        (0.75, span(AT, AT + 10), ExitCode.REFUSE),  # IoU 7 / 10
        (0.7, span(AT, AT + 10), ExitCode.ACCEPT),
        (None, "[]", ExitCode.REFUSE),
    ],
)
def test_marks_are_wrong_from_the_overlap_on_that_the_buyer_names(
    least: float | None, answer: str, code: ExitCode, tmp_path: Path
) -> None:
    path = deliver(tmp_path)
    assert run(path, budget=0.05, kind="spans", classes=("drug",), least_overlap=least, seed=1)[0] == ExitCode.OPEN
    assert read_plan(LocalStore(path.parent / "notes.audit")).settings.least_overlap == (least or 0.5)
    fill(path, answer)
    found, said = run(path)
    assert found == code
    assert f"overlaps it by {least or 0.5:g} or more" in said


def test_the_overlap_stays_what_it_was_when_the_sheet_was_drawn(tmp_path: Path) -> None:
    path = deliver(tmp_path)
    run(path, budget=0.05, kind="spans", classes=("drug",), least_overlap=0.75)
    with pytest.raises(AuditError, match=r"--least-overlap 0\.5: .* a plan is not changed once the sheet is drawn"):
        run(path, least_overlap=0.5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "spans"}, "--kind spans: name the classes that a mark may have with --classes"),
        ({"least_overlap": 0.5}, "--least-overlap goes with --kind"),
        ({"kind": "multilabel", "classes": ("a", "b"), "least_overlap": 0.5}, "labels of kind multilabel are no marks"),
    ],
)
def test_what_does_not_go_together_is_refused(options: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(AuditError, match=said):
        run(deliver(tmp_path), budget=0.05, **options)
