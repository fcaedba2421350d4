"""The chain with another checker than the one built in."""

import csv
import json
from pathlib import Path

import dagster as dg
import pyarrow.compute as pc
import pytest

from chat_server import Said, reply, served
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
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


def test_a_language_model_takes_a_delivery_to_its_release_and_its_key_stays_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("MODEL_KEY", "sk-nobody-may-see-this")

    def behaviour(number: int, prompt: str) -> Said:
        text = prompt.split("\n\n")[-1]
        if number % 10 == 0:
            return Said(503) if number % 20 else reply("neither, as an AI model", [-0.1])
        return reply("cold" if any(word in text for word in ("ice", "snow", "winter", "frost")) else "warm", [-0.2])

    with served(behaviour) as server:
        llm = {"url": server.url, "model": "tiny", "key_env": "MODEL_KEY", "retries": 1, "concurrency": 1}
        deployment = write_project(
            tmp_path, items=ITEMS, release={"audit_size": 60, "error_budget": 0.1},
            checking={"checker": "llm", "llm": llm},
        )  # fmt: skip
        done, lake = run(deployment)
        assert done.broken == []
        # Rounds come again, the model is not asked again.
        assert len(server.heard) == ITEMS + sum(number % 20 == 10 for number in range(1, len(server.heard) + 1))
    found = lake.read("predictions", "one")
    assert set(found["model"].to_pylist()) == {"tiny"}
    assert set(pc.drop_null(found["abstention"]).to_pylist()) == {"the answer is none of the project's classes"}
    assert found["predicted_label"].null_count == found["posterior"].null_count > 0
    assert lake.partitions("training_set") == ["one-r1"]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (tmp_path / "lake" / "small" / "replies" / "one") in {path.parent for path in files}
    assert not any(b"sk-nobody-may-see-this" in path.read_bytes() for path in files)
    assert "sk-nobody-may-see-this" not in "".join(capfd.readouterr())
