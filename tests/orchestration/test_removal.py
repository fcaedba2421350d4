"""An annotator who spams is removed by policy: an event, rejected answers, and the questions put to others."""

import csv
import random
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from cupel.cli import main
from cupel.kinds.projects import load_project
from cupel.lake.annotator_actions import ACTIONS, Action
from cupel.lake.lake import Lake
from orchestration.rounds import Rounds
from small_project import write_project

ITEMS = 120
CREW = ("spam", "ann", "bob", "cy")


@pytest.fixture(scope="module")
def rounds(tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    folder = tmp_path_factory.mktemp("removal")
    deployment = write_project(
        folder, items=ITEMS,
        labeling={"overlap": {"first": 3, "most": 3}, "policies": {"constant": "remove"},
                  "vendors": {"honest": ["ann", "bob", "cy"], "cheap": ["spam"]}},
        thresholds={name: {"value": 1.0, "reason": "three people label all"} for name in ("largest_answer_share",)},
    )  # fmt: skip
    _with_spammer(folder / "data" / "small" / "answers.csv")
    project = load_project(deployment.projects / "small.yaml")
    rounds = Rounds(project, deployment, dg.DagsterInstance.ephemeral())
    rounds.run()
    return rounds


def _with_spammer(path: Path) -> None:
    """Put a crew of four in place of the recorded one, the first of them always saying warm."""
    rng = random.Random(7)
    rows = list(csv.DictReader(path.open()))
    truth = {row["item_id"]: row["label"] for row in rows if row["purpose"] == "expert"}
    other = {"warm": "cold", "cold": "warm"}
    made = [row for row in rows if row["purpose"] == "expert"]
    for item, label in truth.items():
        for name in CREW:
            said = "warm" if name == "spam" else other[label] if rng.random() < 0.08 else label
            made.append({"batch": "one", "item_id": item, "purpose": "label", "annotator": name, "label": said})
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["batch", "item_id", "purpose", "annotator", "label"])
        writer.writeheader()
        writer.writerows(made)


def removals(lake: Lake) -> list[Action]:
    return [action for action in lake.actions.read("one") if action.deed == "remove"]


def test_the_spammer_is_removed_once_with_evidence(rounds: Rounds) -> None:
    (action,) = removals(rounds.lake)
    assert (action.annotator, action.finding, action.weight, action.asked_by) == ("spam", "constant", 0.0, "policy")
    assert "100% of the answers are 'warm'" in action.evidence
    assert action.answers_until > 0


def test_removed_answers_are_rejected_with_the_reason_and_none_is_lost(rounds: Rounds) -> None:
    kept, rejected = rounds.lake.read("annotations", "one"), rounds.lake.read("rejected_answers", "one")
    assert "spam" not in kept["annotator"].to_pylist()
    assert {(row["annotator"], row["reason"]) for row in rejected.to_pylist()} == {("spam", "annotator_removed")}
    assert rejected["evidence"][0].as_py().startswith("constant: ")
    assert kept.num_rows + rejected.num_rows == rounds.lake.answers.read("one", ["label"]).num_rows


def test_the_questions_are_put_to_others(rounds: Rounds) -> None:
    items = rounds.lake.read("clean_items", "one").num_rows
    assert rounds.lake.read("annotations", "one").num_rows == 3 * items
    assert rounds.lake.read("tasks", "one").num_rows == 4 * items


def test_nothing_was_frozen_before_the_spammer_was_out(rounds: Rounds) -> None:
    until = rounds.lake.read("release_plan", "one-r1")["answers_until"][0].as_py()
    assert until > removals(rounds.lake)[0].answers_until
    assert len(rounds.releases()) == 1


def test_a_second_run_does_nothing_and_the_event_stays_as_it_was(rounds: Rounds) -> None:
    folder = rounds.lake.folder / ACTIONS
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    done = Rounds(rounds._file, rounds.deployment, rounds.instance).run()
    assert done.runs == []
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files


def test_a_person_may_restore_the_annotator_and_no_policy_undoes_it(rounds: Rounds) -> None:
    said = CliRunner().invoke(
        main,
        ["annotator", "small", "one", "spam", "restore", "--why", "the interface was broken", "--by", "ada@example.org",
         "--projects", str(rounds.deployment.projects), "--lake", rounds.deployment.lake],
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    assert rounds.lake.actions.read("one")[-1].evidence == "the interface was broken"
    Rounds(rounds._file, rounds.deployment, rounds.instance).run()
    assert "spam" in rounds.lake.read("annotations", "one")["annotator"].to_pylist()
    assert len(removals(rounds.lake)) == 1
    assert {row["vendor"] for row in rounds.lake.read("vendors", "one").to_pylist()} == {"honest", "cheap"}
