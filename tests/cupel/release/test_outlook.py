import xml.etree.ElementTree as ElementTree

import numpy as np

from cupel.certificate.design import FixedSequence, Rising
from cupel.figures import percent
from cupel.release.outlook import release_outlook
from cupel.show.outlook_views import HEADINGS, outlook_plot, outlook_rows, outlook_table, rising_saves
from cupel.show.report import render_report
from cupel.show.report_facts import report_facts
from made_releases import Made, make_project

LOG_ODDS = np.linspace(-1, 9, 800)


def test_two_guesses_are_held_against_each_other_and_the_declared_size_is_among_them() -> None:
    rows = release_outlook(make_project(), LOG_ODDS, 1, FixedSequence(200))
    assert list(dict.fromkeys(row.guess for row in rows)) == ["as the log-odds say", "3 times as many wrong"]
    assert 200 in {row.audited for row in rows if isinstance(row.design, FixedSequence)}
    assert sum(isinstance(row.design, Rising) for row in rows) == 2


def test_a_projects_own_guess_takes_their_place() -> None:
    project = make_project(certificate={"method": "rising", "gain": 2.0, "steps": 3, "guessed_errors": [0, 0, 0.2]})
    rows = release_outlook(project, LOG_ODDS, 1, Rising(2.0, 3))
    assert {row.guess for row in rows} == {"the project's guess"}
    assert rows[0].design == Rising(2.0, 3)


def test_the_order_of_the_rows_plays_no_part() -> None:
    shuffled = np.random.default_rng(1).permutation(LOG_ODDS)
    plain, other = (release_outlook(make_project(), odds, 1, FixedSequence(200)) for odds in (LOG_ODDS, shuffled))
    assert plain == other


def test_table_and_plot_say_the_same_and_that_it_is_a_guess() -> None:
    rows = release_outlook(make_project(), LOG_ODDS, 1, FixedSequence(200))
    cells = outlook_rows(rows, "USD")
    assert all(len(row) == len(HEADINGS) for row in cells)
    assert outlook_table(rows, "USD").count("\n") == len(rows) + 1
    plot = outlook_plot(rows, 0.8, 0.4)
    assert plot == outlook_plot(rows, 0.8, 0.4)
    assert "a guess, no measurement" in ElementTree.fromstring(plot).attrib["aria-label"]


def test_the_report_shows_what_was_expected(certified: Made) -> None:
    page = render_report(certified.facts, report_facts(certified.lake, certified.facts))
    assert "What the audit was expected to cost" in page
    assert "seen in truth" in page
    assert page == render_report(certified.facts, report_facts(certified.lake, certified.facts))


def test_what_rising_would_save_is_said_for_each_guess_where_it_saves_anything() -> None:
    rows = release_outlook(make_project(), LOG_ODDS, 1, FixedSequence(200))
    said = rising_saves(rows, FixedSequence(200))
    assert "release.certificate.method: rising" in said
    rising = next(row for row in rows if isinstance(row.design, Rising))
    fixed = next(row for row in rows if row.design == FixedSequence(200))
    assert rising.seen_share < fixed.seen_share
    assert f"{percent(rising.seen_share)} instead of {percent(fixed.seen_share)} (as the log-odds say)" in said
    assert rising_saves(rows, Rising(1.0, 4)) == ""
    dearer = [row._replace(seen_share=1.0) if isinstance(row.design, Rising) else row for row in rows]
    assert rising_saves(dearer, FixedSequence(200)) == ""


def test_planted_items_are_in_what_experts_see_and_in_the_cost() -> None:
    project = make_project(certificate={"planted_errors": 80})
    plain, planted = (
        next(row for row in release_outlook(one, LOG_ODDS, 1, FixedSequence(200)) if row.design == FixedSequence(200))
        for one in (make_project(), project)
    )
    assert planted.seen_share >= plain.seen_share + 80 / 800
    assert planted.cost > plain.cost
