"""The whole chain with people in Label Studio: rounds publish, people answer, and it ends in a certified release."""

import random
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import label_studio_server
from cupel.project import load_project
from cupel.release.facts import release_facts
from label_studio_server import LEGACY, LabelStudioServer
from orchestration.rounds import Rounds
from small_project import WORDS, write_project

CREW = ["ann@x.org", "bob@x.org", "cy@x.org"]


def truth(task: dict[str, Any]) -> str:
    return "warm" if set(task["data"]["text"].split()) & set(WORDS["warm"]) else "cold"


def work(server: LabelStudioServer, rng: random.Random) -> int:
    """Let everybody answer what the server shows them: the crew with errors, the expert without; count the answers."""
    done = 0
    for group, people, error in (("annotators", CREW, 0.05), ("experts", ["eve@x.org"], 0.0)):
        for task in server.shown(group) if any(p["title"].endswith(group) for p in server.projects.values()) else []:
            said = {server.users[note["completed_by"]] for note in task["annotations"]}
            for person in [person for person in people if person not in said][: task["overlap"] - len(said)]:
                label = truth(task)
                wrong = {"warm": "cold", "cold": "warm"}[label]
                server.annotate(task, person, wrong if rng.random() < error else label)
                done += 1
    return done


def test_rounds_with_live_people_end_in_a_release_whose_labels_are_what_they_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUPEL_LABEL_STUDIO_TOKEN", LEGACY)
    instance, rng = dg.DagsterInstance.ephemeral(), random.Random(1)
    with label_studio_server.served() as server:
        people = {
            "annotators": {name: f"{name}@x.org" for name in ("ann", "bob", "cy")},
            "experts": {"eve": "eve@x.org"},
        }
        deployment = write_project(
            tmp_path, items=120, labeling={"workforce": "label_studio", "answers": []},
            label_studio={"url": server.url, "most_open": 100, **people},
        )  # fmt: skip
        answered = 0
        for _ in range(9):
            rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, instance)
            done = rounds.run()
            assert done.broken == []
            new = work(server, rng)
            answered += new
            if not new:
                break
    lake = rounds.lake
    facts = release_facts(lake, rounds.project, "one-r1")
    assert done.tasks_open == 0
    assert facts.verdict == "PASS"
    log = lake.answers.read()
    assert log.num_rows == answered
    assert log["task_id"].null_count == 0
    assert set(log["annotator"].to_pylist()) == {"ann", "bob", "cy", "eve"}
    assert all(source.startswith("label_studio:") for source in log["source"].to_pylist())
