import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from media_files import PNG

from cupel.commands.accept_delivery import ExitCode
from cupel.errors import AuditError

Make = Callable[..., Any]


def test_a_plan_says_what_is_awaited_and_is_not_yet_an_acceptance(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    code, printed = buyer.run(budget=0.05)
    assert code == ExitCode.OPEN == 3
    assert "sheet.html" in printed
    assert sorted(path.name for path in buyer.folder.iterdir()) == ["plan.html", "plan.json", "sheet.csv", "sheet.html"]


def test_an_empty_sheet_is_still_awaited_and_nothing_is_written(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    buyer.run(budget=0.05)
    before = {path.name: path.read_bytes() for path in buyer.folder.iterdir()}
    code, printed = buyer.run(budget=0.05)
    assert (code, "awaits" in printed) == (ExitCode.OPEN, True)
    assert {path.name: path.read_bytes() for path in buyer.folder.iterdir()} == before


def test_a_good_delivery_is_accepted_and_a_bad_one_refused(make_buyer: Make) -> None:
    for wrong, expected in ((0, ExitCode.ACCEPT), (300, ExitCode.REFUSE)):
        buyer = make_buyer(wrong, f"d{wrong}.csv")
        buyer.run(budget=0.05)
        buyer.fill()
        code, printed = buyer.run(budget=0.05)
        assert code == expected
        assert expected.name in printed
        assert "at most 5 times in 100" in " ".join(printed.split())


def test_judging_twice_gives_the_same_bytes(make_buyer: Make) -> None:
    buyer = make_buyer(300)
    buyer.run(budget=0.05)
    buyer.fill()
    buyer.run(vendor=None)
    before = {path.name: path.read_bytes() for path in buyer.folder.iterdir()}
    assert buyer.run()[0] == ExitCode.REFUSE
    assert {path.name: path.read_bytes() for path in buyer.folder.iterdir()} == before


def test_a_half_filled_sheet_writes_nothing(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    buyer.run(budget=0.05)
    buyer.fill(answer=lambda number, right: right if number else "")
    with pytest.raises(AuditError, match="row without a label"):
        buyer.run()
    assert sorted(path.name for path in buyer.folder.iterdir()) == ["plan.html", "plan.json", "sheet.csv", "sheet.html"]


def test_the_sheet_of_another_delivery_is_refused(make_buyer: Make) -> None:
    one, other = make_buyer(0, "one.csv"), make_buyer(3, "other.csv")
    for buyer in (one, other):
        buyer.run(budget=0.05)
    with pytest.raises(AuditError, match="a sheet of another audit"):
        one.run(sheet=other.fill())


@pytest.fixture
def opened(make_buyer: Make) -> Any:
    """A delivery with 3% wrong against 5%, whose first look of 60, with two answered wrong, decides nothing."""
    buyer = make_buyer(30)
    buyer.run(budget=0.05, audit=60, seed=2)
    buyer.fill(answer=lambda number, right: right if number > 1 else {"good": "bad", "bad": "good"}[right])
    return buyer


def test_an_open_verdict_draws_only_further_items_and_the_next_look_counts_all(opened: Any) -> None:
    code, printed = opened.run()
    assert (code, "OPEN" in printed) == (ExitCode.OPEN, True)
    verdict = json.loads((opened.folder / "verdict.json").read_text())
    look, more = verdict["next_look"]["look"], verdict["next_look"]["more"]
    later = json.loads((opened.folder / f"plan-{look}.json").read_text())
    first = json.loads((opened.folder / "plan.json").read_text())
    assert len(later["drawn"]) == more
    assert not set(later["drawn"]) & set(first["drawn"])
    assert later["size"] == first["sizes"][look - 1]
    opened.fill(f"sheet-{look}.csv")
    opened.run()
    last = json.loads((opened.folder / f"verdict-{look}.json").read_text())
    assert last["audited"] == first["size"] + more
    assert last["wrong"] >= verdict["wrong"]
    assert (last["attempt"], last["alpha"]) == (2, 0.005)


def test_what_was_judged_is_not_judged_again_with_other_answers(opened: Any) -> None:
    opened.run()
    before = (opened.folder / "verdict.json").read_bytes()
    copy = opened.fill()
    with pytest.raises(AuditError, match="answers are never changed"):
        opened.run(sheet=copy)
    assert (opened.folder / "verdict.json").read_bytes() == before


def test_what_an_earlier_look_found_cannot_be_taken_back_before_the_next(opened: Any) -> None:
    opened.run()
    look = json.loads((opened.folder / "verdict.json").read_text())["next_look"]["look"]
    opened.fill(f"sheet-{look}.csv")
    path = opened.folder / "answers.json"
    answers = json.loads(path.read_text())
    path.write_text(json.dumps(dict.fromkeys(answers)))
    with pytest.raises(AuditError, match="was not judged by the answers that are kept of it now"):
        opened.run()
    assert not (opened.folder / f"verdict-{look}.json").exists()
    path.write_text(json.dumps(answers))
    opened.run()
    assert (opened.folder / f"verdict-{look}.json").exists()


def test_the_first_sheet_given_again_says_what_is_awaited(opened: Any) -> None:
    opened.run()
    code, printed = opened.run(sheet=opened.folder / "sheet.csv")
    assert code == ExitCode.OPEN
    assert "awaits" in printed


def test_a_call_killed_after_its_answers_were_kept_is_made_good_by_the_next(opened: Any) -> None:
    opened.run()
    for path in opened.folder.glob("*-*"):
        path.unlink()
    opened.run()
    assert list(opened.folder.glob("plan-*.json"))


@pytest.mark.parametrize(
    "options",
    [{"budget": 0.1}, {"audit": 3}, {"seed": 4}, {"contested": "wrong"}, {"label": "worker"}, {"classes": ("a", "b")},
     {"at_most": 900}],
)  # fmt: skip
def test_what_the_plan_fixed_cannot_be_decided_otherwise_later(opened: Any, options: dict[str, Any]) -> None:
    with pytest.raises(AuditError, match="a plan is not changed"):
        opened.run(**options)


def test_the_same_options_again_are_fine(opened: Any) -> None:
    assert opened.run(budget=0.05, audit=60, seed=2, contested="aside", label="label")[0] == ExitCode.OPEN


def test_a_budget_and_a_plan_are_needed_first(make_buyer: Make, tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="--budget 1%"):
        make_buyer(0).run()
    with pytest.raises(AuditError, match="no audit of"):
        make_buyer(0).run(budget=0.05, sheet=tmp_path / "x.csv")


def test_machines_get_the_verdict_and_null_while_it_is_awaited(make_buyer: Make, tmp_path: Path) -> None:
    buyer, path = make_buyer(0), tmp_path / "verdict.json"
    buyer.run(budget=0.05, json_file=path)
    assert json.loads(path.read_text())["verdict"] is None
    buyer.fill()
    buyer.run(json_file=path)
    assert json.loads(path.read_text())["verdict"] == "ACCEPT"


def test_pictures_are_copied_under_codes_that_tell_nothing(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    folder = buyer.delivery.parent
    for label in ("cat", "dog"):
        (folder / label).mkdir()
        for number in range(20):
            (folder / label / f"{number}.PNG").write_bytes(PNG + f"{label}{number}".encode())
    rows = [f"{label}/{number}.PNG,{label}" for label in ("cat", "dog") for number in range(20)]
    buyer.delivery.write_text("\n".join(["image,label", *rows]))
    buyer.run(budget=0.05)
    sheet = (buyer.folder / "sheet.csv").read_text(encoding="utf-8-sig")
    page = (buyer.folder / "sheet.html").read_text()
    items = sorted(f"items/{path.name}" for path in (buyer.folder / "items").iterdir())
    assert [line.split(",")[1] for line in sheet.splitlines()[1:]] == items
    assert "cat/" not in sheet + page


def test_a_label_studio_export_goes_through_both_calls(make_buyer: Make, tmp_path: Path) -> None:
    tasks = [
        {"id": n, "data": {"text": f"text {n}"}, "annotations": [
            {"completed_by": 1, "result": [{"from_name": "q", "type": "choices",
                                            "value": {"choices": [("bad", "good")[n % 2]]}}]}]}
        for n in range(60)
    ]  # fmt: skip
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks))
    buyer = make_buyer(0)._replace(delivery=path)
    buyer.run(budget=0.05, label="q")
    buyer.fill()
    assert buyer.run(label="q")[0] == ExitCode.ACCEPT


def deliver_files(buyer: Any) -> Path:
    """Write a delivery whose cells name a picture and much that is none; return its folder."""
    folder: Path = buyer.delivery.parent
    (folder / "cat.png").write_bytes(PNG)
    (folder / ".env").write_text("API_KEY=1")
    (folder / "notes.txt").write_text("not for others")
    named = ["cat.png", ".env", "notes.txt", buyer.delivery.name, "missing.png", "https://x.org/1.png"]
    rows = [f"{name},{label},{n}" for n, (name, label) in enumerate(zip(named * 4, ["a", "b"] * 12, strict=True))]
    buyer.delivery.write_text("\n".join(["text,label,id", *rows]) + "\n")
    return folder


def test_only_media_go_to_the_auditor(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    deliver_files(buyer)
    buyer.run(budget=0.5, audit=24)
    copies = {path.suffix: path.read_bytes() for path in (buyer.folder / "items").iterdir()}
    assert copies == {".png": PNG}
    page = (buyer.folder / "sheet.html").read_text()
    assert page.count('"file":null') == 24
    assert page.count('"picture":"items/') == 4
    assert "API_KEY" not in "".join(path.read_text() for path in buyer.folder.glob("*.*"))


def test_what_was_copied_and_what_was_not_is_told_before_the_sheet_goes_out(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    deliver_files(buyer)
    for printed in (buyer.run(budget=0.5, audit=24)[1], buyer.run()[1]):
        told, sheet = printed.split("The sheet awaits its answers")
        assert f"4 media files, {4 * len(PNG) / 1000:.1f} kB: cat.png, cat.png, cat.png, cat.png\n" in told
        for reason, name in (("hidden", ".env"), ("no image", "notes.txt"), ("the delivery itself", "delivery.csv"),
                             ("no such file", "missing.png")):  # fmt: skip
            (line,) = (line for line in told.splitlines() if line.startswith(f"Not copied, {reason}"))
            assert line.endswith(f"4 named in the items: {name}, {name}, {name}, {name}")
        assert "x.org" not in told
        assert "sheet.csv" in sheet


def test_a_later_look_copies_no_more_than_the_first_one_would(make_buyer: Make) -> None:
    buyer = make_buyer(0)
    folder = buyer.delivery.parent
    rows = []
    for number in range(400):
        (folder / f"{number}.png").write_bytes(PNG if number % 2 else b"API_KEY=1")
        rows.append(f"{number}.png,{'ab'[number % 2]},{number}")
    buyer.delivery.write_text("\n".join(["text,label,id", *rows]) + "\n")
    buyer.run(budget=0.1, audit=30, seed=3)
    sheet = buyer.folder / "sheet.csv"
    lines = sheet.read_text(encoding="utf-8-sig").splitlines()
    sheet.write_text(
        "\n".join(
            [lines[0], *(f"{line}{'b' if 'items/' in line and n > 2 else 'a'}" for n, line in enumerate(lines[1:]))]
        )
    )
    code, printed = buyer.run()
    assert code == ExitCode.OPEN
    assert "Copied for the auditor" in printed
    assert all(path.read_bytes() == PNG for path in (buyer.folder / "items").iterdir())
    assert len(list((buyer.folder / "items").iterdir())) > 15
