"""The engineer's walk: a project becomes part of the team's own `dg` workspace, and its own model comes after it.

`tests/orchestration/test_component_workspace.py` holds what `dg` finds there in detail.
"""

import json

import pytest

from cupel.lake.lake import Lake
from own_workspace import Workspace

pytestmark = pytest.mark.walks

BATCH, MOST_LINES = "one", 10


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = Workspace(tmp_path_factory.mktemp("engineer") / "team")
    workspace.add_models("reviews")
    return workspace


def test_ten_lines_add_a_project_and_dg_finds_them_right(workspace: Workspace) -> None:
    added = workspace.add_project("reviews")
    assert len(added.read_text().splitlines()) <= MOST_LINES
    checked = workspace.run_dg("check", "defs")
    assert checked.returncode == 0, checked.stderr
    assert "All definitions loaded successfully" in checked.stdout


def test_a_batch_is_launched_as_any_job_of_the_team(workspace: Workspace) -> None:
    launched = workspace.run_dg("launch", "--job", "reviews_batch", "--partition", BATCH)
    assert launched.returncode == 0, launched.stderr
    assert Lake(workspace.folder / "lake", "reviews").read("labels", BATCH).num_rows == 200


def test_the_teams_model_stands_behind_the_released_training_set(workspace: Workspace) -> None:
    listed = workspace.run_dg("list", "defs", "--json")
    assert listed.returncode == 0, listed.stderr
    assets = {asset["asset_key"]: asset for asset in json.loads(listed.stdout)["assets"]}
    assert "reviews/training_set" in json.dumps(assets["sentiment_model"])
