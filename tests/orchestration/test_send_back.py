"""Items sent back through the chain: an event, tasks with the reason, new answers, and a release as an attempt."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from cupel.check.check import find_damage
from cupel.cli import main
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.verify import verify_release
from orchestration.deployment import Deployment
from orchestration.rebuild import rebuild
from orchestration.rounds import Rounds
from small_project import write_project

REASON = "read rule 4: judge the thing, not the place"
# The items of the small project that most of the crew has wrong.
SENT = ("i28", "i70", "i75")


def run(deployment: Deployment, *wanted: str) -> Lake:
    project = load_project(deployment.projects / "small.yaml")
    with dg.DagsterInstance.ephemeral() as instance:
        rounds = Rounds(project, deployment, instance, wanted=wanted)
        rounds.run()
        assert [done.error for done in rounds.runs if done.error] == []
        return rounds.lake


def cupel(deployment: Deployment, *words: str) -> Result:
    there = ["--projects", str(deployment.projects), "--data", str(deployment.data), "--lake", str(deployment.lake)]
    return CliRunner().invoke(main, [*words, *there])


def send_back(deployment: Deployment, *words: str, reason: str = REASON) -> Result:
    return cupel(deployment, "send-back", "small", "one", "--reason", reason, *words)


def write_items(folder: Path, *items: str) -> str:
    path = folder / "items.csv"
    path.write_text("\n".join(["item_id", *items]) + "\n")
    return str(path)


def record_rework(deployment: Deployment, items: tuple[str, ...], people: tuple[str, ...] = ("ann", "bob")) -> None:
    """Record what people say of items anew: what the expert says."""
    path = deployment.data / "small" / "answers.csv"
    rows = list(csv.DictReader(path.open()))
    truth = {row["item_id"]: row["label"] for row in rows if row["purpose"] == "expert"}
    with path.open("a") as file:
        file.writelines(f"one,{item},label,{name},{truth[item]}\n" for item in items for name in people)


def table_hashes(lake: Lake) -> dict[str, str]:
    return {name: lake.version(f"{name}@one") for name in ("annotations", "rejected_answers", "tasks", "labels")}


class Sent(NamedTuple):
    """A deployment whose first release was certified, before items went back, while they wait, and afterwards."""

    deployment: Deployment
    lake: Lake
    said: str
    again: str
    waiting: list[dict[str, object]]
    before: dict[str, str]
    certificate: bytes
    head: int


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Sent:
    folder = tmp_path_factory.mktemp("sent")
    deployment = write_project(folder, items=120, labeling={"overlap": {"first": 3, "most": 3}})
    lake = run(deployment)
    before, head = table_hashes(lake), lake.answers.head().sequence
    certificate = lake.store.read("releases/one-r1/certificate.json")
    items = write_items(folder, *SENT)
    done = send_back(deployment, "--items", items, "--by", "lea")
    assert done.exit_code == 0, done.output
    again = send_back(deployment, "--items", items)
    assert again.exit_code == 0, again.output
    lake = run(deployment)
    waiting = [row for row in lake.read("tasks", "one").to_pylist() if not row["is_answered"]]
    record_rework(deployment, SENT, ("ann", "bob", "cy"))
    lake = run(deployment, "one")
    return Sent(deployment, lake, done.output, again.output, waiting, before, certificate, head)


def test_an_event_says_who_sent_which_items_back_and_why(sent: Sent) -> None:
    (event,) = sent.lake.send_backs.read("one")
    assert (event.item_ids, event.reason, event.sent_by, event.source) == (SENT, REASON, "lea", "items.csv")
    assert (event.answers_until, event.releases) == (sent.head, ("one-r1",))
    assert "3 items sent back with 9 answers" in sent.said
    assert "9 answers will be asked" in sent.said
    assert "one-r1 is certified and stays as it is" in sent.said


def test_the_same_items_a_second_time_are_told_and_not_doubled(sent: Sent) -> None:
    assert "nothing is sent back" in sent.again
    assert "await an answer already: i28, i70, i75" in sent.again


def test_tasks_ask_for_as_many_answers_as_the_overlap_needs_with_the_reason(sent: Sent) -> None:
    assert Counter(row["item_id"] for row in sent.waiting) == dict.fromkeys(SENT, 3)
    assert {row["purpose"] for row in sent.waiting} == {"label"}
    assert {row["reason"] for row in sent.waiting} == {f"sent back: {REASON}"}


def test_the_old_answers_are_rejected_with_the_reason_and_the_same_people_answer_anew(sent: Sent) -> None:
    log = sent.lake.answers.read("one", ["label"]).to_pylist()
    kept = sent.lake.read("annotations", "one").to_pylist()
    rejected = sent.lake.read("rejected_answers", "one").to_pylist()
    assert len(log) == len(kept) + len(rejected)
    gone = [row for row in rejected if row["item_id"] in SENT]
    assert {(row["reason"], row["evidence"]) for row in gone} == {("sent_back", REASON)}
    assert len(gone) == 9
    assert all(row["sequence"] <= sent.head for row in gone)
    new = [row for row in kept if row["item_id"] in SENT]
    assert all(row["sequence"] > sent.head for row in new)
    assert Counter(row["annotator"] for row in new) == {"ann": 3, "bob": 3, "cy": 3}


def test_the_labels_are_those_of_the_new_answers(sent: Sent) -> None:
    rows = csv.DictReader((sent.deployment.data / "small" / "answers.csv").open())
    truth = {row["item_id"]: row["label"] for row in rows if row["purpose"] == "expert"}
    labels = {row["item_id"]: row["majority_label"] for row in sent.lake.read("labels", "one").to_pylist()}
    assert {item: labels[item] for item in SENT} == {item: truth[item] for item in SENT}
    assert table_hashes(sent.lake)["labels"] != sent.before["labels"]


def test_a_release_stays_and_the_next_one_is_a_second_attempt(sent: Sent) -> None:
    assert sent.lake.store.read("releases/one-r1/certificate.json") == sent.certificate
    first, second = (sent.lake.read("release_plan", name).to_pylist()[0] for name in ("one-r1", "one-r2"))
    assert (first["attempt"], second["attempt"]) == (1, 2)
    folder = sent.lake.folder / "releases" / "one-r2"
    assert json.loads((folder / "certificate.json").read_text())["certificate"]["status"] == "certified"
    assert verify_release(folder).is_passed


@pytest.mark.parametrize("release", ["one-r1", "one-r2"])
def test_each_release_is_rebuilt_byte_for_byte_with_the_send_backs_of_then(
    sent: Sent, release: str, tmp_path: Path
) -> None:
    found = rebuild(sent.deployment, "small", release, tmp_path / "lake")
    assert found.first_difference is None
    assert found.is_same


def test_the_lake_is_whole_and_a_second_run_does_nothing(sent: Sent) -> None:
    hashes = table_hashes(sent.lake)
    assert table_hashes(run(sent.deployment)) == hashes
    assert find_damage(sent.lake, is_light=False) == []
