"""Private data and evaluation sets through the chain: tokens that hold, and references whose change is seen."""

import json
from pathlib import Path

import dagster as dg
import pytest
import yaml

from cupel.cleaning.mask_key import KEY
from cupel.contract.stages import project_steps
from cupel.kinds.projects import load_project
from cupel.lake.gates import gate_rows
from cupel.lake.lake import Lake
from cupel.lake.stage_seconds import read_cpu
from cupel.release.places import release_folder, report_folder
from cupel.release.verify import verify_release
from orchestration.deployment import Deployment
from orchestration.freshness import stale_tables
from orchestration.rebuild import rebuild
from orchestration.rounds import Rounds
from small_project import write_project

ITEMS = 120
REFERENCES = "sums.jsonl"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Deployment, Lake]:
    """A finished deployment: two items name one address, a third holds a question of the reference set."""
    deployment = write_project(tmp_path_factory.mktemp("private"), items=ITEMS)
    file = deployment.data / "small" / "one.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[0]["text"] += " Write to jo@example.org soon."
    rows[1]["text"] += " JO@example.org says so."
    rows[2]["text"] += " Of seven apples three are eaten, how many are left? Four."
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    question = {"q": "Of seven apples three are eaten, how many are left?", "a": "four", "id": "q7"}
    (deployment.data / REFERENCES).write_text(json.dumps(question) + "\n")
    path = deployment.projects / "small.yaml"
    content = yaml.safe_load(path.read_text())
    content["cleaning"] = {**content.get("cleaning", {}), "overlap": [
        {"name": "sums", "path": REFERENCES, "columns": ["q"], "answer_column": "a", "id_column": "id"}
    ]}  # fmt: skip
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    rounds = Rounds(load_project(path), deployment, dg.DagsterInstance.ephemeral())
    assert [run.error for run in rounds.run().broken] == []
    return deployment, rounds.lake


def test_one_address_has_one_token_and_is_counted(finished: tuple[Deployment, Lake]) -> None:
    signals = {row["item_id"]: row for row in finished[1].read("item_signals", "one").to_pylist()}
    tokens = [signals[item]["text"].split("<EMAIL-")[1][:10] for item in ("i0", "i1")]
    assert tokens[0] == tokens[1]
    assert [signals[item]["emails_masked"] for item in ("i0", "i1", "i2")] == [1, 1, 0]
    assert (Path(str(finished[1].folder)) / KEY).exists()


def test_an_item_that_holds_a_question_is_rejected_and_names_it(finished: tuple[Deployment, Lake]) -> None:
    rejected = {row["item_id"]: row for row in finished[1].read("rejected_items", "one").to_pylist()}
    row = rejected["i2"]
    assert (row["reason"], row["value"]) == ("evaluation_overlap", 1.0)
    assert row["evidence"] == "sums, row 1 (id q7): all its 10 words, and its answer"


def test_the_release_is_held_against_the_set_once_more_and_says_so(finished: tuple[Deployment, Lake]) -> None:
    lake = finished[1]
    (release,) = lake.partitions("training_set")
    (row,) = lake.read("release_overlaps", release).to_pylist()
    assert (row["reference_set"], row["items"], row["items_over"]) == (
        "sums",
        lake.read("release_items", release).num_rows,
        0,
    )
    (gate,) = [row for row in gate_rows(lake, release) if row["check"] == "items_overlapping"]
    assert (gate["outcome"], gate["observed"]) == ("pass", 0.0)
    folder = Path(str(release_folder(lake, release)))
    assert "items were held against sums (1 rows, 0 of them too short to look for" in (folder / "README.md").read_text()
    assert [check.problem for check in verify_release(folder).checks if not check.is_passed] == []


def test_a_release_is_rebuilt_to_the_same_bytes_with_the_lakes_own_key(
    finished: tuple[Deployment, Lake], tmp_path: Path
) -> None:
    deployment, lake = finished
    (release,) = lake.partitions("training_set")
    comparison = rebuild(deployment, "small", release, tmp_path / "again")
    assert comparison.is_same, comparison


def test_another_version_of_a_reference_set_makes_the_batch_anew(finished: tuple[Deployment, Lake]) -> None:
    deployment, lake = finished
    project = load_project(deployment.projects / "small.yaml")
    steps = project_steps(project, "batch")
    assert stale_tables(lake, project, deployment.data, "one", steps) == []
    with (deployment.data / REFERENCES).open("a") as file:
        file.write(json.dumps({"q": "And how many are there if two more are bought?", "a": "six", "id": "q8"}) + "\n")
    assert "item_signals" in stale_tables(lake, project, deployment.data, "one", steps)


def test_the_share_of_compute_that_cleaning_took_is_in_the_record_of_the_run(finished: tuple[Deployment, Lake]) -> None:
    lake = finished[1]
    cpu = read_cpu(lake, ["one", *lake.partitions("release_plan")])
    assert {"raw", "cleaning", "labeling", "checking", "release", "gates"} <= set(cpu)
    assert cpu["cleaning"] > 0
    record = json.loads((report_folder(lake, lake.partitions("release_plan")[0]) / "run.json").read_text())
    assert 0 < record["cleaning_cpu_share"] < 1
    assert record["cpu_seconds"]["cleaning"] <= cpu["cleaning"]
