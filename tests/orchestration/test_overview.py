"""An operator who was away reads one page and knows what happened, and what awaits them."""

import json
import os
import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pytest
from click.testing import CliRunner

from cupel.cli import main
from cupel.config.operation import Alerts
from cupel.contract.tables.answers import ANSWERS
from cupel.intake.alerts import Alert, alert
from cupel.intake.collect_inputs import current_project
from cupel.kinds.projects import load_project
from cupel.lake.answer_chain import GIVEN
from cupel.lake.lake import Lake
from cupel.show.overview import Overview, gather_overview
from cupel.show.overview_pages import ProjectSummary, last_look, lead, overview_page, sections
from orchestration.deployment import Deployment
from orchestration.lake_overview import PAGES, render_lake_overview
from orchestration.rounds import Rounds
from small_project import write_project

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A released batch that got a late answer, a batch of rubbish, a refused file, and alerts of what broke."""
    folder = tmp_path_factory.mktemp("overview")
    deliveries = {
        name: {"files": [f"small/{name}.jsonl"], "licence": "CC0-1.0"} for name in ("one", "rubbish")
    }  # fmt: skip
    there = write_project(folder, items=120, crew_error=0.02, raw={"deliveries": deliveries})
    (there.data / "small" / "rubbish.jsonl").write_text("{\n" * 50)
    lake = Lake(there.lake, "small")
    run(there)
    row = dict.fromkeys(GIVEN) | {
        "answer_id": "late", "batch": "one", "item_id": "i3", "purpose": "label", "source": "test", "annotator": "dan",
        "label": "warm",
    }  # fmt: skip
    schema = pa.schema([ANSWERS.schema.field(name).with_nullable(True) for name in GIVEN])
    lake.answers.append(pa.Table.from_pylist([row], schema=schema))
    inbox = folder / "inbox" / "small"
    inbox.mkdir(parents=True)
    (inbox / "odd.bin").write_bytes(b"\x00")
    (inbox / "odd.bin.refused.txt").write_text("odd.bin: not a kind of file that is read\n\nMend it\n")
    for happened in ("the disk was full", "the disk was full"):
        alert(lake, Alerts(), Alert("small", "one", "broken", happened, "free space", "r1"))
    run(there)
    alert(lake, Alerts(), Alert("small", "rubbish", "broken", "<b>the process was killed</b>", "start anew", "r2"))
    return there


def run(there: Deployment) -> None:
    project = load_project(there.projects / "small.yaml")
    with dg.DagsterInstance.ephemeral() as instance:
        assert Rounds(project, there, instance).run().broken == []


def inbox_of(there: Deployment) -> Path:
    return there.projects.parent / "inbox" / "small"


def gather(there: Deployment, since: datetime = LONG_AGO) -> Overview:
    lake = Lake(there.lake, "small")
    return gather_overview(lake, current_project(there.projects, lake), since, inbox_of(there))


def test_what_awaits_a_person_is_told_with_the_command_for_it(deployment: Deployment) -> None:
    to_do = {one.what.split(":")[0]: one.command for one in gather(deployment).to_do}
    assert to_do == {
        "delivery rubbish": "make gate PROJECT=small BATCH=rubbish",
        "odd.bin in the inbox is refused": f"mend it, or take it out of {inbox_of(deployment)}",
        "one has other labels than one-r1 froze": "cupel release small one",
        "rubbish broke": "make run PROJECT=small",
    }


def test_releases_are_told_with_their_bound_and_report_and_deliveries_with_what_came_of_them(
    deployment: Deployment,
) -> None:
    found = gather(deployment)
    (release,) = found.releases
    assert (release.name, release.verdict) == ("one-r1", "certified")
    assert release.bound.endswith("% of 5%")
    assert Path(release.report).is_file()
    states = {one.name: (one.rows, one.rejected, one.state) for one in found.deliveries}
    assert states["one"] == (120, 0, "passed its gates")
    assert states["rubbish"] == (50, 50, "refused")
    assert states["odd.bin"] == (None, None, "refused: odd.bin: not a kind of file that is read")
    assert found.answers > 240


def test_what_broke_is_told_once_with_how_often_and_whether_it_is_over(deployment: Deployment) -> None:
    troubles = [(one.partition, one.times, one.is_over) for one in gather(deployment).troubles]
    assert troubles == [("rubbish", 1, False), ("one", 1, True)]  # the same cause is one alert


def test_what_was_before_is_left_out_but_for_what_still_awaits_a_person(deployment: Deployment) -> None:
    found = gather(deployment, datetime.now(UTC) + timedelta(days=1))
    assert (found.releases, found.troubles, found.answers) == ([], [], 0)
    assert [one.name for one in found.deliveries] == ["odd.bin"]
    assert len(found.to_do) == 3


def test_the_page_stands_alone_and_shows_words_of_others_as_words(deployment: Deployment) -> None:
    found = gather(deployment)
    page = overview_page([ProjectSummary(found, ["lake of small: 1 MB"])])
    assert lead(found) in page
    assert "&lt;b&gt;the process was killed&lt;/b&gt;" in page
    assert "<b>the process" not in page
    assert "://" not in page
    assert "<a " not in page  # a file names reports by their place: it may be read anywhere
    assert "one-r1: CERTIFIED" in page
    assert f"At most {found.releases[0].bound.partition(' of ')[0]} of the labels are wrong, 5% is allowed" in page
    assert [section["title"] for section in sections(found)] == [
        "What awaits you", "Releases", "Deliveries", "What broke"
    ]  # fmt: skip


def test_a_damaged_lake_is_told_as_damaged_and_the_rest_all_the_same(deployment: Deployment) -> None:
    lake = Lake(deployment.lake, "small")
    commit = Path(str(lake.partition_folder("certificate", "one-r1"))) / "commit.json"
    before, times = commit.read_bytes(), (commit.stat().st_atime, commit.stat().st_mtime)
    for spoil in (lambda: commit.write_text("{}"), commit.unlink):
        spoil()
        found = gather(deployment)
        assert found.to_do[0].command == "cupel check small"
        assert any("certificate" in line or "KeyError" in line for line in found.damage)
        assert [one.name for one in found.deliveries] == ["one", "rubbish", "odd.bin"]
        commit.write_bytes(before)
        os.utime(commit, times)
    assert gather(deployment).damage == []


def test_the_command_goes_on_from_the_last_look(deployment: Deployment, tmp_path: Path) -> None:
    places = {"projects": deployment.projects, "lake": deployment.lake, "inbox": deployment.projects.parent / "inbox"}
    options = [word for name, place in places.items() for word in (f"--{name}", str(place))]
    lake = Lake(deployment.lake, "small")

    def command(*more: str) -> str:
        done = CliRunner().invoke(main, ["summary", "small", *options, *more], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    files = ["--html", str(tmp_path / "page.html"), "--json", str(tmp_path / "page.json")]
    told = command("--since", "2020-01-01", *files)
    assert "Since 2020-01-01: 2 deliveries" in told
    assert json.loads((tmp_path / "page.json").read_text())["projects"][0]["releases"][0]["verdict"] == "certified"
    assert (tmp_path / "page.html").read_text().startswith("<!DOCTYPE html>")
    assert last_look(lake) < datetime.now(UTC) - timedelta(days=29)
    command()
    assert abs(last_look(lake).timestamp() - time.time()) < 60


def test_without_a_name_all_projects_are_told_on_one_page_and_what_cannot_be_told_of_hides_none(
    deployment: Deployment, tmp_path: Path
) -> None:
    shutil.copytree(deployment.projects, projects := tmp_path / "projects")
    (projects / "idle.yaml").write_text(
        (projects / "small.yaml").read_text().replace("project: small", "project: idle")
    )
    (projects / "torn.yaml").write_text("project: [")
    shutil.copytree(deployment.lake, lake := tmp_path / "lake")
    (lake / "orphan" / "tables").mkdir(parents=True)
    page, content = tmp_path / "page.html", tmp_path / "page.json"
    options = ["--projects", projects, "--lake", lake, "--inbox", tmp_path / "inbox", "--html", page, "--json", content]
    done = CliRunner().invoke(main, ["summary", "--since", "2020-01-01", *map(str, options)], catch_exceptions=False)
    assert done.exit_code == 1
    found = json.loads(content.read_text())
    assert [one["project"] for one in found["projects"]] == ["idle", "small"]
    assert [line.split(":")[0] for line in found["unread"]] == ["torn", "orphan"]
    for words in ("(idle)", "(small)", "torn.yaml", "orphan: in the lake"):
        assert words in done.output
    assert 'id="idle"' in page.read_text()
    assert "torn.yaml" in page.read_text()


def test_the_first_page_says_each_verdict_with_a_link_to_its_report(deployment: Deployment) -> None:
    page = render_lake_overview(deployment._replace(inbox=inbox_of(deployment).parent)).decode()
    assert page.index("one-r1: CERTIFIED") < page.index("What awaits you")
    assert page.index("rubbish: REFUSED") < page.index("the raw gate refuses it") < page.index("What awaits you")
    assert '<a href="/cupel/small/reports/one-r1/report.html">' in page
    assert "Since the beginning: 2 deliveries" in page
    assert all(name in page for name, _ in PAGES)
    assert "odd.bin in the inbox is refused" in page


def test_the_first_page_names_what_cannot_be_told_of_and_leaves_out_what_was_never_run(
    deployment: Deployment, tmp_path: Path
) -> None:
    shutil.copytree(deployment.projects, projects := tmp_path / "projects")
    for name in ("idle", "torn"):
        (projects / f"{name}.yaml").write_text("project: [")
    shutil.copytree(deployment.lake, lake := tmp_path / "lake")
    (lake / "torn" / "tables").mkdir(parents=True)
    (lake / "small" / "data_docs").mkdir()
    (lake / "small" / "data_docs" / "index.html").touch()
    page = render_lake_overview(deployment._replace(projects=projects, lake=str(lake))).decode()
    assert "torn.yaml" in page
    assert "idle" not in page
    assert "one-r1: CERTIFIED" in page
    assert '<a href="/cupel/small/data_docs/index.html">Data Docs of small</a>' in page
