"""`make gate` on a lake that a run has filled: what closes it, what does not, and that it leaves no trace."""

import hashlib
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest
import yaml
from click.testing import CliRunner, Result

from cupel.contract.table import empty
from cupel.contract.tables.gates import GATE_RESULTS
from cupel.kinds.projects import load_project
from cupel.lake.gates import open_gate
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from orchestration.ci import gate, main
from orchestration.deployment import Deployment
from orchestration.findings import Finding, is_failure
from orchestration.rounds import Rounds
from orchestration.run_process import PROCESS, find_process
from small_project import write_project

Change = Callable[..., None]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    deployment = write_project(folder, items=120, crew_error=0.05)
    with dg.DagsterInstance.ephemeral() as instance:
        done = Rounds(load_project(deployment.projects / "small.yaml"), deployment, instance).run()
    assert not done.broken
    return folder


@pytest.fixture
def deployment(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    shutil.copytree(finished, tmp_path, dirs_exist_ok=True)
    places = {"CUPEL_PROJECTS": "projects", "CUPEL_DATA": "data", "CUPEL_LAKE": "lake", "CUPEL_INBOX": "inbox"}
    for name, place in places.items():
        monkeypatch.setenv(name, str(tmp_path / place))
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return Deployment.from_environment()


@pytest.fixture
def change(deployment: Deployment) -> Change:
    """Return what changes sections of the project file."""

    def apply(**sections: Any) -> None:
        path = deployment.projects / "small.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | sections))

    return apply


def command(*words: str) -> Result:
    return CliRunner().invoke(main, words, env={"COLUMNS": "200"})


def failures(found: list[Finding], is_strict: bool = False) -> dict[tuple[str, str], Finding]:
    return {(row.table, row.check): row for row in found if is_failure(row, is_strict)}


def content(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def test_what_a_run_made_passes_and_the_lake_stays_as_it_was(deployment: Deployment, tmp_path: Path) -> None:
    before = content(Path(deployment.lake))
    done = command("--junit", str(tmp_path / "deep" / "gate.xml"))
    assert done.exit_code == 0, done.output
    assert "0 failed" in done.output
    assert content(Path(deployment.lake)) == before
    suites = ET.parse(tmp_path / "deep" / "gate.xml").getroot()
    stages = {"raw", "cleaning", "labeling", "checking", "tasks", "release"}
    assert {suite.get("name") for suite in suites} == {f"small.{stage}" for stage in stages}
    assert suites.get("failures") == suites.get("errors") == "0"


def test_dagsters_record_holds_what_was_found(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster").mkdir()
    (tmp_path / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    gate(deployment, selection='key:"small/certificate"')
    key = dg.AssetCheckKey(dg.AssetKey(["small", "certificate"]), "release_certified")
    with dg.DagsterInstance.get() as instance:
        record = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])[key]
        run = instance.get_run_by_id(record.run_id)
    assert run is not None
    assert run.tags["dagster/partition"] == "one-r1"
    assert find_process(run.tags[PROCESS]) == os.getpid()  # one that is killed holds no batch for ever


def test_nothing_that_a_project_names_passes_before_it_is_there(deployment: Deployment) -> None:
    shutil.rmtree(deployment.lake)
    found = gate(deployment)
    assert {row.outcome for row in found} == {"missing", "not judged"}
    stages = {"raw", "cleaning", "labeling", "checking", "tasks", "release"}
    assert {row.stage for row in found if row.outcome == "missing"} == stages
    assert all("make run" in row.remedy for row in found if row.outcome == "missing")
    for partitions in ([], ["one"]):
        only_releases = gate(deployment, selection="group:release", partitions=partitions)
        assert [(row.check, row.outcome) for row in only_releases] == [("batch_is_in_a_release", "missing")]
    assert not Path(deployment.lake).exists()


def test_a_delivery_that_changed_makes_all_its_tables_out_of_date(deployment: Deployment) -> None:
    with (deployment.data / "small" / "one.jsonl").open("a") as file:
        file.write('{"id": "late", "text": "one more sentence of some length"}\n')
    found = failures(gate(deployment, selection="group:raw or group:cleaning"))
    assert set(found) == {("raw", "tables_are_current"), ("cleaning", "tables_are_current")}
    assert "file small/one.jsonl changed" in found["raw", "tables_are_current"].reason
    assert found["cleaning", "tables_are_current"].outcome == "stale"


def test_a_delivery_that_went_and_a_commit_that_is_broken_are_failures_said_as_such(deployment: Deployment) -> None:
    (deployment.data / "small" / "one.jsonl").unlink()
    found = failures(gate(deployment, selection="group:raw"))
    assert set(found) == {("raw", "tables_are_current")}
    assert "one.jsonl" in found["raw", "tables_are_current"].reason
    (Path(deployment.lake) / "small" / "tables" / "raw_items" / "one" / "commit.json").write_text("{")
    done = command("--select", "group:raw")
    assert done.exit_code == 3
    assert "not a commit" in done.output
    assert "BROKEN: " in done.output


def test_tables_made_with_other_settings_are_out_of_date_and_a_finished_release_is_not(
    deployment: Deployment, change: Change
) -> None:
    change(cleaning={"min_words": 3})
    found = failures(gate(deployment, selection="group:cleaning or group:release"))
    assert set(found) == {("cleaning", "tables_are_current")}
    assert "settings of cleaning or licences changed" in found["cleaning", "tables_are_current"].reason


def test_a_stricter_threshold_closes_the_gate_at_once_and_changes_no_outcome_in_the_lake(
    deployment: Deployment, change: Change
) -> None:
    before = content(Path(deployment.lake))
    change(thresholds={"agreement": {"value": 0.99, "reason": "we want it all"}})
    done = command("--select", "group:labeling")
    assert done.exit_code == 1
    assert "REFUSED: " in done.output
    assert "agreement: fail" in done.output
    assert "we want it all" in done.output
    assert "1 failed" in done.output
    assert content(Path(deployment.lake)) == before


def test_a_failed_warning_is_shown_and_closes_nothing(deployment: Deployment, change: Change) -> None:
    change(thresholds={"agreement_customary": {"value": 1.0, "reason": "for show"}})
    done = command("--select", "group:labeling")
    assert done.exit_code == 0, done.output
    assert "agreement_customary: fail" in done.output
    assert "1 warnings" in done.output


def test_a_check_that_raises_has_failed(deployment: Deployment) -> None:
    for part in (Path(deployment.lake) / "small" / "tables" / "clean_items" / "one").glob("part-*"):
        part.unlink()
    found = failures(gate(deployment, selection='key:"small/clean_items"'))
    assert found["clean_items", "kept_share"].outcome == "error"
    assert found["clean_items", "changed_share"].severity == "warning"  # it has failed all the same
    assert found["cleaning", "tables_are_current"].outcome == "stale"
    assert "raised" in found["clean_items", "kept_share"].reason


def test_a_gate_that_says_nothing_has_not_passed(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(step: Step, suite: Any) -> pa.Table:
        return empty(GATE_RESULTS)

    monkeypatch.setattr("orchestration.gates.judge_stage", silent)
    found = gate(deployment, selection="group:raw")
    assert {row.outcome for row in found if row.table == "raw_items"} == {"error"}


def test_awaited_answers_are_open_which_closes_the_gate_only_when_asked(deployment: Deployment, change: Change) -> None:
    lake = Lake(deployment.lake, "small")
    for table in ("certificate", "training_set", "withheld_items", "manifest"):
        shutil.rmtree(str(lake.partition_folder(table, "one-r1")))
    project = load_project(deployment.projects / "small.yaml")
    open_gate(Step(lake, project, "one-r1"), "release", "certificate", "12 answers are awaited")
    found = gate(deployment, selection="group:release")
    assert failures(found) == {}
    state = next(row for row in found if row.check == "tables_are_current")
    assert state.outcome == "open"
    assert "certificate: 12 answers are awaited" in state.reason
    assert set(failures(found, is_strict=True)) == {("release", "tables_are_current")}
    assert {row.outcome for row in found if row.table == "certificate"} == {"not judged"}
    change(thresholds={"error_bound_with_contested": {"value": 0.3, "reason": "what was open must be asked anew"}})
    assert (
        "changed since" in failures(gate(deployment, selection="group:release"))["release", "tables_are_current"].reason
    )


def test_a_release_waits_for_a_batch_that_waits_for_people(deployment: Deployment) -> None:
    lake = Lake(deployment.lake, "small")
    for table in ("labels", "tasks"):
        shutil.rmtree(str(lake.partition_folder(table, "one")))
    Lake(deployment.lake, "small").log("proposals").append(lambda _: [{"release": "one-r2", "asked_by": "test"}])
    project = load_project(deployment.projects / "small.yaml")
    open_gate(Step(lake, project, "one"), "checking", "labels", "5 answers are awaited")
    found = gate(deployment, selection='key:"small/labels" or key:"small/release_plan"')
    assert failures(found) == {}
    states = {row.partition: row.reason for row in found if row.check == "tables_are_current"}
    assert states["one"] == "labels: 5 answers are awaited"
    assert "it waits for one: 5 answers are awaited" in states["one-r2"]


def test_a_refused_release_fails_in_its_checks_and_nothing_behind_it_counts_as_there(deployment: Deployment) -> None:
    lake = Lake(deployment.lake, "small")
    refused = lake.read("certificate", "one-r1").to_pylist()[0] | {"status": "refused"}
    commit = lake.commit("certificate", "one-r1")
    assert commit is not None
    schema = lake.read("certificate", "one-r1").schema
    lake.write("certificate", "one-r1", pa.Table.from_pylist([refused], schema), commit.inputs, commit.code_version)
    for table in ("training_set", "withheld_items", "manifest"):
        shutil.rmtree(str(lake.partition_folder(table, "one-r1")))
    found = failures(gate(deployment, partitions=["one-r1"]))
    assert ("certificate", "release_certified") in found
    assert "refused" in found["release", "tables_are_current"].reason
    assert {row.partition for row in found.values()} == {"one-r1"}


def test_a_batchs_releases_belong_to_it_and_unknown_names_are_wrong_usage(deployment: Deployment) -> None:
    done = command("--partition", "one", "--select", 'key:"small/deliveries" or key:"small/release_plan"')
    assert done.exit_code == 0, done.output
    assert "one-r1" in done.output
    for words, said in (
        (["--partition", "two"], "no batch or release"),
        (["--select", "group:"], "not a selection"),
        (["--select", 'key:"small/answers"'], "names no table"),
        (["--since", "main"], "--since"),
        (["none"], "no such project file"),
        (["--colour"], "No such option"),
    ):
        done = command(*words)
        assert done.exit_code == 2, words
        assert said in done.output
        assert "Traceback" not in done.output


def test_only_what_a_change_touches_is_judged(deployment: Deployment, change: Change, tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q", "-b", "main"], ["add", "projects"], ["commit", "-q", "-m", "begin"]):
        subprocess.run([*git, *words], check=True)
    (tmp_path / ".git" / "info" / "exclude").write_text("lake\ndata\n")
    done = command("--since", "main", "--junit", str(tmp_path / "none.xml"))
    assert done.exit_code == 0, done.output
    assert "Nothing is touched" in done.output
    assert ET.parse(tmp_path / "none.xml").getroot().get("tests") == "0"
    change(thresholds={"kept_share": {"value": 1.0, "reason": "we paid for all of it"}})
    done = command("--since", "main", "--junit", str(tmp_path / "some.xml"))
    assert done.exit_code == 0, done.output
    assert "projects/small.yaml: cleaning of small (section thresholds)" in done.output
    suites = ET.parse(tmp_path / "some.xml").getroot()
    assert [suite.get("name") for suite in suites] == ["small.cleaning"]


def test_a_project_that_no_delivery_has_reached_is_open(deployment: Deployment, change: Change) -> None:
    change(raw={"inbox": {"licence": "CC0-1.0"}})
    found = gate(deployment)
    assert [(row.outcome, row.reason) for row in found] == [("open", "no delivery has arrived yet")]


def test_a_release_that_was_followed_by_another_is_left_out_and_said_so(deployment: Deployment) -> None:
    Lake(deployment.lake, "small").log("proposals").append(lambda _: [{"release": "one-r2", "asked_by": "test"}])
    done = command("--select", 'key:"small/certificate"')
    assert done.exit_code == 3  # the second release is proposed, and not there
    assert "one-r1: one-r2 followed" in done.output
    found = gate(deployment, selection='key:"small/certificate"', all_releases=True)
    assert {row.partition for row in found} == {"one", "one-r1", "one-r2"}
    assert {row.partition for row in failures(found).values()} == {"one-r2"}
