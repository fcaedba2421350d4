"""A real Label Studio server: people take what it gives them next, through its API, until a release is certified."""

import os
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from cupel.label_studio.events import Events
from cupel.label_studio.record import Records
from cupel.project import load_project
from cupel.release.facts import release_facts
from orchestration.rounds import Rounds
from people import Answer, Person
from samples.label_studio import REPOSITORY, Server
from small_project import WORDS, write_project

PROGRAM = Path(os.environ.get("CUPEL_LABEL_STUDIO", REPOSITORY / ".label-studio" / "env" / "bin" / "label-studio"))
ITEMS = int(os.environ.get("CUPEL_LIVE_ITEMS", "200"))
PORT = int(os.environ.get("CUPEL_LIVE_PORT", "8179"))

pytestmark = pytest.mark.live


def truth(task: dict[str, Any]) -> str:
    return "warm" if set(task["data"]["text"].split()) & set(WORDS["warm"]) else "cold"


def with_errors(share: float) -> Answer:
    def answer(task: dict[str, Any], rng: random.Random) -> str:
        right = truth(task)
        return {"warm": "cold", "cold": "warm"}[right] if rng.random() < share else right

    return answer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Server, list["subprocess.Popen[bytes]"]]]:
    if not PROGRAM.is_file():
        pytest.skip(f"{PROGRAM} is not there: run `make test-live`")
    server = Server(tmp_path / "server", PROGRAM, PORT)
    server.folder.mkdir()
    if data := os.environ.get("CUPEL_LIVE_DATA"):  # a database made before, which saves the first start's minute
        shutil.copytree(data, server.folder / "data")
    processes = [process for process in [server.start()] if process is not None]
    yield server, processes
    for process in processes:
        process.kill()
        process.wait()


def test_people_on_a_real_server_lead_to_a_release_whose_labels_are_what_they_answered(
    server: tuple[Server, list["subprocess.Popen[bytes]"]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, processes = server
    tokens = {name: person.token for name, person in there.people.items()}
    monkeypatch.setenv("CUPEL_LABEL_STUDIO_TOKEN", tokens["admin"])
    emails = {name: person.email for name, person in there.people.items()}
    deployment = write_project(
        tmp_path, items=ITEMS, labeling={"workforce": "label_studio", "answers": []},
        label_studio={
            "url": there.url, "annotators": {name: emails[name] for name in ("ann", "bob", "cy")},
            "experts": {"eve": emails["eve"]},
        },
    )  # fmt: skip
    errors = {"ann": 0.03, "bob": 0.08, "cy": 0.05, "eve": 0.0}
    crew = {name: Person(there.url, tokens[name], with_errors(share), 1) for name, share in errors.items()}
    instance = dg.DagsterInstance.ephemeral()
    for number in range(9):
        rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, instance)
        done = rounds.run()
        assert done.broken == []
        if number == 1:
            processes[0].kill()
            processes[0].wait()
            processes[:] = [process for process in [there.start()] if process is not None]
            for name, person in crew.items():
                person.log_in(there.people[name].token)
            monkeypatch.setenv("CUPEL_LABEL_STUDIO_TOKEN", there.people["admin"].token)
        turns = [crew[name].work("annotators", most) for most in (5, 10**6) for name in ("ann", "bob", "cy")]
        if not sum(turns) + crew["eve"].work("experts"):
            break
    log = rounds.lake.answers.read().to_pylist()
    clean = {row["item_id"]: row["text"] for row in rounds.lake.read("clean_items", "one").to_pylist()}
    said = Counter((name, text, label) for name, person in crew.items() for text, label in person.said)
    assert Counter((row["annotator"], clean[row["item_id"]], row["label"]) for row in log) == said
    assert [row for row in log if row["task_id"] is None] == []
    assert Events(rounds.lake).read() == []
    assert done.tasks_open == 0
    assert release_facts(rounds.lake, rounds.project, "one-r1").verdict == "PASS"
    assert not any(put.is_open for put in Records(rounds.lake).read("annotators").puts.values())
