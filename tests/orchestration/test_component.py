"""The component `cupel.Project` in a team's own workspace: what it makes there, and what it says of a wrong file."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

import cupel
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from orchestration.component import ProjectComponent
from orchestration.component_scaffolder import ProjectScaffolder
from orchestration.deployment import Deployment
from orchestration.rounds import Rounds
from own_workspace import Workspace

BATCH, RELEASE = "one", "one-r1"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "team")


def load_error(workspace: Workspace) -> str:
    """Return what a person reads who loads the workspace: the error's message and those of its causes."""
    with pytest.raises(Exception) as raised, workspace.load():  # noqa: PT011 - Dagster has several; the words are asked
        pass
    said, error = [], raised.value
    while error is not None:
        said.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(said)


def test_the_library_alone_imports_no_dagster() -> None:
    code = "import cupel, sys; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_dagster_finds_the_component_by_its_name() -> None:
    assert cupel.Project is ProjectComponent
    assert "Project" in dir(cupel)
    with pytest.raises(AttributeError, match="no attribute 'Projekt'"):
        getattr(cupel, "Projekt")  # noqa: B009 - mypy would know


def test_a_chain_that_cannot_be_imported_is_not_listed_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "orchestration.component", None)
    assert "Project" not in dir(cupel)
    with pytest.raises(ImportError, match=r"install it by `pip install 'cupel\[chain\]'`.*named assets"):
        getattr(cupel, "Project")  # noqa: B009


def test_a_package_of_the_teams_with_our_name_is_told(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.add_project("reviews")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "assets")
    monkeypatch.syspath_prepend(tmp_path)
    said = load_error(workspace)
    assert f"the package 'assets' that Python finds is {tmp_path / 'assets' / '__init__.py'}" in said
    assert "rename yours" in said


def test_a_scaffolded_component_loads_and_starts_nothing_by_itself(workspace: Workspace) -> None:
    folder = workspace.defs / "reviews"
    request = dg.ScaffoldRequest(
        type_name="cupel.Project",
        target_path=folder,
        scaffold_format="yaml",
        project_root=workspace.folder,
        params=None,
    )
    ProjectScaffolder().scaffold(request)
    lines = (folder / "defs.yaml").read_text().splitlines()
    assert lines[0] == "type: cupel.Project"
    assert len(lines) <= 10
    with workspace.load() as defs:
        assert dg.AssetKey(["reviews", "training_set"]) in {spec.key for spec in defs.resolve_all_asset_specs()}
        repository = defs.get_repository_def()
    assert {sensor.default_status.value for sensor in repository.sensor_defs} == {"STOPPED"}
    assert {schedule.default_status.value for schedule in repository.schedule_defs} == {"STOPPED"}


def test_two_projects_stand_beside_each_other_and_what_the_team_has(workspace: Workspace) -> None:
    workspace.add_project("reviews", is_automated=True)
    workspace.add_project("tickets", place="support/tickets")
    workspace.add_models("reviews")
    with workspace.load() as defs:
        repository = defs.get_repository_def()
        status = {sensor.name: sensor.default_status.value for sensor in repository.sensor_defs}
    kinds = ("forward", "inbox", "tell_of_failures", "tell_of_releases")
    ours = {
        f"{name}_{kind}": state for name, state in (("reviews", "RUNNING"), ("tickets", "STOPPED")) for kind in kinds
    }
    assert status == ours
    assert {"reviews_bench", "tickets_bench"} <= set(repository.get_top_level_resources())
    assert {"reviews_batch", "tickets_batch"} <= set(repository.job_names)


def test_a_batch_becomes_a_release_that_the_teams_model_is_made_of(workspace: Workspace) -> None:
    file = workspace.add_project("reviews")
    workspace.add_models("reviews")
    deployment = Deployment(file.parent, workspace.folder / "data", str(workspace.folder / "lake"))
    project = load_project(file.with_name("reviews.yaml"))
    model = dg.AssetKey("sentiment_model")
    check = dg.AssetCheckKey(dg.AssetKey(["reviews", "training_set"]), "training_set_has_both_labels")
    with workspace.load() as defs, dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("reviews_batches", [BATCH])
        job = defs.resolve_job_def("reviews_batch")
        assert job.execute_in_process(instance=instance, partition_key=BATCH).success
        done = Rounds(project, deployment, instance).run()  # the crew's and the expert's answers, up to a release
        everything = defs.resolve_implicit_global_asset_job_def()
        theirs = everything.get_subset(asset_selection={model}, asset_check_selection={check})
        made = theirs.execute_in_process(instance=instance, partition_key=RELEASE)
    assert not done.broken
    (event,) = made.get_asset_materialization_events()
    rows = Lake(deployment.lake, "reviews").read("training_set", RELEASE).num_rows
    assert event.materialization.metadata["rows"].value == rows > 100
    assert [evaluation.passed for evaluation in made.get_asset_check_evaluations()] == [True]


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"project": "review.yaml"}, ["reviews/defs.yaml: attributes.project: found 'review.yaml'", "dg scaffold"]),
        ({"lake": "reviews.yaml/x"}, ["reviews/defs.yaml: attributes.lake: found 'reviews.yaml/x'", "is a file"]),
        ({"lakes": "lake"}, ["lakes", "Extra inputs are not permitted"]),
        ({"is_automated": "sometimes"}, ["is_automated", "sometimes"]),
    ],
    ids=["no project file", "lake below a file", "unknown key", "no truth value"],
)  # fmt: skip
def test_a_wrong_attribute_is_named_with_its_file(
    workspace: Workspace, attributes: dict[str, Any], words: list[str]
) -> None:
    workspace.add_project("reviews", **attributes)
    said = load_error(workspace)
    for word in [*words, "defs.yaml"]:
        assert word in said


def test_a_wrong_key_of_the_project_file_is_named(workspace: Workspace) -> None:
    file = workspace.add_project("reviews").with_name("reviews.yaml")
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"ownr": "team:a"}))
    assert f"{file}: key ownr" in load_error(workspace)


def test_a_second_component_of_a_project_is_refused(workspace: Workspace) -> None:
    workspace.add_project("reviews")
    (workspace.defs / "again").mkdir()
    text = (workspace.defs / "reviews" / "defs.yaml").read_text().replace("reviews.yaml", "../reviews/reviews.yaml")
    (workspace.defs / "again" / "defs.yaml").write_text(text)
    said = load_error(workspace)
    assert "2 components of this workspace have a project 'reviews' (../reviews/reviews.yaml, reviews.yaml)" in said
