"""The whole chain with people in Label Studio: rounds publish, people answer, and it ends in a certified release."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import label_studio_server
from cupel.kinds.projects import load_project
from cupel.release.facts import release_facts
from cupel.release.places import release_folder
from cupel.release.verify import verify_release
from label_studio_server import LEGACY, LabelStudioServer
from orchestration.rounds import Done, Rounds
from small_project import WORDS, write_project

CREW = ["ann@x.org", "bob@x.org", "cy@x.org", "dan@x.org"]


SEED = 1


def truth(task: dict[str, Any]) -> str:
    return "warm" if set(task["data"]["text"].split()) & set(WORDS["warm"]) else "cold"


Says = Callable[[str, dict[str, Any], str], Any]


def right(person: str, task: dict[str, Any], label: str) -> Any:
    return label


def work(server: LabelStudioServer, rng: random.Random, says: Says = right) -> int:
    """Let everybody answer what the server shows them: the crew with errors, the expert without; count the answers.

    `says` turns what a person would say into what that person says: None skips.
    """
    done = 0
    for group, people, error in (
        ("calibration", CREW, 0.0),
        ("annotators", CREW, 0.05),
        ("experts", ["eve@x.org"], 0.0),
    ):
        for task in server.shown(group) if any(p["title"].endswith(group) for p in server.projects.values()) else []:
            said = {server.users[note["completed_by"]] for note in task["annotations"]}
            answers = sum(not note["was_cancelled"] for note in task["annotations"])
            for person in [person for person in people if person not in said][: task["overlap"] - answers]:
                label = truth(task)
                wrong = {"warm": "cold", "cold": "warm"}[label]
                server.annotate(task, person, says(person, task, wrong if rng.random() < error else label))
                done += 1
    return done


def run_rounds(
    folder: Path,
    server: LabelStudioServer,
    says: Says = right,
    rounds: int = 9,
    items: int = 120,
    calibration: dict[str, Any] | None = None,
    **labeling: Any,
) -> tuple[Rounds, Done, int]:
    """Run rounds until nobody answers any more; return them, what the last did, and the answers given."""
    server.users[6] = "dan@x.org"
    people = {
        "annotators": {name: f"{name}@x.org" for name in ("ann", "bob", "cy", "dan")},
        "experts": {"eve": "eve@x.org"},
    }
    instance, rng = dg.DagsterInstance.ephemeral(), random.Random(1)
    deployment = write_project(
        folder, items=items, seed=SEED, labeling={"workforce": "label_studio", "answers": [], **labeling},
        label_studio={"url": server.url, "most_open": 100, "calibration": calibration, **people},
    )  # fmt: skip
    answered = 0
    for _ in range(rounds):
        made = Rounds(load_project(deployment.projects / "small.yaml"), deployment, instance)
        done = made.run()
        assert done.broken == []
        new = work(server, rng, says)
        answered += new
        if not new:
            break
    return made, done, answered


def test_what_annotators_skip_or_flag_is_decided_by_an_expert_and_nobody_is_asked_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUPEL_LABEL_STUDIO_TOKEN", LEGACY)
    odd: set[str] = set()

    def says(person: str, task: dict[str, Any], label: str) -> Any:
        odd.update([task["data"]["text"]] if len(odd) < 10 else [])
        return None if person in CREW and task["data"]["text"] in odd else label

    with label_studio_server.served() as server:
        rounds, done, answered = run_rounds(tmp_path, server, says)
    assert done.tasks_open == 0
    lake = rounds.lake
    log = lake.answers.read()
    assert log.num_rows == answered
    assert log["task_id"].null_count == 0
    assert {"ann", "bob", "eve"} <= set(log["annotator"].to_pylist()) <= {"ann", "bob", "cy", "dan", "eve"}
    assert all(source.startswith("label_studio:") for source in log["source"].to_pylist())
    labels = {row["item_id"]: row for row in lake.read("labels", "one").to_pylist()}
    undecided = {name for name, row in labels.items() if row["decided_by"] == "nobody"}
    texts = {row["item_id"]: row["text"] for row in lake.read("clean_items", "one").to_pylist()}
    assert {texts[name] for name in undecided} == odd
    assert release_facts(lake, rounds.project, "one-r1").verdict == "PASS"
    released = {row["item_id"]: row for row in lake.read("training_set", "one-r1").to_pylist()}
    for name in undecided:
        assert released[name]["label"] == truth({"data": {"text": texts[name]}})
        assert released[name]["decided_by"] in ("audit", "expert")
    skips = lake.read("rejected_answers", "one").to_pylist()
    assert {row["item_id"] for row in skips if row["reason"] == "undecided"} == undecided
    assert all(sum(row["item_id"] == name for row in skips) in (3, 4) for name in undecided)
    assert verify_release(Path(str(release_folder(lake, "one-r1")))).is_passed


def write_gold(folder: Path) -> None:
    """Write the known labels of every third item that `run_rounds` has labelled."""
    texts = write_project(folder / "same", items=120, seed=SEED).data / "small" / "one.jsonl"
    known = [json.loads(line) for line in texts.read_text().splitlines()][::3]
    (folder / "data").mkdir()
    rows = [f"one,{item['id']},{truth({'data': item})}" for item in known]
    (folder / "data" / "gold.csv").write_text("\n".join(["batch,item_id,label", *rows]) + "\n")


def test_an_annotator_below_the_bar_on_hidden_gold_is_removed_and_the_work_is_put_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUPEL_LABEL_STUDIO_TOKEN", LEGACY)
    write_gold(tmp_path)

    def says(person: str, task: dict[str, Any], label: str) -> Any:
        return {"warm": "cold", "cold": "warm"}[label] if person == "bob@x.org" else label

    policies = {"below_bar": "remove", "least_right": 0.8}
    with label_studio_server.served() as server:
        rounds, done, answered = run_rounds(tmp_path, server, says, gold="gold.csv", policies=policies)
    lake = rounds.lake
    assert done.tasks_open == 0
    deeds = [(action.annotator, action.deed, action.finding) for action in lake.actions.read("one")]
    assert [deed for deed in deeds if deed[1] != "warn"] == [("bob", "remove", "below_bar")]
    theirs = lake.answers.read("one", ["label"]).to_pylist()
    rejected = {row["sequence"]: row["reason"] for row in lake.read("rejected_answers", "one").to_pylist()}
    of_bob = [row for row in theirs if row["annotator"] == "bob"]
    assert {rejected[row["sequence"]] for row in of_bob} == {"annotator_removed"}
    # What bob had answered was put to others: every item has two that count, of other people.
    kept = lake.read("annotations", "one").to_pylist()
    assert all(sum(row["item_id"] == item for row in kept) >= 2 for item in {row["item_id"] for row in of_bob})
    assert release_facts(lake, rounds.project, "one-r1").verdict == "PASS"
    assert lake.answers.read().num_rows == answered


def test_who_fails_the_calibration_labels_nothing_that_counts_and_the_others_finish_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUPEL_LABEL_STUDIO_TOKEN", LEGACY)
    write_gold(tmp_path)

    def says(person: str, task: dict[str, Any], label: str) -> Any:
        return {"warm": "cold", "cold": "warm"}[label] if person == "bob@x.org" else label

    with label_studio_server.served() as server:
        rounds, done, answered = run_rounds(tmp_path, server, says, calibration={"items": 10}, gold="gold.csv")
    lake = rounds.lake
    assert done.tasks_open == 0
    log = lake.answers.read("one").to_pylist()
    assert len(log) == answered
    assert sum(row["purpose"] == "calibration" for row in log) == 4 * 10
    assert set(lake.read("annotations", "one")["annotator"].to_pylist()) == {"ann", "cy", "dan"}
    reasons = {row["annotator"]: row["reason"] for row in lake.read("rejected_answers", "one").to_pylist()}
    assert reasons["bob"] == "not_calibrated"
    assert release_facts(lake, rounds.project, "one-r1").verdict == "PASS"
    # What the calibration showed measures nobody afterwards.
    shown = {row["item_id"] for row in log if row["purpose"] == "calibration"}
    known = {line.split(",")[1] for line in (tmp_path / "data" / "gold.csv").read_text().splitlines()[1:]}
    kept = lake.read("annotations", "one").to_pylist()
    for row in lake.read("annotators", "one").to_pylist():
        theirs = {one["item_id"] for one in kept if one["annotator"] == row["annotator"]}
        assert row["gold_answers"] == len(theirs & (known - shown))
