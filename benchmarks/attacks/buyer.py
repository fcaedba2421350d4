"""A buyer of labels who calls `cupel accept`: deliveries, sheets and auditors."""

import csv
import io
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console

from benchmarks.attacks.target import OTHER, Item, Target, make_items
from cupel.accept.folder import PLAN, folder_of
from cupel.commands.accept_delivery import accept_delivery
from cupel.commands.accept_request import ExitCode, Request
from cupel.store.local import LocalStore

LABELS = 600
WRONG_SHARE = 0.2
BUDGET = 0.05
HEADER = ["id", "text", "label"]
Answer = Callable[[str], str]


class Reply(NamedTuple):
    """What a call of `cupel accept` came to."""

    code: ExitCode
    words: str


class Buyer(NamedTuple):
    """Who accepts deliveries, in a folder that holds the record of audits and the vendors' scores.

    `truth` knows the right label of each text.
    """

    folder: Path
    items: tuple[Item, ...]

    @property
    def rows(self) -> list[list[str]]:
        """The delivery that is refused: so many of its labels are wrong."""
        rng = random.Random(4)
        wrong = set(rng.sample(range(LABELS), int(WRONG_SHARE * LABELS)))
        return [
            [item.item_id, item.text, OTHER[item.truth] if place in wrong else item.truth]
            for place, item in enumerate(self.items)
        ]

    def write(self, name: str, rows: Sequence[Sequence[str]], header: Sequence[str] = tuple(HEADER)) -> Path:
        """Write a delivery."""
        out = io.StringIO()
        csv.writer(out).writerows([header, *rows])
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(out.getvalue())
        return path

    def accept(self, delivery: Path, **options: Any) -> Reply:
        """Call `cupel accept` on a delivery."""
        out = io.StringIO()
        places = {"record": self.folder / "audit_record", "scores": self.folder / "vendor_scores"}
        request = Request(delivery, **{"is_suspicious_wanted": False, "vendor": "Acme", **places, **options})
        code = accept_delivery(request, Console(file=out, width=200, highlight=False))
        return Reply(code, out.getvalue())

    def plan(self, delivery: Path, **options: Any) -> dict[str, Any]:
        """Plan the audit of a delivery; return the plan."""
        self.accept(delivery, **{"budget": BUDGET, "text": "text", "id": "id", "label": "label", **options})
        plan: dict[str, Any] = json.loads(LocalStore(folder_of(delivery)).read(PLAN))
        return plan

    def judge(self, delivery: Path, answer: Answer, **options: Any) -> Reply:
        """Fill in the sheets as far as they are asked for, and let the delivery be judged."""
        reply = Reply(ExitCode.OPEN, "")
        for look in range(1, 9):
            name = "sheet.csv" if look == 1 else f"sheet-{look}.csv"
            sheet = folder_of(delivery) / name
            if reply.code != ExitCode.OPEN or not sheet.is_file():
                break
            fill_sheet(sheet, answer)
            reply = self.accept(delivery, **options)
        return reply

    def be_honest(self, text: str) -> str:
        """Return the right label of a text."""
        return next(item.truth for item in self.items if item.text == text)


def fill_sheet(sheet: Path, answer: Answer) -> None:
    """Write an auditor's answers into a sheet."""
    rows = list(csv.reader(sheet.read_text(encoding="utf-8-sig").splitlines()))
    place = rows[0].index("text")
    for row in rows[1:]:
        row[-1] = answer(row[place])
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    sheet.write_text(out.getvalue(), encoding="utf-8")


def make_buyer(target: Target) -> Buyer:
    """Return a buyer with an empty folder."""
    return Buyer(target.folder / "accept", tuple(make_items(LABELS, seed=7)))
