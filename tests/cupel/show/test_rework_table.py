import csv
import io
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from cupel.figures import UNKNOWN
from cupel.lake.lake import Lake
from cupel.lake.send_back_log import SendBack
from cupel.release.facts import BatchFacts, batch_facts
from cupel.release.rework import ReworkCount
from cupel.show.people_views import rework_rows, send_back_rows
from cupel.show.rework_table import rework_csv, show_rework

ANN = ReworkCount("annotator", "ann", 5, 5, 4, 2, 1, 40, 36, 0.7634, 0.9721, 10, 4)
NEW = ReworkCount("annotator", "=new", 0, 0, 0, 0, 0, 0, 0, None, None, 0, 0)
NORTH = ReworkCount("vendor", "north", 5, 5, 4, 2, 1, 40, 30, None, None, 10, 4)


def facts(folder: Path, *counts: ReworkCount) -> BatchFacts:
    return replace(batch_facts(Lake(folder, "small"), "one"), rework=list(counts))


def test_vendors_stand_first_and_each_figure_has_its_denominator(tmp_path: Path) -> None:
    first, second, third = rework_rows(facts(tmp_path, NEW, ANN, NORTH))
    assert (first["who"], first["is_vendor"], second["who"], third["who"]) == ("north", True, "ann", "=new")
    assert second["accepted"] == "90.0% (76.3% to 97.2%), 36 of 40"
    assert (second["adjudicated"], second["sent_back"], second["reworked"], second["right"]) == (
        "4 of 10", "5 (5 answers)", "4 of 5", "1 of 2"
    )  # fmt: skip
    # An audit that is no plain random sample has a share and no interval.
    assert first["accepted"] == "75.0%, 30 of 40"
    assert third["accepted"] == third["right"] == UNKNOWN


def test_the_terminal_shows_all_and_says_where_there_is_nothing(tmp_path: Path) -> None:
    out = io.StringIO()
    many = [NEW._replace(name=f"w{number}", audited=1) for number in range(30)]
    show_rework(Console(file=out, width=200), facts(tmp_path, NORTH, *many))
    assert "north, vendor" in out.getvalue()
    assert "w29" in out.getvalue()
    show_rework(Console(file=out, width=200), facts(tmp_path))
    assert "one: nothing was sent back, and experts have checked nothing" in out.getvalue()


def test_the_csv_has_a_row_each_and_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(rework_csv({"one": [ANN, NEW]}).decode())))
    assert [(row["batch"], row["name"], row["audited"], row["accepted_low"]) for row in rows] == [
        ("one", "ann", "40", "0.7634"), ("one", "'=new", "0", "")
    ]  # fmt: skip


def test_send_backs_are_told_the_last_first_with_whom_they_concern(tmp_path: Path) -> None:
    first = SendBack("one", ("a", "b"), "rule 4", "lea", "a.csv", (), ("dan",), 7, (), "2026-11-29T10:00:00+00:00")
    last = first._replace(item_ids=("c",), annotators=("ann",), to=(), at="2026-11-30T10:00:00+00:00")
    rows = send_back_rows(replace(facts(tmp_path), send_backs=[first, last]))
    assert [(row["at"], row["items"], row["of"], row["to"]) for row in rows] == [
        ("2026-11-30", "1", "ann", "anybody"), ("2026-11-29", "2", "everybody", "dan")
    ]  # fmt: skip
