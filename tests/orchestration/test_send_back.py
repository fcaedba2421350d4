"""Items sent back through the chain: an event, tasks with the reason, new answers, and a release as an attempt."""

import csv
import io
import json
import shutil
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
from cupel.release.rework import count_rework
from cupel.release.verify import verify_release
from orchestration.deployment import Deployment
from orchestration.rebuild import rebuild
from orchestration.rounds import Rounds
from small_project import write_project

REASON = "read rule 4: judge the thing, not the place"
# The items of the small project that most of the crew has wrong.
SENT = ("i28", "i70", "i75")
CREW, VENDORS = ("ann", "bob", "cy"), {"north": ["ann", "bob"], "south": ["cy"]}


def run(deployment: Deployment, *wanted: str) -> Lake:
    project = load_project(deployment.projects / "small.yaml")
    with dg.DagsterInstance.ephemeral() as instance:
        rounds = Rounds(project, deployment, instance, wanted=wanted)
        rounds.run()
        assert [done.error for done in rounds.runs if done.error] == []
        return rounds.lake


def cupel(deployment: Deployment, *words: str, is_of_data: bool = True) -> Result:
    there = ["--projects", str(deployment.projects), "--lake", str(deployment.lake)]
    there += ["--data", str(deployment.data)] if is_of_data else []
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
    deployment = write_project(folder, items=120, labeling={"overlap": {"first": 3, "most": 3}, "vendors": VENDORS})
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


def test_what_was_right_at_first_is_counted_by_annotator_and_vendor(sent: Sent) -> None:
    project = load_project(sent.deployment.projects / "small.yaml")
    counts = {(one.who, one.name): one for one in count_rework(sent.lake, project, "one")}
    assert set(counts) == {("annotator", name) for name in CREW} | {("vendor", "north"), ("vendor", "south")}
    rows = list(csv.DictReader((sent.deployment.data / "small" / "answers.csv").open()))
    truth = {row["item_id"]: row["label"] for row in rows if row["purpose"] == "expert"}
    first: dict[tuple[str, str], str] = {}
    for row in rows:
        if row["purpose"] == "label":
            first.setdefault((row["annotator"], row["item_id"]), row["label"])
    # Of two releases' audits an item counts once, whichever drew it.
    audits = [sent.lake.read("audit", release)["item_id"].to_pylist() for release in ("one-r1", "one-r2")]
    drawn = sorted({*audits[0], *audits[1]})
    assert len(audits[0]) < len(drawn)
    for name in CREW:
        one = counts["annotator", name]
        assert (one.audited, one.accepted) == (len(drawn), sum(first[name, item] == truth[item] for item in drawn))
        assert one.accepted_low is not None
        assert one.accepted_high is not None
        assert one.accepted_low < one.accepted / one.audited < one.accepted_high
        assert (one.answers_sent_back, one.sent_back, one.reworked) == (3, 3, 3)
        assert one.rework_checked == one.rework_right > 0
    north, both = counts["vendor", "north"], ("ann", "bob")
    # Of a vendor with two answers a tie is not accepted.
    assert north.accepted == sum(all(first[name, item] == truth[item] for name in both) for item in drawn)
    assert (north.answers_sent_back, north.sent_back, north.reworked) == (6, 3, 3)


def test_report_and_summary_tell_what_was_sent_back(sent: Sent, tmp_path: Path) -> None:
    report = sent.lake.store.read("reports/one-r2/report.html").decode()
    assert "Right at first, and sent back: one" in report
    assert REASON in report
    assert "Right at first, and sent back: one" in sent.lake.store.read("reports/one-r1/report.html").decode()
    told = cupel(
        sent.deployment, "summary", "small", "--since", "2020-01-01", "--html", str(tmp_path / "s.html"),
        "--inbox", str(tmp_path), "--home", str(tmp_path), is_of_data=False,
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    assert f"3 items of one sent back by lea: {REASON}" in (tmp_path / "s.html").read_text()


def test_no_task_and_no_reason_tells_what_experts_said(sent: Sent) -> None:
    told = {row["reason"] for row in sent.lake.read("tasks", "one").to_pylist()}
    told |= {row["evidence"] for row in sent.lake.read("rejected_answers", "one").to_pylist() if row["evidence"]}
    assert not [words for words in told if "warm" in words or "cold" in words]
    checked = sent.lake.read("audit", "one-r1").to_pylist()[0]
    items = write_items(sent.lake.folder.parent, checked["item_id"])
    naming = send_back(sent.deployment, "--items", items, reason=f"this is {checked['expert_label']}")
    assert naming.exit_code == 1
    assert "which experts said of an item among these" in naming.output


@pytest.mark.parametrize(
    ("rows", "options", "reason", "words"),
    [
        ("item_id\ni1\nnone\n", (), REASON, "items.csv: item_id 'none': no such item in batch one"),
        ("item_id\ni1\n", (), "  ", "--reason: empty"),
        ("item_id\ni1\n", (), "x" * 201, "--reason: 201 characters; at most 200"),
        ("name\ni1\n", (), REASON, "has no column item_id, only name"),
        ("item_id\n", (), REASON, "names no item of batch one"),
        ("item_id,batch\ni1,two\n", (), REASON, "names no item of batch one"),
        ("item_id,batch\ni1,one\n,one\n", (), REASON, "row 2: item_id: empty"),
        ("", (), REASON, "has no column item_id, only nothing"),
        ("item_id\ni1\n", ("--of", "zoe"), REASON, "--of 'zoe': no annotator or vendor of batch one"),
        ("item_id\ni1\n", ("--to", "zoe"), REASON, "--to 'zoe': no annotator or vendor of batch one"),
    ],
)
def test_what_cannot_be_sent_back_is_refused_by_name_and_appends_nothing(
    sent: Sent, tmp_path: Path, rows: str, options: tuple[str, ...], reason: str, words: str
) -> None:
    path, before = tmp_path / "items.csv", sent.lake.send_backs.read()
    path.write_text(rows)
    refused = send_back(sent.deployment, "--items", str(path), *options, reason=reason)
    assert refused.exit_code == 1
    assert words in refused.output
    assert sent.lake.send_backs.read() == before


def test_a_batch_or_release_that_is_not_there_is_refused(sent: Sent, tmp_path: Path) -> None:
    items = write_items(tmp_path, "i1")
    unknown = cupel(sent.deployment, "send-back", "small", "two", "--items", items, "--reason", REASON)
    assert "batch 'two': project small has none of this name" in unknown.output
    gone = send_back(sent.deployment, "--release", "one-r9")
    assert "release 'one-r9': project small has none of this name; there is one-r1, one-r2" in gone.output
    missing = send_back(sent.deployment, "--items", str(tmp_path / "missing.csv"))
    assert "missing.csv: no such file" in missing.output
    assert send_back(sent.deployment).exit_code == 2
    never = cupel(sent.deployment._replace(lake=str(tmp_path / "lake")), "send-back", "small", "one", "--items", items,
                  "--reason", REASON)  # fmt: skip
    assert "batch one: nobody has labelled it yet" in never.output


def test_a_log_that_was_cut_short_is_told_and_nothing_is_sent_back(sent: Sent, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(sent.deployment.lake, lake)
    for path in (lake / "small" / "send_backs").iterdir():
        path.unlink()
    broken = sent.deployment._replace(lake=str(lake))
    found = find_damage(Lake(str(lake), "small"), is_light=False)
    assert any(damage.path.startswith("send_backs") for damage in found)
    refused = send_back(broken, "--items", write_items(tmp_path, "i1"))
    assert refused.exit_code == 1
    assert "the log is gone" in refused.output


def test_items_of_a_report_are_sent_back_the_worst_first_and_one_vendors_answers_alone(
    sent: Sent, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(sent.deployment.lake, lake)
    copy = sent.deployment._replace(lake=str(lake))
    listed = list(csv.DictReader(io.StringIO(sent.lake.store.read("reports/one-r2/relabel_next.csv").decode())))
    done = send_back(copy, "--release", "one-r2", "--first", "2", "--of", "south")
    assert done.exit_code == 0, done.output
    event = Lake(str(lake), "small").send_backs.read("one")[-1]
    assert (event.item_ids, event.source) == (tuple(row["item_id"] for row in listed[:2]), "release one-r2")
    assert (event.annotators, event.releases) == (("cy",), ("one-r1", "one-r2"))
    assert "2 items sent back with 2 answers" in done.output
    assert "2 answers will be asked" in done.output
