import fcntl
import json
import os
import shutil
import uuid
from pathlib import Path

import dagster as dg
import pyarrow.compute as pc
import pytest
from dagster._core.launcher.base import WorkerStatus

from cupel.errors import LakeError, ReleaseError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.release.facts import batch_facts, release_facts
from cupel.release.plan import plan_release
from orchestration.definitions import build_definitions
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from orchestration.run_launcher import ForkRunLauncher
from orchestration.run_process import PROCESS, find_process
from small_project import NO_RELEASE, write_project


def run(deployment: Deployment, instance: dg.DagsterInstance, name: str = "small") -> tuple[Done, Lake]:
    project = load_project(deployment.projects / f"{name}.yaml")
    rounds = Rounds(project, deployment, instance)
    return rounds.run(), rounds.lake


@pytest.fixture(scope="module")
def instance() -> dg.DagsterInstance:
    return dg.DagsterInstance.ephemeral()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> tuple[Deployment, Done, Lake]:
    deployment = write_project(tmp_path_factory.mktemp("chain"))
    return deployment, *run(deployment, instance)


@pytest.fixture
def copied(finished: tuple[Deployment, Done, Lake], tmp_path: Path) -> Deployment:
    """A copy of the finished deployment that a test may spoil."""
    root = shutil.copytree(finished[0].projects.parent, tmp_path / "copied")
    return Deployment(root / "projects", root / "data", str(root / "lake"))


def test_the_rounds_end_with_an_empty_outbox_and_a_certified_release(finished: tuple[Deployment, Done, Lake]) -> None:
    deployment, done, lake = finished
    assert done.broken == []
    assert done.tasks_open == 0
    facts = release_facts(lake, load_project(deployment.projects / "small.yaml"), "one-r1")
    assert facts.verdict == "PASS"
    assert facts.released + facts.withheld == facts.terms.items


def test_nothing_is_lost_on_the_way(finished: tuple[Deployment, Done, Lake]) -> None:
    _, _, lake = finished
    facts = batch_facts(lake, "one")
    assert facts.rows_in == facts.items_clean + sum(facts.rejected.values())
    assert facts.items_labelled == facts.items_clean
    asked = lake.read("tasks", "one")
    assert lake.answers.read("one", ["label"]).num_rows == asked.num_rows


def test_the_third_annotator_is_asked_only_where_the_first_two_or_the_checker_disagree(
    finished: tuple[Deployment, Done, Lake],
) -> None:
    _, _, lake = finished
    slots = lake.read("tasks", "one")["slot"].to_pylist()
    assert 0 < slots.count(3) < slots.count(1) == slots.count(2)


def test_without_rounds_of_experts_none_is_asked_before_the_freeze(finished: tuple[Deployment, Done, Lake]) -> None:
    _, _, lake = finished
    assert lake.answers.read("one", ["round"]).num_rows == 0
    assert lake.commit("round_items", "one") is None


def test_a_second_run_does_nothing(finished: tuple[Deployment, Done, Lake], instance: dg.DagsterInstance) -> None:
    deployment, _, lake = finished
    before = lake.answers.head()
    again, lake = run(deployment, instance)
    assert again.runs == []
    assert lake.answers.head() == before


def test_a_crew_that_is_often_wrong_is_refused_and_nothing_is_released(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    deployment = write_project(
        tmp_path, "noisy", crew_error=0.4,
        release={"error_budget": 0.02, "max_experts_seen_share": 0.5, "certificate": {"audit_anyway": True}},
        thresholds={"agreement": {"value": -1.0, "reason": "the audit shall judge"}},
    )  # fmt: skip
    done, lake = run(deployment, instance, "noisy")
    assert done.broken == []
    facts = release_facts(lake, load_project(deployment.projects / "noisy.yaml"), "one-r1")
    assert facts.verdict == "REFUSED"
    assert lake.partitions("training_set") == []
    assert (lake.folder / "reports" / "one-r1" / "report.html").exists()
    assert not (lake.folder / "releases").exists()
    again, _ = run(deployment, instance, "noisy")
    assert again.runs == []


def test_questions_that_nobody_answers_stay_open_and_nothing_is_released(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    deployment = write_project(tmp_path, "waiting")
    path = deployment.data / "waiting" / "answers.csv"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("one,i7,label")))
    done, lake = run(deployment, instance, "waiting")
    assert done.broken == []
    assert done.tasks_open == 2
    assert lake.partitions("labels") == lake.partitions("release_plan") == []
    again, _ = run(deployment, instance, "waiting")
    assert again.runs == []


def test_a_delivery_full_of_rubbish_is_stopped_at_its_gate(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    deployment = write_project(tmp_path, "rubbish")
    path = deployment.data / "rubbish" / "one.jsonl"
    path.write_text("{\n" * 500 + path.read_text())
    done, lake = run(deployment, instance, "rubbish")
    assert done.broken == []
    assert lake.partitions("raw_items") == ["one"]
    assert lake.partitions("clean_items") == []
    again, _ = run(deployment, instance, "rubbish")
    assert again.runs == []


def test_answers_that_do_not_count_are_kept_with_their_reason_also_beside_another_project(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    write_project(tmp_path, "small")
    deployment = write_project(tmp_path, "messy", items=120, operation=NO_RELEASE)
    path = deployment.data / "messy" / "answers.csv"
    rows = path.read_text().splitlines()
    extra = ["one,ghost,label,ann,warm", "one,i3,label,ann,purple", "one,i4,label,ann,warm", "one,i5,label,ann,"]
    path.write_text("\n".join([rows[0], *extra, *rows[1:]]) + "\n")
    done, lake = run(deployment, instance, "messy")
    assert done.broken == []
    counts = {
        row["values"]: row["counts"]
        for row in pc.value_counts(lake.read("rejected_answers", "one")["reason"]).to_pylist()
    }
    assert counts == {"unknown_item": 1, "unknown_label": 1, "undecided": 1, "answered_twice": 1}
    answers = lake.answers.read("one", ["label"]).num_rows
    assert answers == lake.commit("annotations", "one").rows + 4  # type: ignore[union-attr]
    assert lake.folder.name == "messy"
    assert lake.commit("labels", "one").rows == 120  # type: ignore[union-attr]


def test_a_changed_delivery_is_computed_again(copied: Deployment, instance: dg.DagsterInstance) -> None:
    path = copied.data / "small" / "one.jsonl"
    path.write_text(path.read_text() + json.dumps({"id": "late", "text": "a late fire near the old ice"}) + "\n")
    done, lake = run(copied, instance)
    assert lake.commit("clean_items", "one").rows == 301  # type: ignore[union-attr]
    assert done.tasks_open > 0
    assert lake.partitions("release_plan") == ["one-r1"]


def kill_before(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the writing of a table end the run, as a kill would: what was written before it stays."""
    write = Lake.write

    def broken(self: Lake, name: str, *arguments: object, **named: object) -> object:
        if name == table:
            raise RuntimeError(table)
        return write(self, name, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Lake, "write", broken)


def test_the_daemon_finds_out_that_a_run_of_make_run_was_killed(
    finished: tuple[Deployment, Done, Lake], instance: dg.DagsterInstance
) -> None:
    run_record = instance.get_run_by_id(finished[1].runs[0].run_id)
    assert run_record is not None
    process = run_record.tags[PROCESS]
    assert find_process(process) == os.getpid()
    ended = process.replace(f"{os.getpid()} ", f"{os.getpid()} 1", 1)  # as if it had begun at another time
    under_way = run_record._replace(run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED)
    lost = under_way._replace(run_id=str(uuid.uuid4()), tags=run_record.tags | {PROCESS: ended})
    for record in (under_way, lost):
        instance.add_run(record)
    launcher = ForkRunLauncher()
    launcher.register_instance(instance)
    assert launcher.check_run_worker_health(under_way).status == WorkerStatus.RUNNING
    assert launcher.check_run_worker_health(lost).status == WorkerStatus.FAILED
    ended_well = lost._replace(run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.SUCCESS)
    instance.add_run(ended_well)  # it wrote its end and was gone before it was looked for
    assert launcher.check_run_worker_health(lost._replace(run_id=ended_well.run_id)).status == WorkerStatus.SUCCESS


def test_runs_that_were_killed_are_finished_by_the_next_and_another_lake_gets_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, finished: tuple[Deployment, Done, Lake]
) -> None:
    deployment, lake = write_project(tmp_path), finished[2]
    fresh = dg.DagsterInstance.ephemeral()
    for table in ("gate_results", "clean_items", "release_plan", "training_set"):
        with monkeypatch.context() as patch:
            kill_before(table, patch)
            stopped, other = run(deployment, fresh)
            assert [run.error for run in stopped.broken] != []
            assert other.partitions(table) == []
    done, other = run(deployment, fresh)
    assert done.broken == []
    for table in ("clean_items", "consensus", "labels"):
        assert other.commit(table, "one").hash == lake.commit(table, "one").hash  # type: ignore[union-attr]
    for table in ("release_items", "audit_result", "training_set", "manifest"):
        assert other.commit(table, "one-r1").hash == lake.commit(table, "one-r1").hash  # type: ignore[union-attr]
    assert other.answers.head() == lake.answers.head()


def test_two_projects_are_one_page(tmp_path: Path) -> None:
    write_project(tmp_path, "small")
    deployment = write_project(tmp_path, "other", seed=2)
    definitions = build_definitions(deployment)
    for job in ("small_batch", "small_release", "other_batch", "other_report"):
        assert definitions.resolve_job_def(job).name == job
    assert len(definitions.get_repository_def().get_all_jobs()) >= 6


def test_a_frozen_release_is_never_frozen_anew(finished: tuple[Deployment, Done, Lake]) -> None:
    deployment, _, lake = finished
    project = load_project(deployment.projects / "small.yaml")
    with pytest.raises(ReleaseError, match="frozen already"):
        plan_release(Step(lake, project, "one-r1"))


def test_a_release_that_is_asked_for_is_another_attempt(copied: Deployment) -> None:
    project = load_project(copied.projects / "small.yaml")
    rounds = Rounds(project, copied, dg.DagsterInstance.ephemeral(), wanted=["one"])
    assert rounds.run().broken == []
    assert rounds.releases() == ["one-r1", "one-r2"]
    plan = rounds.lake.read("release_plan", "one-r2").to_pylist()[0]
    assert (plan["attempt"], plan["alpha"]) == (2, 0.005)


def test_an_expert_whose_answer_does_not_count_is_asked_again(tmp_path: Path) -> None:
    deployment = write_project(tmp_path, "purple", items=150)
    path = deployment.data / "purple" / "answers.csv"
    rows = [
        [row.replace(",expert,eve,", ",expert,zed,purple,").rpartition(",")[0], row] if ",expert," in row else [row]
        for row in path.read_text().splitlines()
    ]
    path.write_text("\n".join(line for pair in rows for line in pair) + "\n")
    done, lake = run(deployment, dg.DagsterInstance.ephemeral(), "purple")
    assert done.broken == []
    assert done.tasks_open == 0
    assert lake.commit("rejected_expert_answers", "one-r1").rows > 0  # type: ignore[union-attr]
    assert lake.partitions("training_set") == ["one-r1"]


def test_a_run_sets_logs_right_only_while_no_collection_appends_to_them(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = write_project(tmp_path, items=10)

    def stop(lake: Lake, *_: object) -> None:
        with (Path(str(lake.folder)) / "locks" / ".collecting").open("a") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise LakeError("looked")

    monkeypatch.setattr("orchestration.rounds.clear_for_run", stop)
    with pytest.raises(LakeError, match="looked"):
        run(deployment, instance)
