"""The chain with another checker than the one built in."""

import csv
import json
from pathlib import Path

import dagster as dg
import pyarrow.compute as pc
import pytest

from cupel.lake import Lake
from cupel.project import load_project
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from small_project import write_project

ITEMS = 120


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return write_project(
        tmp_path, items=ITEMS, release={"audit_size": 60, "error_budget": 0.1},
        checking={"checker": "predictions", "predictions": {"file": "small/model.csv", "model": "thermometer"}},
    )  # fmt: skip


def run(deployment: Deployment) -> tuple[Done, Lake]:
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, dg.DagsterInstance.ephemeral())
    return rounds.run(), rounds.lake


def write_predictions(deployment: Deployment, silent: int = 10) -> None:
    """Write what a model says that knows which words are warm, of all but the last items."""
    path = deployment.data / "small" / "model.csv"
    lines = (deployment.data / "small" / "one.jsonl").read_text().splitlines()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_id", "warm", "cold"])
        for line in lines[: len(lines) - silent]:
            item = json.loads(line)
            is_cold = any(word in item["text"] for word in ("ice", "snow", "winter", "frost", "hail", "glacier"))
            writer.writerow([item["id"], 0.05 if is_cold else 0.9, 0.95 if is_cold else 0.1])


def test_a_teams_own_model_takes_a_delivery_to_its_release(deployment: Deployment) -> None:
    write_predictions(deployment)
    done, lake = run(deployment)
    assert done.broken == []
    found = lake.read("predictions", "one")
    assert set(found["model"].to_pylist()) == {"thermometer"}
    assert found["predicted_label"].null_count == 10
    assert pc.drop_null(found["abstention"]).to_pylist() == ["the file has no row for it"] * 10
    assert lake.partitions("training_set") == ["one-r1"]
    assert run(deployment)[0].runs == []
    write_predictions(deployment, silent=20)
    again, lake = run(deployment)
    assert again.runs
    assert lake.read("predictions", "one")["predicted_label"].null_count == 20


def test_a_missing_file_breaks_checking_and_says_what_to_bring(deployment: Deployment) -> None:
    done, lake = run(deployment)
    assert len(done.broken) == 1
    assert lake.partitions("annotations") == ["one"]
    assert lake.partitions("predictions") == lake.partitions("labels") == []
