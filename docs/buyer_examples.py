"""The made-up deliveries of the page on accepting labels, and what the commands print of them."""

import csv
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

from click.testing import CliRunner

from cupel.cli import main

SEED = "7"
WIDTH = "80"
REVIEWS, MAIL = 5_000, {"ham": 3_397, "news": 2_243, "spam": 360}
# Of the mail labels that are wrong, by what they say: 165 of 6,000, and 87 of the 360 that say spam.
WRONG_MAIL = {"ham": 52, "news": 26, "spam": 87}
TRUTH = {"ham": "news", "news": "ham", "spam": "ham"}
# The first that say ham are spam.
MISSED = 6
BY = ("--by", "class:spam:wrong=5%", "--by", "class:spam:missed=15%")


def make_examples(folder: Path) -> dict[str, str]:
    """Return what the commands print, by the name that the page knows it by.

    Args:
        folder: An empty folder to work in.
    """
    folder.mkdir(exist_ok=True)
    right = _write_mail(folder / "mail.csv")
    _write_mail(folder / "again" / "mail.csv")
    _write_reviews(folder / "reviews.csv", 0)
    _write_reviews(folder / "corrected.csv", 1)
    reviews = ("--budget", "1%", "--vendor", "acme", "--price", "0.05", "--expert-price", "0.40", "--seed", SEED)
    printed = {}
    with chdir(folder):
        printed["plan of reviews"] = _accept("reviews.csv", *reviews)
        printed["audited before"] = _accept("corrected.csv", "--budget", "1%", "--plan-only")
        mail = ("--budget", "5%", "--audit", "800")
        _accept("mail.csv", *mail, "--seed", SEED, "--record", "first_record")
        _fill(Path("mail.audit/sheet.csv"), right)
        printed["verdict on mail"] = _accept("mail.csv", "--record", "first_record", "--no-suspicious")
    with chdir(folder / "again"):
        printed["plan of mail by class"] = _accept("mail.csv", *mail, *BY, "--plan-only")
        _accept("mail.csv", *mail, *BY, "--seed", SEED)
        _fill(Path("mail.audit/sheet.csv"), right)
        printed["verdict on mail by class"] = _accept("mail.csv", "--no-suspicious")
    return printed


def _accept(*words: str) -> str:
    done = CliRunner(env={"COLUMNS": WIDTH}).invoke(main, ["accept", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.output


def _write_reviews(path: Path, changed: int) -> None:
    rows = [(f"r{n}", f"review number {n} of a shop", ("good", "bad")[(n + (n < changed)) % 2]) for n in range(REVIEWS)]
    _write(path, [("id", "text", "label"), *rows[:-1], (*rows[-1][:2], "")])


def _write_mail(path: Path) -> dict[str, str]:
    """Write the delivery; return what is true of each text."""
    rows, right = [], {}
    for label, number in MAIL.items():
        for place in range(number):
            text = f"{label} message number {place}"
            rows.append((f"{label}{place}", text, label))
            truth = "spam" if label == "ham" and place < MISSED else TRUTH[label]
            right[text] = truth if place < WRONG_MAIL[label] else label
    _write(path, [("id", "text", "label"), *rows])
    return right


def _fill(sheet: Path, right: dict[str, str]) -> None:
    with sheet.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    _write(sheet, [rows[0], *([*row[:-1], right[row[1]]] for row in rows[1:])])


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
