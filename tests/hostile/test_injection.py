"""Texts of others in what Cupel writes: page, card, metadata, catalog, terminal, CSV. They are shown, never obeyed."""

import csv
import io
import json
from functools import cache

import duckdb
import pyarrow as pa
import pytest
import yaml
from hostile.cases import cases
from hostile.nonsense import HOSTILE, texts
from hostile.released import PLACES, chosen
from hostile.shapes import html_shape, markdown_shape
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from assets.spec import PRIVATE_COLUMNS, preview
from cupel.contract.tables import TABLES
from cupel.contract.tables.release import EXPERT_ANSWERS
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.release.files import WrittenFile
from cupel.release.layout import json_bytes
from cupel.release.relabel import RELABEL_SCHEMA, as_csv
from cupel.show import report
from cupel.show.card import front_matter, render_card
from cupel.show.croissant import croissant
from cupel.show.funnel import print_funnel
from cupel.show.report import render_report
from cupel.show.summary import summary

TWIN = dict.fromkeys(PLACES, "harmless")
OBEYED = ("\x1b", "\x07", "\x9b", "\x00", "\x08", "\x7f")
# The owner writes these as Markdown, in the owner's own card.
OWN_MARKDOWN = ("description", "citation")

shown = texts(15).filter(lambda text: text.strip() and "\0" not in text)
sayings = st.dictionaries(st.sampled_from(PLACES), shown, min_size=1, max_size=5)
tricks = [{place: trick for place in PLACES} for trick in HOSTILE if "\0" not in trick]


@pytest.fixture
def without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no plots: what they say of a release are numbers; one test below draws them."""
    for name in ("annotators_plot", "stage_errors_plot", "cuts_plot"):
        monkeypatch.setattr(report, name, lambda *_: "<svg></svg>")


@cache
def harmless_report_shape(is_certified: bool) -> object:
    """Return the elements of a report in which nobody says anything odd."""
    return html_shape(render_report(*chosen(TWIN, is_certified, with_plots=True)))


@cases(150)
@given(st.one_of(sayings, st.sampled_from(tricks)), st.booleans())
def test_the_report_has_the_elements_of_its_template_only(
    without_plots: None, said: dict[str, str], is_certified: bool
) -> None:
    page = render_report(*chosen({**TWIN, **said}, is_certified, with_plots=True))
    assert html_shape(page) == harmless_report_shape(is_certified)


def test_the_report_with_its_plots_too() -> None:
    trick = " ".join(text for text in HOSTILE if "\0" not in text)
    facts, more = chosen(dict.fromkeys(PLACES, trick), True, with_plots=True)
    twin, twin_more = chosen(TWIN, True, with_plots=True)
    assert html_shape(render_report(facts, more)) == html_shape(render_report(twin, twin_more))


@cases(200)
@given(st.one_of(sayings, st.sampled_from(tricks)))
@example({"source_file": "a`b"})
@example({"source_file": "`"})
@example({"class": "a|b"})
@example({"licence": "\n---\n"})
def test_the_card_has_the_markup_of_its_template_only(said: dict[str, str]) -> None:
    said = {place: text for place, text in said.items() if place not in OWN_MARKDOWN}
    facts, _ = chosen({**TWIN, **said}, True)
    card, twin = render_card(facts), render_card(chosen(TWIN, True)[0])
    head, _, body = card.removeprefix("---\n").partition("\n---\n")
    assert yaml.safe_load(head) == front_matter(facts)
    assert markdown_shape(body) == markdown_shape(twin.removeprefix("---\n").partition("\n---\n")[2])
    assert not any(sign in card for sign in OBEYED)


@cases(30)
@given(st.one_of(sayings, st.sampled_from(tricks)))
def test_the_metadata_are_json_that_says_what_was_said(said: dict[str, str]) -> None:
    facts, _ = chosen({**TWIN, **said}, True)
    content = json.loads(
        json_bytes(croissant(facts, {"data/train.parquet": WrittenFile("data/train.parquet", "ab" * 32, 1, 1)}))
    )
    assert content["name"] == "one-r1"
    assert content["rai:dataAnnotationProtocol"][0] == facts.project.labeling.question


@cases(150)
@given(st.one_of(sayings, st.sampled_from(tricks)), st.booleans(), st.integers(40, 200))
def test_no_terminal_obeys_the_funnel(said: dict[str, str], is_certified: bool, width: int) -> None:
    facts, _ = chosen({**TWIN, **said}, is_certified)
    out = io.StringIO()
    print_funnel([facts], Console(file=out, width=width), {"one": {said.get("seconds", "raw"): 1.0}})
    assert not any(sign in out.getvalue() for sign in OBEYED)


@cases(300)
@given(st.one_of(sayings, st.sampled_from(tricks)), st.booleans())
def test_the_summary_is_json_with_the_same_keys(said: dict[str, str], is_certified: bool) -> None:
    facts, _ = chosen({**TWIN, **said}, is_certified)
    found = json.loads(json_bytes(summary(facts.project, [facts], {}, {})))["deliveries"]["one"]
    assert found["gate_reason"] == facts.reason
    assert found["rejected"] == facts.batches[0].rejected


@cases(400)
@given(st.lists(st.tuples(texts(), texts(), texts()), min_size=1, max_size=4))
def test_no_spreadsheet_runs_what_to_relabel_and_nothing_of_it_is_lost(rows: list[tuple[str, str, str]]) -> None:
    table = pa.Table.from_pylist(
        [
            {"batch": "one", "item_id": item, "text": text, "label": label, "reason": "r", "risk_rank": 1}
            for item, text, label in rows
        ],
        schema=RELABEL_SCHEMA,
    )
    written = list(csv.reader(io.StringIO(as_csv(table), newline="")))[1:]
    for cells, row in zip(written, rows, strict=True):
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in cells)
        assert all(cell in (said, f"'{said}") for cell, said in zip(cells[1:4], row, strict=True))


@cases(50)
@given(st.lists(st.tuples(texts(), texts(), texts()), min_size=1, max_size=3))
def test_catalog_and_page_show_rows_and_run_nothing(lake: Lake, rows: list[tuple[str, str, str]]) -> None:
    records = [
        {"sequence": n, "batch": "one", "item_id": item, "purpose": "label", "annotator": who, "label": label}
        for n, (item, who, label) in enumerate(rows)
    ]
    commit = lake.write("expert_answers", "one-r1", pa.Table.from_pylist(records, schema=EXPERT_ANSWERS.schema))
    text = preview(Step(lake, chosen(TWIN, True)[0].project, "one-r1"), commit)
    plain = [{**record, "item_id": "x", "annotator": "x", "label": "x"} for record in records]
    twin = lake.write("expert_answers", "two-r1", pa.Table.from_pylist(plain, schema=EXPERT_ANSWERS.schema))
    shape = markdown_shape(preview(Step(lake, chosen(TWIN, True)[0].project, "two-r1"), twin))
    # An empty cell has no text; every other token is the table's own.
    assert [kind for kind in markdown_shape(text) if kind != "text"] == [kind for kind in shape if kind != "text"]
    with duckdb.connect(str(lake.write_catalog()), read_only=True) as catalog:
        found = catalog.execute(
            "SELECT item_id, annotator, label FROM expert_answers WHERE \"partition\" = 'one-r1' ORDER BY sequence"
        ).fetchall()
        views = catalog.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
    assert found == [tuple(row) for row in rows]
    assert sorted(views) == [("cupel_catalog",), ("expert_answers",)]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return Lake(tmp_path_factory.mktemp("it's; DROP VIEW x --") / "lake", "small")


def test_the_page_never_shows_texts() -> None:
    shown_columns = {column.name for table in TABLES.values() for column in table.columns} - PRIVATE_COLUMNS
    assert "text" not in shown_columns
