"""Data Docs say of every gate what it said, name the failing rows by id, and need no network."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from assets.page_links import data_docs_link
from cupel.check.check import find_damage
from cupel.cli import main
from cupel.lake.gates import gate_partition
from cupel.lake.lake import Lake
from expectations import cleaning, labeling, raw
from expectations.data_docs import data_docs_page, write_data_docs
from expectations.gate import judge_stage
from expectations.suite import Suite

LENGTHS = {
    "table": "clean_items",
    "expectation": "ExpectColumnValueLengthsToBeBetween",
    "arguments": {"column": "text", "min_value": 4, "max_value": 9},
    "severity": "warning",
    "reason": "our tool shows no more",
}


class PageReader(HTMLParser):
    """Reads what a page loads and links, and its words."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action", "srcset", "data")]

    def handle_data(self, data: str) -> None:
        if self.lasttag == "style":
            return
        self.words += f"{data.strip()} " if data.strip() else ""


def read(path: Path) -> PageReader:
    reader = PageReader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def judge_gate(made: Any, suite: Suite) -> None:
    step = made.step()
    rows = judge_stage(step, suite)
    made.lake.write("gate_results", gate_partition(suite.gate, step.partition), rows, step.inputs)


@pytest.fixture
def docs(world: Any) -> Any:
    """Return a world whose raw gate passes, whose cleaning gate refuses, and whose labeling gate is open, with docs."""
    made = world(expectations=[LENGTHS])
    made.labeling(["", ""])
    made.cleaning(i002="far too long a text", i003="i004")
    for suite in (raw.SUITE, cleaning.SUITE, labeling.SUITE):
        judge_gate(made, suite)
    write_data_docs(made.lake, made.project)
    return made


def page(made: Any, gate: str) -> Path:
    return Path(made.lake.root / data_docs_page(made.lake, "first", gate))


def test_a_page_says_refused_passed_or_open(docs: Any) -> None:
    assert " PASSED Every check has passed." in read(page(docs, "raw")).words
    assert " REFUSED Nothing that comes after it is made: exact_duplicates_left." in read(page(docs, "cleaning")).words
    words = read(page(docs, "labeling")).words
    assert " OPEN Not judged yet: " in words
    assert "REFUSED" not in words
    assert "Observed" not in words


def test_a_refusal_shows_value_threshold_reason_and_remedy(docs: Any) -> None:
    words = read(page(docs, "cleaning")).words
    section = words[words.index("exact_duplicates_left critical") :]
    for part in ("Observed 1 ", "Allowed at most 0 ", "Why A text that stands twice is paid for twice", "What to do "):
        assert part in section[:900]


def test_failing_rows_are_named_by_id_with_what_shows_them_and_never_quoted(docs: Any) -> None:
    words = read(page(docs, "cleaning")).words
    assert "cupel trace tiny/first/i004" in words
    assert "SELECT * FROM clean_items WHERE partition = 'first' AND item_id IN ('i004')" in words
    assert "far too long" not in words


def test_the_query_that_a_page_names_shows_the_rows(docs: Any) -> None:
    import duckdb

    query = re.search(
        r"SELECT \* FROM clean_items [^<]*?\('i002'\)", page(docs, "cleaning").read_text().replace("&#39;", "'")
    )
    assert query is not None
    with duckdb.connect(str(docs.lake.write_catalog()), read_only=True) as catalog:
        assert [row[-1] for row in catalog.execute(f"SELECT text FROM ({query[0]})").fetchall()] == [
            "far too long a text"
        ]


def test_a_teams_expectation_is_on_the_same_page_in_great_expectations_words(docs: Any) -> None:
    words = read(page(docs, "cleaning")).words
    told = "text values must always be greater than or equal to 4 and less than or equal to 9 characters long."
    assert f"The team's own: {told}" in words
    assert "our tool shows no more (1 of 40 rows breaks it)" in words
    assert "WARNING team_text_value_lengths_to_be_between" in words
    assert "cupel trace tiny/first/i002" in words


def test_the_index_links_every_page_and_every_link_leads_to_a_file(docs: Any) -> None:
    folder = docs.lake.folder / "data_docs"
    pages = {path for path in folder.rglob("*.html") if path.name != "index.html"}
    index = read(folder / "index.html")
    assert {(folder / link).resolve() for link in index.links} == {path.resolve() for path in pages}
    assert len(pages) == 3
    for path in pages:
        assert all((path.parent / link).is_file() for link in read(path).links)


def test_the_link_of_a_check_on_dagsters_page_leads_to_the_page_that_is_written(docs: Any) -> None:
    place = data_docs_page(docs.lake, "first", "cleaning", "kept_share")
    assert data_docs_link("tiny", "first", "cleaning", "kept_share") == f"/cupel/{place}"
    assert 'id="kept_share"' in (docs.lake.root / place.partition("#")[0]).read_text()


def test_no_page_names_another_host_and_each_forbids_the_browser_to_load_anything(docs: Any) -> None:
    for path in (docs.lake.folder / "data_docs").rglob("*"):
        text = path.read_text() if path.is_file() else ""
        assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
        assert not text or "default-src 'none'; style-src 'unsafe-inline'" in text


def test_the_same_results_make_the_same_bytes_and_pages_of_what_is_gone_go(docs: Any) -> None:
    folder = docs.lake.folder / "data_docs"
    before = {path: path.read_bytes() for path in folder.rglob("*.html")}
    (folder / "first" / "gone.html").write_text("old")
    write_data_docs(docs.lake, docs.project)
    assert {path: path.read_bytes() for path in folder.rglob("*.html")} == before


def test_a_page_of_an_earlier_table_says_so(docs: Any) -> None:
    assert "another table" not in read(page(docs, "cleaning")).words
    docs.cleaning()
    write_data_docs(docs.lake, docs.project)
    assert "It judged another table than the one that is there now" in read(page(docs, "cleaning")).words
    assert "another table" in read(docs.lake.folder / "data_docs" / "index.html").words


def test_without_its_project_file_a_page_still_says_what_is_expected(docs: Any) -> None:
    write_data_docs(docs.lake, None)
    words = read(page(docs, "cleaning")).words
    assert "exact_duplicates_left maximum value must be less than or equal to 0.0." in words
    assert "A text that stands twice is paid for twice" in words


def test_what_a_delivery_named_its_items_is_text_on_a_page_and_in_a_shell(world: Any) -> None:
    made = world()
    hostile = "<script>alert('x')</script>; rm"
    made.cleaning()
    rows = judge_stage(made.step(), cleaning.SUITE).to_pylist()
    rows[0] |= {"outcome": "fail", "item_ids": [hostile]}
    made.write("gate_results", rows, "cleaning--first")
    write_data_docs(made.lake, made.project)
    text = page(made, "cleaning").read_text()
    assert "<script" not in text
    assert "cupel trace 'tiny/first/<script>alert('\"'\"'x'\"'\"')</script>; rm'" in read(page(made, "cleaning")).words
    assert "item_id IN ('<script>alert(''x'')</script>; rm')" in read(page(made, "cleaning")).words


def test_a_value_a_hair_beyond_its_threshold_is_not_shown_as_the_threshold(world: Any) -> None:
    made = world()
    made.cleaning()
    rows = judge_stage(made.step(), cleaning.SUITE).to_pylist()
    rows[0] |= {"outcome": "fail", "observed": 0.02000001, "threshold": 0.02}
    made.write("gate_results", rows, "cleaning--first")
    write_data_docs(made.lake, made.project)
    assert "Observed 0.02000001 Allowed at most 0.02 " in read(page(made, "cleaning")).words


def test_the_check_of_a_lake_knows_its_data_docs(docs: Any) -> None:
    there = Lake(docs.lake.root, "tiny")
    assert not [damage for damage in find_damage(there, is_light=False) if "data_docs" in damage.place]


def test_the_command_writes_the_docs_of_all_projects_and_says_where(docs: Any, tmp_path: Path) -> None:
    root = docs.lake.root
    (root / "tiny" / "data_docs" / "index.html").unlink()
    result = CliRunner().invoke(main, ["data-docs", "--lake", str(root), "--projects", str(tmp_path / "none")])
    assert result.exit_code == 0, result.output
    assert "tiny: 3 gates: 1 REFUSED, 1 OPEN, 1 PASSED; open " in result.output
    assert (root / "tiny" / "data_docs" / "index.html").is_file()
    unknown = CliRunner().invoke(main, ["data-docs", "tinny", "--lake", str(root)])
    assert (unknown.exit_code, "project tinny: not in the lake" in unknown.output) == (1, True)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "tiny.yaml").write_text("project: [")
    broken = CliRunner().invoke(main, ["data-docs", "--lake", str(root), "--projects", str(tmp_path / "files")])
    assert (broken.exit_code, "its pages do not say what checks ask" in broken.output) == (1, True)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no browser on this machine")
def test_a_browser_without_a_network_shows_a_page_in_its_own_style(docs: Any, tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
        "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=390,800", f"--screenshot={picture}",
        page(docs, "cleaning").as_uri(),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    from PIL import Image

    with Image.open(picture) as image:
        colors = {color for _, color in image.convert("RGB").getcolors(1_000_000) or []}
    assert (0xB8, 0x3C, 0x00) in colors, "the tone of REFUSED is of the page's own style sheet"
