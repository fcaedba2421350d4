"""The chain on lakes of older versions: it stops before it would remake half of one, and leaves finished releases."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from dagster_duckdb import DuckDBResource
from old_lakes import OLD, PROJECT, OldRelease, release_of, unpack, write_logs_of_format_3

from assets.bench import Bench
from cupel.check.upgrade import upgrade_lake
from cupel.contract.stages import STAGES
from cupel.errors import FormatError, ReleaseError
from cupel.intake.collect_inputs import collect_inputs
from cupel.kinds import KNOWN
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.places import report_folder
from cupel.release.verify import verify_release
from cupel.sources.register import with_registered
from orchestration.deployment import REPOSITORY, Deployment
from orchestration.rebuild import rebuild
from orchestration.rounds import Done, Rounds
from small_project import write_project

OLDER = OLD[:2]
WITH_HISTORY = subprocess.run(["git", "-C", REPOSITORY, "cat-file", "-e", "c2cc23b"], capture_output=True).returncode


def content(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder, locks aside."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def run(deployment: Deployment) -> Done:
    project = load_project(deployment.projects / f"{PROJECT}.yaml")
    return Rounds(project, deployment, dg.DagsterInstance.ephemeral()).run()


def of_release(lake: Lake, release: str) -> dict[str, str]:
    """Return the hashes of a release's tables."""
    return {table: lake.version(f"{table}@{release}") for table in STAGES["release"].tables}


@pytest.mark.parametrize("old", OLDER, ids=lambda old: old.commit)
def test_neither_a_run_nor_the_daemon_touches_an_older_lake(old: OldRelease, tmp_path: Path) -> None:
    deployment = unpack(old.commit, tmp_path)
    lake = Lake(deployment.lake, PROJECT)
    before = content(Path(str(lake.folder)))
    with pytest.raises(FormatError, match=f"of format {old.format}.*`cupel upgrade {PROJECT}`"):
        run(deployment)
    with pytest.raises(FormatError, match=f"of format {old.format}.*`cupel upgrade {PROJECT}`"):
        collect_inputs(deployment.projects, lake, deployment.data, None)
    assert content(Path(str(lake.folder))) == before


def test_a_step_of_an_older_lake_is_refused_before_a_model_is_asked(tmp_path: Path) -> None:
    """What a model has said and cost lies in the logs of then, where no step of now looks for it."""
    project = write_project(tmp_path, name=PROJECT, items=1)
    write_logs_of_format_3(tmp_path / "lake" / PROJECT)
    before = content(tmp_path / "lake")
    bench = Bench(
        projects_folder=str(project.projects), lake_root=str(tmp_path / "lake"), data_root=str(project.data),
        known=KNOWN, duckdb=DuckDBResource(database=":memory:"),
    )  # fmt: skip
    context: Any = SimpleNamespace(
        selected_asset_keys={dg.AssetKey([PROJECT, "predictions"])}, partition_key="one",
        run=SimpleNamespace(run_id="run"),
    )  # fmt: skip
    with pytest.raises(FormatError, match=f"of format 3.*`cupel upgrade {PROJECT}`"), bench.step(context):
        pytest.fail("the step was begun")
    assert content(tmp_path / "lake") == before


@pytest.mark.parametrize("old", OLD, ids=lambda old: old.commit)
def test_a_run_on_a_lake_of_an_older_version_leaves_its_releases_and_reports_them(
    old: OldRelease, tmp_path: Path
) -> None:
    deployment = unpack(old.commit, tmp_path)
    lake, folder = Lake(deployment.lake, PROJECT), release_of(old, deployment)
    before, tables, releases = content(folder), of_release(lake, old.release), lake.partitions("release_plan")
    project = with_registered(load_project(deployment.projects / f"{PROJECT}.yaml"), lake)
    upgrade_lake(lake, project, deployment.data)
    assert run(deployment).broken == []
    after = content(folder)
    assert {name: after[name] for name in before if name != "report.html"} == {
        name: bytes_ for name, bytes_ in before.items() if name != "report.html"
    }
    assert of_release(lake, old.release) == tables
    assert lake.partitions("release_plan") == releases
    assert "certified" in (report_folder(lake, old.release) / "report.html").read_text(encoding="utf-8").lower()
    assert verify_release(folder).is_passed
    assert run(deployment).runs == []


@pytest.mark.parametrize("old", OLD, ids=lambda old: old.commit)
def test_rebuilding_a_release_of_an_older_format_says_what_would_rebuild_it(old: OldRelease, tmp_path: Path) -> None:
    deployment = unpack(old.commit, tmp_path / "there")
    with pytest.raises(ReleaseError, match=f"of format {old.format}") as error:
        rebuild(deployment, PROJECT, old.release, tmp_path / "again")
    said = str(error.value)
    assert f"cupel rebuild {PROJECT}/{old.release} --projects {deployment.projects}" in said
    for word in ("altered", "gone", "differs"):
        assert word not in said
    if WITH_HISTORY == 0:
        assert "git worktree add --detach" in said
    else:
        assert "requirements.lock has the SHA-256" in said
