"""A project of kind preference goes through the whole chain, from pairs of responses to a certified release."""

import json
from collections import Counter
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from cupel.cli import main
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.modalities.comparison import from_text
from cupel.release.facts import release_facts
from cupel.release.verify import verify_release
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from preference_project import GOOD, verdict, write_project

Finished = tuple[Deployment, Done, Lake]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    deployment = write_project(tmp_path_factory.mktemp("pairs"))
    project = load_project(deployment.projects / "pairs.yaml")
    rounds = Rounds(project, deployment, dg.DagsterInstance.ephemeral())
    return deployment, rounds.run(), rounds.lake


def truth(text: str) -> str:
    comparison = from_text(text)
    return verdict(*(sum(word in GOOD for word in part.split()) for part in comparison[1:]))


def test_comparisons_end_in_a_certified_release(finished: Finished) -> None:
    deployment, done, lake = finished
    assert done.broken == []
    facts = release_facts(lake, load_project(deployment.projects / "pairs.yaml"), "one-r1")
    assert facts.verdict == "PASS"
    rows = lake.read("training_set", "one-r1").to_pylist()
    wrong = sum(row["label"] != truth(row["text"]) for row in rows)
    assert wrong <= facts.terms.error_budget * len(rows)


def test_the_release_verifies(finished: Finished) -> None:
    _, _, lake = finished
    assert verify_release(Path(str(lake.folder)) / "releases" / "one-r1").is_passed


def test_comparisons_of_one_prompt_stay_in_one_split(finished: Finished) -> None:
    _, _, lake = finished
    splits: dict[str, set[str]] = {}
    for row in lake.read("training_set", "one-r1").to_pylist():
        splits.setdefault(from_text(row["text"]).prompt, set()).add(row["split"])
    assert Counter(len(found) for found in splits.values()) == {1: len(splits)}


def test_a_release_exports_the_chosen_before_the_rejected(finished: Finished, tmp_path: Path) -> None:
    _, _, lake = finished
    release = Path(str(lake.folder)) / "releases" / "one-r1"
    said = CliRunner().invoke(main, ["export", str(release), "--to", str(tmp_path)])
    assert said.exit_code == 0, said.output
    rows = lake.read("training_set", "one-r1").to_pylist()
    lines = [json.loads(line) for path in tmp_path.glob("*.jsonl") for line in path.read_text().splitlines()]
    labels = {row["item_id"]: row["label"] for row in rows}
    assert len(lines) == sum(label != "tie" for label in labels.values())
    for line in lines:
        first, second = (line[part] for part in ("chosen", "rejected"))
        text = next(row["text"] for row in rows if row["item_id"] == line["item_id"])
        parts = from_text(text)
        assert (first, second) == (parts[1:] if labels[line["item_id"]] == "first" else parts[:0:-1])


def test_a_folder_without_a_release_is_an_error_with_its_reason(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["export", str(tmp_path), "--to", str(tmp_path / "out")])
    assert said.exit_code == 1
    assert "no release here" in said.output


def test_responses_and_habits_are_tables_of_the_lake(finished: Finished) -> None:
    _, _, lake = finished
    assert lake.commit("responses", "one").rows == 240  # type: ignore[union-attr]
    bias = {row["annotator"]: row["first_of_equals"] for row in lake.read("habits", "one").to_pylist()}
    assert max(bias, key=bias.__getitem__) == "cy"


def test_the_gate_speaks_of_cycles_and_position(finished: Finished) -> None:
    _, _, lake = finished
    checks = {row["check"]: row["outcome"] for row in lake.read("gate_results", "responses--one").to_pylist()}
    assert set(checks) == {"cyclic_share", "position_bias"}
