"""What the report says of annotators and vendors."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from crowds import CLASSES, Crowd
from cupel.lake.annotator_actions import Action
from cupel.lake.lake import Lake
from cupel.people.annotators.annotators import annotators
from cupel.people.annotators.findings import findings
from cupel.people.annotators.vendors import vendors
from cupel.release.facts import batch_facts
from cupel.show.people_views import finding_rows, vendor_rows
from cupel.show.vendor_plot import vendors_plot


def lake_with(folder: Path) -> Lake:
    crowd = Crowd()
    crowd.add("same", np.full(150, 2))
    measured = crowd.study()
    found, people = findings(measured), annotators(measured)
    by_vendor = {"good": ("honest0", "honest1", "honest2"), "<b>bad": ("same", "honest3")}
    lake = Lake(folder, "small")
    tables: dict[str, pa.Table] = {
        "annotators": people,
        "annotator_findings": found,
        "vendors": vendors(measured, by_vendor, found, people),
    }
    for name, table in tables.items():
        lake.write(name, "one", table, {}, "test")
    lake.actions.append(
        [Action("one", "same", "remove", 0.0, "constant", "so it is", 0.0, 0.001, 150, "policy", 9)]
    )  # fmt: skip
    return lake


def test_findings_actions_and_vendors_are_facts_of_a_batch(tmp_path: Path) -> None:
    facts = batch_facts(lake_with(tmp_path), "one")
    assert [row["annotator"] for row in finding_rows(facts)] == ["same"]
    assert [row["deed"] for row in facts.actions] == ["remove"]
    rows = vendor_rows(facts)
    assert [row["vendor"] for row in rows] == ["good", "<b>bad"]
    assert " to " in rows[0]["standard"]
    assert rows[1]["found_annotators"] == 1


def test_the_plot_names_all_vendors_in_words_escaped_and_is_the_same_each_time(tmp_path: Path) -> None:
    rows = batch_facts(lake_with(tmp_path), "one").vendors
    plot = vendors_plot(rows, "one")
    assert plot == vendors_plot(rows, "one")
    assert "good" in plot
    assert "<b>bad" not in plot
    assert len(CLASSES) == 3


def test_findings_of_either_kind_are_ordered_by_how_sure_they_are(tmp_path: Path) -> None:
    facts = batch_facts(lake_with(tmp_path), "one")
    kind = facts.annotator_findings[0]
    given = [("weak", None, 0.6), ("chance", 0.0012, None), ("sure", None, 300.0)]
    facts.annotator_findings[:] = [
        kind | {"annotator": name, "p_value": chance, "log10_ratio": ratio} for name, chance, ratio in given
    ]
    assert [(row["annotator"], row["strength"]) for row in finding_rows(facts)] == [
        ("sure", "1,000,000 times likelier"), ("chance", "chance 0.0012"), ("weak", "4.0 times likelier"),
    ]  # fmt: skip
