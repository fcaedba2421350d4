"""A lake with a history: two releases, contested items, answers that do not count, rejected rows, hostile names."""

import json
from pathlib import Path

import dagster as dg
import pytest
from hostile_names import HOSTILE_ID, HOSTILE_TEXT

from cupel.kinds.projects import load_project
from orchestration.rounds import Rounds
from small_project import write_project


@pytest.fixture(scope="session")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with two releases, contested items, answers that do not count, rejected rows and hostile names."""
    deployment = write_project(
        tmp_path_factory.mktemp("traced"), items=140, crew_error=0.05, release={"audit_size": 100, "error_budget": 0.1},
        labeling={"are_annotators_known": {"one": False}},
    )  # fmt: skip
    data = deployment.data / "small"
    rows = (data / "one.jsonl").read_text().splitlines()
    twin = {**json.loads(rows[5]), "id": "twin"}
    hostile = {"id": HOSTILE_ID, "text": HOSTILE_TEXT, "note": "[blink]"}
    again = {**json.loads(rows[3]), "note": "again"}
    extra = [json.dumps(twin), json.dumps(hostile), "{", json.dumps(again)]
    (data / "one.jsonl").write_text("\n".join(rows + extra) + "\n")
    said = (data / "answers.csv").read_text().splitlines()
    first = ["one,ghost,label,ann,warm", "one,i3,label,ann,purple", "one,i4,label,,warm", "one,i4,label,,warm"]
    evil = f'one,"{HOSTILE_ID}",label,"[green]eve\x1b[32m",warm'
    hostile_answers = [evil, f'one,"{HOSTILE_ID}",label,bob,warm', f'one,"{HOSTILE_ID}",expert,eve,warm']
    kept = [row for row in said[1:] if not row.startswith("one,i4,label")]
    kept = [row.rpartition(",")[0] + "," if row.startswith(("one,i7,expert", "one,i8,expert")) else row for row in kept]
    (data / "answers.csv").write_text("\n".join([said[0], *first, *hostile_answers, *kept]) + "\n")
    project = load_project(deployment.projects / "small.yaml")
    instance = dg.DagsterInstance.ephemeral()
    for wanted in ([], ["one"]):
        done = Rounds(project, deployment, instance, wanted=wanted).run()
        assert [run.error for run in done.broken] == []
        assert done.tasks_open == 0
    return Path(deployment.lake)
