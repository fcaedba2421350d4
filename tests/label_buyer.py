"""A delivery with known errors, its auditor, and the buyer who runs the command."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.console import Console

from cupel.commands.accept_delivery import ExitCode, Request, accept_delivery

TRUE_LABELS = ("bad", "good")


class Buyer(NamedTuple):
    """A delivery of 1,000 labels of which the first `wrong` are wrong; `right` says what is true of a text."""

    delivery: Path
    right: dict[str, str]

    @property
    def folder(self) -> Path:
        return self.delivery.parent / f"{self.delivery.stem}.audit"

    def run(self, **options: object) -> tuple[ExitCode, str]:
        out = io.StringIO()
        request = Request(
            self.delivery,
            **({"is_suspicious_wanted": False, "record": self.delivery.parent / "audit_record"} | options),
        )  # type: ignore[arg-type]
        code = accept_delivery(request, Console(file=out, width=200))
        return code, out.getvalue()

    def fill(self, sheet: str = "sheet.csv", answer: Callable[[int, str], str] | None = None) -> Path:
        path = self.folder / sheet
        rows = read_csv(path)
        for number, row in enumerate(rows[1:]):
            row[-1] = answer(number, self.right[row[1]]) if answer else self.right[row[1]]
        write_csv(path, rows)
        return path


def read_csv(path: Path) -> list[list[str]]:
    return list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))


def write_csv(path: Path, rows: list[list[str]], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)


@pytest.fixture
def make_buyer(tmp_path: Path) -> Callable[..., Buyer]:
    def make(wrong: int, name: str = "delivery.csv", labels: int = 1000) -> Buyer:
        path, right = tmp_path / name, {}
        rows = [["id", "text", "label", "worker"]]
        for number in range(labels):
            text, truth = f"text {number}", TRUE_LABELS[number % 2]
            right[text] = truth
            delivered = TRUE_LABELS[(number + 1) % 2] if number < wrong else truth
            rows.append([f"i{number}", text, delivered, "ann" if number < labels / 2 else "bob"])
        write_csv(path, rows)
        return Buyer(path, right)

    return make
