"""Deliveries whose labels are no single class: sets of classes, and numbers with a tolerance."""

import csv
import json
import re
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from cupel.accept.kind_rules import make_rules
from cupel.accept.label_rules import ONE_CLASS
from cupel.accept.plan import Settings
from cupel.commands.accept_delivery import ExitCode, Request, accept_delivery
from cupel.errors import AuditError, SourceError
from cupel.kinds import KINDS
from cupel.kinds.category import CATEGORY
from cupel.kinds.preference import PREFERENCE
from cupel.kinds.questions import QUESTIONS
from made_kinds import MADE_KINDS, NONE, NUMBERS, REPLIES, TOPICS

ALL = (*(kind for kind in KINDS if kind.name != "topics"), *MADE_KINDS)
CLASSES = ("art", "law", "war")
SETS = ("[]", '["law"]', '["art","war"]', '["art","law","war"]')


def deliver(folder: Path, labels: Sequence[str], columns: Sequence[tuple[str, Sequence[str]]] = ()) -> Path:
    path = folder / "delivery.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "text", "label", *(name for name, _ in columns)])
        for number, label in enumerate(labels):
            out.writerow([number, f"text number {number}", label, *(values[number] for _, values in columns)])
    return path


def run(delivery: Path, **options: Any) -> tuple[ExitCode, str]:
    out = StringIO()
    console = Console(file=out, width=200)
    folder = delivery.parent
    named: dict[str, Any] = {"is_suspicious_wanted": False, "scores": folder / "scores", "record": folder / "record"}
    return accept_delivery(Request(delivery, **(named | options)), console, ALL), out.getvalue()


def fill(folder: Path, answer: Any) -> None:
    """Fill in the sheet; `answer` gets the number of the text."""
    path = folder / "delivery.audit/sheet.csv"
    rows = list(csv.reader(StringIO(path.read_text(encoding="utf-8-sig"))))
    for row in rows[1:]:
        row[-1] = answer(int(row[1].rpartition(" ")[2]))
    out = StringIO()
    csv.writer(out).writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8")


def verdict(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "delivery.audit/verdict.json").read_text())
    return found


def test_sets_of_classes_are_bought_and_one_class_too_many_is_wrong(tmp_path: Path) -> None:
    labels = [SETS[number % 4] for number in range(400)]
    delivery = deliver(tmp_path, labels)
    bought = {"kind": "topics", "classes": CLASSES, "budget": 0.2, "audit": 100, "seed": 1}
    code, said = run(delivery, **bought)
    assert code == ExitCode.OPEN
    assert "3 classes: art, law, war" in said
    truth = {"[]": NONE, '["law"]': "LAW", '["art","war"]': "war; art", '["art","law","war"]': '["art","law","war"]'}
    wrong = 0

    def answer(number: int) -> str:
        nonlocal wrong
        if number % 40 == 1:
            wrong += 1
            return "law, art"
        return truth[labels[number]]

    fill(tmp_path, answer)
    assert run(delivery)[0] == ExitCode.ACCEPT
    found = verdict(tmp_path)
    assert (found["wrong"], found["audited"]) == (wrong, 100)
    assert wrong > 0
    assert "Labels are of the kind topics" in found["wording"]
    assert {part["name"]: part["labels"] for part in found["by_class"]} == {
        "art": 200, "law": 200, "war": 200, NONE: 100
    }  # fmt: skip
    assert {row["auditor"] for row in found["send_back"]} == {'["art","law"]'}


def test_numbers_within_the_tolerance_are_right(tmp_path: Path) -> None:
    delivery = deliver(tmp_path, [str(number / 10) for number in range(300)])
    assert run(delivery, kind="numbers", budget=0.2, audit=120, seed=1)[0] == ExitCode.OPEN
    fill(tmp_path, lambda number: str(number / 10 + (0.4 if number % 50 else 3.0)))
    assert run(delivery)[0] == ExitCode.ACCEPT
    found = verdict(tmp_path)
    assert 0 < found["wrong"] == sum(round(float(row["delivered"]) * 10) % 50 == 0 for row in found["send_back"])
    assert found["by_class"] == []


def test_labels_that_the_kind_does_not_know_are_rejected_with_their_reason(tmp_path: Path) -> None:
    delivery = deliver(tmp_path, ['["law"]', '["peace"]', "", '["law","law"]', '["war"]', "war", "[]"])
    _, said = run(delivery, kind="topics", classes=CLASSES, budget=0.5, seed=1)
    assert "7 rows = 4 labels + 3 rejected" in said
    assert "(missing_label; row 4)" in said
    assert "(unknown_label; row 3, 5)" in said


def test_what_is_written_that_is_no_label_is_refused_with_the_choices(tmp_path: Path) -> None:
    delivery = deliver(tmp_path, ['["law"]'] * 30)
    run(delivery, kind="topics", classes=CLASSES, budget=0.2, audit=20, seed=1)
    fill(tmp_path, lambda number: "law; peace")
    with pytest.raises(AuditError, match=r"'law; peace' is no label of the kind topics of: art, law, war, none"):
        run(delivery)
    fill(tmp_path, lambda number: f"law; {NONE}")
    with pytest.raises(AuditError, match="is no label of the kind topics"):
        run(delivery)
    fill(tmp_path, lambda number: "?")
    run(delivery)
    assert verdict(tmp_path)["contested"] == 20


def test_the_page_offers_the_choices_of_the_kind(tmp_path: Path) -> None:
    run(deliver(tmp_path, ['["law"]'] * 30), kind="topics", classes=CLASSES, budget=0.2, audit=20, seed=1)
    page = (tmp_path / "delivery.audit/sheet.html").read_text()
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found is not None
    data = json.loads(found[1])
    assert (data["classes"], data["is_multiple"], data["alone"]) == ([*CLASSES, NONE], True, [NONE])
    assert page.count("function answer(label)") == 2
    assert page.index("is_multiple) {") < page.index("keep();\nshow();\n</script>")


def test_a_column_that_names_one_of_the_classes_is_not_shown(tmp_path: Path) -> None:
    labels = ['["law","war"]', '["art"]'] * 30
    columns = [("folder", ["in war 7", "in art 7"] * 30), ("year", ["2001", "2002", "2003"] * 20)]
    run(deliver(tmp_path, labels, columns), kind="topics", classes=CLASSES, budget=0.2, audit=20, seed=1)
    header = (tmp_path / "delivery.audit/sheet.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == "row,text,year,label"


def test_the_kind_of_a_plan_is_not_changed(tmp_path: Path) -> None:
    delivery = deliver(tmp_path, ['["law"]'] * 30)
    run(delivery, kind="topics", classes=CLASSES, budget=0.2, audit=20, seed=1)
    with pytest.raises(AuditError, match=r"--kind numbers: .*says topics"):
        run(delivery, kind="numbers")
    assert run(delivery, kind="topics")[0] == ExitCode.OPEN


@pytest.mark.parametrize("kind", [CATEGORY, PREFERENCE])
def test_labels_of_one_class_are_judged_as_without_a_kind(kind: Any) -> None:
    assert make_rules(kind, ("first", "second")) is ONE_CLASS


def test_a_plan_about_single_classes_says_nothing_of_kinds(tmp_path: Path) -> None:
    delivery = deliver(tmp_path, ["law", "war", "art"] * 20)
    run(delivery, budget=0.2, audit=20, seed=1)
    plan = json.loads((tmp_path / "delivery.audit/plan.json").read_text())
    not_set = ("kind", "least_overlap", "budgets", "slices", "annotator_columns")
    assert list(plan["settings"]) == [name for name in Settings.model_fields if name not in not_set]


def test_what_a_kind_needs_is_said() -> None:
    with pytest.raises(SourceError, match="name them with --classes"):
        make_rules(TOPICS, ())
    with pytest.raises(SourceError, match="several questions"):
        make_rules(REPLIES._replace(is_same=NUMBERS.is_same), ("a", "b"))
    with pytest.raises(SourceError, match="several questions"):
        make_rules(QUESTIONS, ("a", "b"))


def test_choices_that_hold_every_sign_can_still_be_written_as_a_list() -> None:
    rules = make_rules(TOPICS, ("a, b", "c; d", "e|f", "g"))
    assert rules.read_cell("a, b") == '["a, b"]'
    assert rules.read_cell('["e|f","a, b"]') == '["a, b","e|f"]'
    assert rules.read_cell("g\na, b") == '["a, b","g"]'


def test_each_class_of_a_set_is_a_class_of_its_own_with_bounds_and_budgets(tmp_path: Path) -> None:
    delivery = deliver(tmp_path, ['["law","war"]', '["war"]', "[]"] * 200)
    told = {"kind": "multilabel", "classes": ("art", "law", "war"), "budget": 0.2, "by": ("class:law:wrong=20%",)}
    run(delivery, **told, audit=300, seed=1)
    # Wherever law was named, only war is so.
    fill(tmp_path, lambda number: ('["war"]', '["war"]', "[]")[number % 3])
    code, _ = run(delivery)
    found = verdict(tmp_path)
    bounds = {one["value"]: one for one in found["bounds"]}
    assert (code, found["budgets"][0]["status"]) == (ExitCode.REFUSE, "exceeded")
    assert bounds["law"]["wrong"] == bounds["law"]["audited"] > 0
    assert (bounds["war"]["wrong"], bounds["war"]["missed"], bounds["war"]["labels"]) == (0, 0, 400)
    # That nothing applies is a choice, which can be wrong and missed too.
    assert set(bounds) == {"law", "war", "none of them"}
