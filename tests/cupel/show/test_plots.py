import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from typing import Any

import matplotlib
import pytest

from cupel.release.release_audit import read_release_audit
from cupel.show.plots import annotators_plot, cuts_plot, stage_errors_plot
from cupel.show.report_facts import audit_curve

RESULT = {
    "status": "certified", "error_budget": 0.01, "error_bound": 0.0099, "error_bound_with_contested": 0.05,
    "items": 100, "accepted": 60,
}  # fmt: skip
ERRORS = [
    {"decided_by": "one annotator", "error": 0.12, "error_low": 0.1, "error_high": 0.14},
    {"decided_by": "majority", "error": None, "error_low": None, "error_high": None},
]
CURVE = [{"risk_rank": 10, "audited": 1, "wrong": 0}, {"risk_rank": 80, "audited": 2, "wrong": 1}]
CUT = {"accepted": 60, "audited": 1, "wrong": 0, "p_value": 0.01, "alpha": 0.035, "is_passed": True}


@pytest.fixture(scope="module")
def plots() -> list[str]:
    return every_plot()


def every_plot() -> list[str]:
    people = [{"annotator": str(place), "answers": 10, "quality": 0.6 + place / 50} for place in range(9)]
    return [
        stage_errors_plot(ERRORS, RESULT), cuts_plot(CURVE, [CUT], RESULT, 1), annotators_plot(people, "movies"),
    ]  # fmt: skip


def test_the_same_figures_give_the_same_bytes(plots: list[str]) -> None:
    assert every_plot() == plots


def test_settings_of_the_machine_change_no_plot(plots: list[str]) -> None:
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 20, "svg.fonttype": "path", "axes.grid": True}):
        assert every_plot() == plots


def test_a_plot_is_one_svg_element_that_says_in_words_what_it_shows(plots: list[str]) -> None:
    for plot in plots:
        root = ElementTree.fromstring(plot)
        assert root.tag.endswith("svg")
        assert root.attrib["role"] == "img"
        assert len(root.attrib["aria-label"]) > 40


def test_no_plot_holds_a_date_or_loads_anything(plots: list[str]) -> None:
    for plot in plots:
        assert not re.search(r"20\d\d-\d\d", plot)
        assert set(re.findall(r'(?:href|src)="([^"#][^"]*)"', plot)) == set()


def test_ids_of_different_plots_differ_so_that_they_share_a_page(plots: list[str]) -> None:
    ids = [set(re.findall(r'\bid="([^"]+)"', plot)) for plot in plots]
    assert not ids[0] & ids[1]
    assert not ids[1] & ids[2]
    for plot, known in zip(plots, ids, strict=True):
        assert set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", plot)) <= known


def test_the_release_is_drawn_as_a_bound_and_stages_without_estimate_are_left_out() -> None:
    plot = stage_errors_plot(ERRORS, RESULT)
    assert "Released (bound) at most 0.99%" in plot
    assert "Majority" not in plot
    assert "at most" not in stage_errors_plot(ERRORS, None)


def test_the_curve_counts_errors_along_the_risk_order(certified: Any) -> None:
    audit = read_release_audit(certified.lake, "movies-r1", "audit")
    curve = audit_curve(replace(audit, audit=audit.audit.take(list(range(audit.audit.num_rows))[::-1])))
    ranks = [row["risk_rank"] for row in curve]
    assert ranks == sorted(ranks)
    assert curve[-1]["wrong"] == certified.facts.result["audit_wrong"]
    assert curve[-1]["audited"] == certified.facts.result["audited"]
    for cut in certified.facts.cuts:
        before = [row for row in curve if row["risk_rank"] <= cut["accepted"]]
        found = (before[-1]["audited"], before[-1]["wrong"]) if before else (0, 0)
        assert found == (cut["audited"], cut["wrong"])
