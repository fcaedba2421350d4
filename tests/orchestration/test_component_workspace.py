"""The component `cupel.Project` as a team meets it: by `dg`, on a new instance with Dagster's own launcher."""

import json

import pytest

from cupel.lake.lake import Lake
from own_workspace import Workspace

BATCH = "one"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("workspace") / "team")
    workspace.add_project("reviews")
    workspace.add_models("reviews")
    return workspace


def test_dg_finds_the_definitions_right(workspace: Workspace) -> None:
    checked = workspace.run_dg("check", "defs")  # YAML first
    assert checked.returncode == 0, checked.stderr
    assert "All component YAML validated successfully" in checked.stdout
    assert "All definitions loaded successfully" in checked.stdout


def test_a_batch_is_launched_on_a_new_instance(workspace: Workspace) -> None:
    launched = workspace.run_dg("launch", "--job", "reviews_batch", "--partition", BATCH)
    assert launched.returncode == 0, launched.stderr
    lake = Lake(workspace.folder / "lake", "reviews")
    assert lake.read("raw_items", BATCH).num_rows == 200
    assert lake.commit("tasks", BATCH) is not None


def test_dg_lists_the_teams_assets_beside_ours(workspace: Workspace) -> None:
    listed = workspace.run_dg("list", "defs", "--json")
    assert listed.returncode == 0, listed.stderr
    content = json.loads(listed.stdout)
    assert {"reviews/training_set", "sentiment_model"} <= {asset["asset_key"] for asset in content["assets"]}
    assert "training_set_has_both_labels" in json.dumps(content["asset_checks"])
