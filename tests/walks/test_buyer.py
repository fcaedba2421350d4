"""The label buyer's walk: a delivery comes, an audit refuses it, it goes back, and the next one is accepted."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.walks

CUPEL = Path(sys.executable).parent / "cupel"
CLASSES = ("bad", "good")
LABELS, WRONG = 3_000, 180
PLANNED, ACCEPTED, REFUSED = 3, 0, 4


class BuyersDesk:
    """A folder with deliveries; what the buyer's auditor holds for right is known."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.right = {f"text {number}": CLASSES[number % 2] for number in range(LABELS)}

    def deliver(self, name: str, wrong: int) -> None:
        """Put a vendor's file on the desk, of which the first so many labels are wrong."""
        with (self.folder / name).open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["id", "text", "label"])
            for number in range(LABELS):
                writer.writerow([f"i{number}", f"text {number}", CLASSES[(number + (number < wrong)) % 2]])

    def accept(self, name: str, code: int) -> str:
        """Run the buyer's command, and return what it says on the terminal."""
        words = [CUPEL, "accept", name, "--budget", "2%", "--seed", "7", "--vendor", "acme", "--no-suspicious"]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def fill_in(self, name: str) -> list[dict[str, str]]:
        """Let the auditor fill in the sheet; return it as it was sent to the auditor."""
        sheet = self.folder / f"{Path(name).stem}.audit" / "sheet.csv"
        with sheet.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        with sheet.open("w", newline="") as file:
            filled = csv.DictWriter(file, list(rows[0]))
            filled.writeheader()
            filled.writerows({**row, "label": self.right[row["text"]]} for row in rows)
        return rows


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> BuyersDesk:
    return BuyersDesk(tmp_path_factory.mktemp("desk"))


def test_the_first_call_says_what_an_audit_costs_and_writes_a_blind_sheet(desk: BuyersDesk) -> None:
    desk.deliver("may.csv", WRONG)
    said = desk.accept("may.csv", PLANNED)
    assert f"of {LABELS:,} labels against a budget of 2% wrong" in " ".join(said.split())
    assert (desk.folder / "may.audit" / "plan.html").is_file()
    rows = desk.fill_in("may.csv")
    assert {row["label"] for row in rows} == {""}
    assert not {row["text"] for row in rows} - set(desk.right)


def test_the_second_call_refuses_and_lists_what_goes_back(desk: BuyersDesk) -> None:
    said = desk.accept("may.csv", REFUSED)
    assert "REFUSE" in said
    verdict = json.loads((desk.folder / "may.audit" / "verdict.json").read_text())
    assert verdict["verdict"] == "REFUSE"
    with (desk.folder / "may.audit" / "send_back.csv").open(encoding="utf-8-sig", newline="") as file:
        back = list(csv.DictReader(file))
    assert len(back) > 0
    assert {int(row["item_id"][1:]) < WRONG for row in back} == {True}
    assert f"{len(back)} wrong" in " ".join(said.split())


def test_the_mended_delivery_is_known_again_and_accepted(desk: BuyersDesk) -> None:
    desk.deliver("june.csv", 0)
    with (desk.folder / "may.audit" / "send_back.csv").open(encoding="utf-8-sig", newline="") as file:
        back = len(list(csv.DictReader(file)))
    planned = " ".join(desk.accept("june.csv", PLANNED).split())
    assert f"Of {back} items sent back after may.csv" in planned
    assert f"{back} come again: {back} with another label" in planned
    desk.fill_in("june.csv")
    said = desk.accept("june.csv", ACCEPTED)
    assert "ACCEPT" in said
    verdict = json.loads((desk.folder / "june.audit" / "verdict.json").read_text())
    assert [(one["changed"], one["unchanged"]) for one in verdict["returned"]] == [(back, [])]


def test_the_vendors_page_keeps_score_of_both(desk: BuyersDesk) -> None:
    page = (desk.folder / "vendor_scores.html").read_text()
    assert "acme" in page
    assert "://" not in page
