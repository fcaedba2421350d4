import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner

from cupel.cli import main
from cupel.config.raw import Delivery
from cupel.contract.stages import stage_of
from cupel.contract.table import from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.answers import ANSWERS
from cupel.contract.tables.release import RELEASE_PLAN
from cupel.errors import LakeError, ReleaseError
from cupel.kinds.projects import load_project
from cupel.lake.annotator_actions import Action
from cupel.lake.answer_chain import GIVEN
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.people.answers.recorded import RecordedWorkforce
from cupel.release.plan import plan_release
from cupel.sources.register import Register
from orchestration.compared import ALTERED, DIFFERS, NOT_MADE, SAME, WENT_ON, Comparison, Row
from orchestration.deployment import Deployment
from orchestration.rebuild import other_plans, rebuild
from orchestration.rounds import Rounds
from small_project import write_project

ITEMS = 150
TERMS = {"error_budget": 0.1, "audit_size": 60, "max_experts_seen_share": 0.5}
WORDS = {"warm": "cold", "cold": "warm"}


def run(deployment: Deployment, workforce: Any = None, wanted: tuple[str, ...] = ()) -> Lake:
    project = load_project(deployment.projects / "small.yaml")
    rounds = Rounds(project, deployment, dg.DagsterInstance.ephemeral(), workforce, wanted=wanted)
    assert rounds.run().broken == []
    return rounds.lake


def change(deployment: Deployment, edit: Callable[[dict[str, Any]], object]) -> None:
    path = deployment.projects / "small.yaml"
    content = yaml.safe_load(path.read_text())
    edit(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def said(answer_id: str, batch: str, item_id: str) -> pa.Table:
    """Return one answer of an annotator that nobody asked for."""
    row = {"answer_id": answer_id, "batch": batch, "item_id": item_id, "purpose": "label", "annotator": "dan",
           "label": "warm", "source": "test"}  # fmt: skip
    schema = pa.schema([ANSWERS.schema.field(name).with_nullable(True) for name in GIVEN])
    return pa.Table.from_pylist([row], schema=schema)


class Interrupted(RecordedWorkforce):
    """Recorded answers, and of another annotator one that comes in, with a warning, before the experts' first."""

    lake: Lake

    def answer(self, tasks: pa.Table) -> pa.Table:
        found = super().answer(tasks)
        is_first = "audit" in tasks["purpose"].to_pylist() and tasks["batch"][0].as_py() == "one"
        if is_first:
            until = self.lake.answers.head().sequence + 1
            self.lake.actions.append([Action("one", "dan", "warn", 1.0, "slow", "late", None, None, 1, "ed", until)])
        return pa.concat_tables([said("early", "one", "i5").cast(found.schema), found]) if is_first else found


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Four batches: rubbish, one, one whose crew is often wrong, and two, which arrived and has texts of one.

    Batch one gets an answer while it is audited, and a second audit; two gets an answer after its release.
    """
    there = write_project(
        tmp_path_factory.mktemp("rebuild"), items=ITEMS, crew_error=0.02, release=TERMS,
        labeling={"overlap": {"first": 2, "most": 2}},
        thresholds={"agreement": {"value": -1.0, "reason": "the audit shall judge"}},
    )  # fmt: skip
    data, lake = there.data / "small", Lake(there.lake, "small")
    texts, answers = (data / "one.jsonl").read_text().splitlines(), (data / "answers.csv").read_text().splitlines()
    (data / "rubbish.jsonl").write_text("{\n" * 50)
    (data / "noisy.jsonl").write_text("\n".join(line.replace(" w", " n") for line in texts) + "\n")
    (lake.folder / "deliveries" / "two").mkdir(parents=True)
    alike = [line if number % 10 == 0 else line.replace(" w", " t") for number, line in enumerate(texts)]
    (lake.folder / "deliveries" / "two" / "texts.jsonl").write_text("\n".join(alike) + "\n")
    two = Delivery(files=("texts.jsonl",), licence="CC0-1.0")
    Register(lake).add("two", {"texts.jsonl": "0" * 64}, two, datetime(2026, 1, 1, tzinfo=UTC))
    answers += [row for line in answers[1:] for row in (f"two{line[3:]}", f"noisy{often_wrong(line[3:])}")]
    (data / "answers.csv").write_text("\n".join(answers) + "\n")
    deliveries = {
        name: {"files": [f"small/{name}.jsonl"], "licence": "CC0-1.0"} for name in ("rubbish", "one", "noisy")
    }
    change(there, lambda project: project.update(raw={"deliveries": deliveries}))
    crew = Interrupted([data / "answers.csv"])
    crew.lake = lake
    run(there, workforce=crew)
    lake.actions.append([Action("one", "bob", "warn", 1.0, "slow", "later", None, None, 1, "ed", 10_000)])
    lake.answers.append(said("late", "two", "i12"))
    run(there, wanted=("one",))
    refusal = Step(lake, load_project(there.projects / "small.yaml"), "rubbish-r1")
    terms = plan_release(refusal).terms
    assert terms is not None
    refusal.write("release_plan", from_rows([terms.to_plan()], RELEASE_PLAN))
    plans = {name: lake.read("release_plan", name).to_pylist()[0] for name in lake.partitions("release_plan")}
    assert list(plans) == ["noisy-r1", "one-r1", "one-r2", "rubbish-r1", "two-r1"]
    assert lake.partitions("manifest") == ["one-r1", "one-r2", "two-r1"]
    assert (plans["rubbish-r1"]["status"], plans["one-r2"]["attempt"]) == ("refused", 2)
    return there


def often_wrong(line: str) -> str:
    """Return an answer that is wrong when a member of the crew gave it of every third item."""
    number, label = int(line.split(",")[1][1:]), line.rpartition(",")[2]
    return line.replace(label, WORDS[label]) if ",label," in line and number % 3 == 0 else line


@pytest.fixture
def copied(deployment: Deployment, tmp_path: Path) -> Deployment:
    """A copy of the finished deployment that a test may spoil."""
    root = shutil.copytree(deployment.projects.parent, tmp_path / "copied")
    return Deployment(root / "projects", root / "data", str(root / "lake"))


def bytes_of(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def first(found: Comparison) -> Row:
    assert found.first_difference is not None
    assert not found.is_same
    return found.first_difference


@pytest.mark.parametrize("release", ["one-r1", "two-r1"])
def test_a_certified_release_is_rebuilt_byte_for_byte_and_the_lake_is_only_read(
    release: str, deployment: Deployment, tmp_path: Path
) -> None:
    before = bytes_of(Path(deployment.lake))
    found = rebuild(deployment, "small", release, tmp_path)
    assert bytes_of(Path(deployment.lake)) == before
    assert (found.is_same, found.release_sha256) == (True, found.rebuilt_sha256)
    folder, copy = Path(deployment.lake) / "small" / "releases" / release, Lake(tmp_path, "small")
    released = {name: sha256 for name, sha256 in bytes_of(folder).items() if name != "run.json"}
    assert released == bytes_of(tmp_path / "small" / "releases" / release)
    assert {row.name for row in found.rows if row.stage == "files"} == set(released)
    lake, partitions = Lake(deployment.lake, "small"), (release[:3], release)
    there = {table for table in TABLES for partition in partitions if lake.commit(table, partition) is not None}
    assert {table for table in there if stage_of(table).partition is not None} <= {row.name for row in found.rows}
    assert copy.answers.head().sequence < Lake(deployment.lake, "small").answers.head().sequence
    # Of what stands before it in the register no more is made than it needs.
    assert copy.partitions("labels") == [release[:3]]
    assert copy.partitions("clean_items") == {"one-r1": ["one"], "two-r1": ["noisy", "one", "two"]}[release]
    assert ("slow: late" in (folder / "report.html").read_text()) == (release == "one-r1")
    if release == "two-r1":
        is_told_from_what_later_answers_changed(Lake(deployment.lake, "small"), found)


def is_told_from_what_later_answers_changed(lake: Lake, found: Comparison) -> None:
    """Check the rows of a batch that got an answer after its release: what was frozen is compared all the same."""
    frozen = lake.commit("release_plan", "two-r1").inputs["labels@two"]  # type: ignore[union-attr]
    assert frozen != lake.version("labels@two")
    rows = {row.name: row for row in found.rows if row.partition == "two"}
    assert rows["labels"][3:6] == (frozen, frozen, SAME)
    assert rows["routes"].outcome == WENT_ON


def test_a_further_attempt_is_rebuilt_as_what_it_was_with_the_terms_that_were_frozen(
    copied: Deployment, tmp_path: Path
) -> None:
    change(copied, lambda project: project["release"].update(error_budget=0.2, audit_size=80))
    found = rebuild(copied, "small", "one-r2", tmp_path / "new")
    assert found.is_same
    assert [note.split(":")[0] for note in found.notes] == ["release.error_budget", "release.audit_size"]
    assert Lake(tmp_path / "new", "small").read("release_plan", "one-r2")["attempt"].to_pylist() == [2]


def test_a_release_is_rebuilt_with_the_method_that_it_was_audited_by(copied: Deployment, tmp_path: Path) -> None:
    other = {"method": "rising", "adjudicators_audited": 5}
    change(copied, lambda project: project["release"].update(certificate=other))
    found = rebuild(copied, "small", "one-r1", tmp_path / "new")
    assert found.is_same
    assert {note.split(":")[0] for note in found.notes} == {
        "release.certificate.method", "release.certificate.adjudicators_audited",
        "release.certificate.max_undecided_share",
    }  # fmt: skip


def test_as_many_other_releases_are_counted_as_were_then(deployment: Deployment) -> None:
    lake = Lake(deployment.lake, "small")
    plans = {name: lake.read("release_plan", name).to_pylist()[0] for name in lake.partitions("release_plan")}
    assert {name: other_plans(lake, plan) for name, plan in plans.items() if other_plans(lake, plan)} == {
        "one-r2": ["one-r1"]
    }


def test_a_release_that_was_refused_is_rebuilt_up_to_its_refusal(deployment: Deployment, tmp_path: Path) -> None:
    found = rebuild(deployment, "small", "noisy-r1", tmp_path)
    assert (found.is_same, found.release_sha256, found.rebuilt_sha256) == (True, None, None)
    outcomes = {row.name: row.outcome for row in found.rows}
    assert outcomes["audit_result"] == outcomes["certificate"] == outcomes["gate release"] == SAME
    assert "training_set" not in outcomes


def test_a_release_that_its_gates_refused_is_rebuilt_and_told_when_they_pass_now(
    copied: Deployment, tmp_path: Path
) -> None:
    assert rebuild(copied, "small", "rubbish-r1", tmp_path / "new").is_same
    shutil.copy(copied.data / "small" / "one.jsonl", copied.data / "small" / "rubbish.jsonl")
    row = first(rebuild(copied, "small", "rubbish-r1", tmp_path / "newer"))
    assert (row.name, row.partition, row.outcome) == ("deliveries", "rubbish", DIFFERS)
    assert row.reason == "the delivery's files have changed: small/rubbish.jsonl"


def test_a_delivery_whose_file_has_changed_is_named(copied: Deployment, tmp_path: Path) -> None:
    path = copied.data / "small" / "one.jsonl"
    path.write_text(path.read_text() + "{\n" * 500)
    found = rebuild(copied, "small", "one-r1", tmp_path / "new")
    row = first(found)
    assert (row.name, row.partition, row.outcome) == ("deliveries", "one", DIFFERS)
    assert row.reason == "the delivery's files have changed: small/one.jsonl"
    behind = next(row for row in found.rows if row.name == "clean_items")
    assert (behind.outcome, behind.reason.split(":")[0]) == (NOT_MADE, "raw gate")


def test_a_delivery_whose_file_is_gone_leaves_all_behind_it_not_made(copied: Deployment, tmp_path: Path) -> None:
    (copied.data / "small" / "one.jsonl").unlink()
    found = rebuild(copied, "small", "one-r1", tmp_path / "new")
    assert (first(found).name, first(found).outcome) == ("deliveries", NOT_MADE)
    assert "one.jsonl does not exist" in first(found).reason
    assert {row.outcome for row in found.rows if row.partition in ("one", "one-r1")} == {NOT_MADE}


def test_what_was_altered_is_found_and_a_section_of_the_project_file_that_changed_is_named(
    copied: Deployment, tmp_path: Path
) -> None:
    lake = Lake(copied.lake, "small")
    part = Path(lake.files("consensus", "one")[0])
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    commit = lake.commit("signatures", "one")
    assert commit is not None
    lake.write("signatures", "one", lake.read("signatures", "one").slice(1), commit.inputs, commit.code_version)
    card = lake.folder / "releases" / "one-r2" / "README.md"
    card.write_text(card.read_text() + "and more")
    alter_answer(lake)
    change(copied, lambda project: project.update(checking={"regularisation": 1.0}))
    found = rebuild(copied, "small", "one-r2", tmp_path / "new")
    altered = {row.name: row.reason for row in found.rows if row.outcome == ALTERED}
    assert set(altered) == {"answers", "signatures", "consensus", "README.md"}
    assert first(found).name == "answers"
    assert first(found).reason.startswith("answer 3 was altered")
    assert "the part was altered" in altered["consensus"]
    other = {row.name: row.reason for row in found.rows if row.outcome == DIFFERS}
    assert next(iter(other)) == "predictions"
    assert other["predictions"].endswith("settings of labeling or checking have changed, in the project file or as the "
                                         "code's defaults")  # fmt: skip


def alter_answer(lake: Lake) -> None:
    """Write another time into the log's third answer; no label changes by it."""
    segment = Path(str(lake.answers.segments()[0]))
    records = pq.read_table(segment)
    seconds = pc.if_else(pc.equal(records["sequence"], 3), 9.5, records["seconds_spent"])
    pq.write_table(records.set_column(records.column_names.index("seconds_spent"), "seconds_spent", seconds), segment)


def test_a_batch_that_the_project_no_longer_names_is_an_error(copied: Deployment, tmp_path: Path) -> None:
    change(copied, lambda project: project["raw"]["deliveries"].pop("one"))
    with pytest.raises(ReleaseError, match=r"no longer names one; put it back under raw.deliveries of small.yaml"):
        rebuild(copied, "small", "one-r1", tmp_path / "new")


def test_only_a_release_that_is_there_and_finished_can_be_rebuilt(copied: Deployment, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"not in the lake .* it holds noisy-r1, one-r1, one-r2, rubbish-r1, two-r1"):
        rebuild(copied, "small", "one-r3", tmp_path / "new")
    shutil.rmtree(Path(copied.lake) / "small" / "tables" / "manifest" / "one-r1")
    with pytest.raises(ReleaseError, match="one-r1: not finished yet"):
        rebuild(copied, "small", "one-r1", tmp_path / "new")


@pytest.mark.parametrize("place", ["lake/rebuilt", "lake", "kept"])
def test_nothing_is_rebuilt_where_something_is(place: str, copied: Deployment) -> None:
    root = copied.projects.parent
    (root / "kept" / "small").mkdir(parents=True)
    with pytest.raises(LakeError, match=r"only read|something already"):
        rebuild(copied, "small", "one-r1", root / place)


def test_the_command_says_with_its_exit_code_whether_all_is_the_same(copied: Deployment, tmp_path: Path) -> None:
    places = ["--projects", str(copied.projects), "--data", str(copied.data), "--lake", copied.lake]
    shown = CliRunner().invoke(main, ["rebuild", "small/rubbish-r1", *places, "--keep", str(tmp_path / "kept")])
    assert shown.exit_code == 0
    assert "small/rubbish-r1: the same" in shown.stdout
    assert Lake(tmp_path / "kept", "small").partitions("release_plan") == ["rubbish-r1"]
    (copied.data / "small" / "rubbish.jsonl").write_text("{\n" * 51)
    shown = CliRunner().invoke(main, ["rebuild", "rubbish-r1", *places, "--json", str(tmp_path / "found.json")])
    assert shown.exit_code == 1
    assert "Likely reason: the delivery's files have changed: small/rubbish.jsonl." in shown.stdout
    assert "small/rubbish-r1: NOT the same." in shown.stdout
    written = json.loads((tmp_path / "found.json").read_text())
    assert (written["is_same"], written["first_difference"]["name"]) == (False, "deliveries")
    assert len(written["rows"]) > 4


@pytest.mark.parametrize("release", ["one-r9", "big/one-r1"])
def test_a_release_that_is_not_there_is_an_error_and_those_there_are_named(
    release: str, deployment: Deployment
) -> None:
    shown = CliRunner().invoke(main, ["rebuild", release, "--lake", deployment.lake])
    assert shown.exit_code == 1
    assert f"release '{release}': not in the lake" in shown.stderr
    assert "it holds small/noisy-r1, small/one-r1" in shown.stderr


def test_without_the_chain_the_command_says_where_to_run_it(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = EntryPoint("rebuild", "no_chain_here:rebuild", "cupel.chain")
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: [nowhere])
    shown = CliRunner().invoke(main, ["rebuild", "one-r1"])
    assert shown.exit_code == 1
    assert "no_chain_here" in shown.stderr
    assert "cupel[chain]" in shown.stderr
