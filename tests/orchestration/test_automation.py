"""The daemon's part, tick by tick: what sensors ask for is run, until nothing is asked any more."""

import json
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.plan.objects import StepFailureData
from dagster_shared.error import SerializableErrorInfo

from cupel.alerts import read_alerts
from cupel.config.project import load_project
from cupel.errors import ReleaseError
from cupel.lake import Lake
from cupel.release.facts import release_facts
from cupel.release.proposals import propose, propose_changed, proposed
from cupel.world import current_project
from orchestration.definitions import build_definitions
from orchestration.deployment import Deployment
from orchestration.rounds import Rounds
from small_project import write_project

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Daemon:
    """Does what the daemon does, in one process and without waiting."""

    def __init__(self, deployment: Deployment, name: str = "small", instance: dg.DagsterInstance | None = None) -> None:
        self.deployment, self.name = deployment, name
        self.definitions = build_definitions(deployment)
        self.repository = self.definitions.get_repository_def()
        self.instance = instance or dg.DagsterInstance.ephemeral()
        self.lake = Lake(deployment.lake, name)
        self.cursors: dict[str, str | None] = {}
        self.asked: set[str] = set()

    def tick(self, sensor: str) -> list[dg.RunRequest]:
        context = dg.build_sensor_context(
            instance=self.instance, repository_def=self.repository, cursor=self.cursors.get(sensor)
        )
        result = self.repository.get_sensor_def(f"{self.name}_{sensor}").evaluate_tick(context)
        self.cursors[sensor] = result.cursor
        for request in result.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        requests = [run for run in result.run_requests or [] if run.run_key is None or run.run_key not in self.asked]
        self.asked |= {run.run_key for run in requests if run.run_key}
        return requests

    def work(self) -> tuple[int, list[str]]:
        """Tick both sensors once, and run what they ask for; return runs of collections, and partitions forwarded."""
        collections = self.tick("inbox")
        for _ in collections:
            self.job("collect").execute_in_process(instance=self.instance, raise_on_error=False, run_config=QUIET)
        requests = self.tick("forward")
        for request in requests:
            self.run(request)
        return len(collections), [str(request.partition_key) for request in requests]

    def run(self, request: dg.RunRequest) -> bool:
        tables = {key.path[-1] for key in request.asset_selection or ()}
        is_release = str(request.partition_key).rpartition("-r")[2].isdigit()
        kind = "report" if tables == {"report"} else "release" if is_release else "batch"
        done = self.job(kind).execute_in_process(
            instance=self.instance, partition_key=request.partition_key, asset_selection=request.asset_selection,
            raise_on_error=False, run_config=QUIET,
        )  # fmt: skip
        return done.success

    def job(self, kind: str) -> dg.JobDefinition:
        return self.definitions.resolve_job_def(f"{self.name}_{kind}")

    def until_idle(self, most: int = 30) -> int:
        for number in range(most):
            if self.work() == (0, []):
                return number
        raise AssertionError("it never comes to rest")


def with_inbox(folder: Path, **changes: Any) -> Deployment:
    deployment = write_project(folder, items=120, release={"audit_size": 60, "error_budget": 0.1}, **changes)
    path = deployment.projects / "small.yaml"
    path.write_text(path.read_text().replace("raw:\n", "raw:\n  inbox: {licence: CC0-1.0}\n"))
    (folder / "inbox" / "small" / "answers").mkdir(parents=True)
    return deployment._replace(inbox=folder / "inbox")


def test_the_daemon_comes_to_the_release_that_make_run_makes(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path / "a"))
    daemon.until_idle()
    deployment = with_inbox(tmp_path / "b")
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, dg.DagsterInstance.ephemeral())
    assert rounds.run().broken == []
    for table in ("labels", "certificate", "training_set", "manifest"):
        partition = "one" if table == "labels" else "one-r1"
        assert daemon.lake.commit(table, partition).hash == rounds.lake.commit(table, partition).hash  # type: ignore[union-attr]
    assert (daemon.lake.folder / "reports" / "one-r1" / "report.html").exists()
    assert daemon.work() == (0, [])


def test_a_dropped_delivery_and_its_answers_become_a_release_of_their_own(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    daemon.until_idle()
    source = write_project(tmp_path / "elsewhere", items=120, seed=9).data / "small"
    inbox = tmp_path / "inbox" / "small"
    shutil.copy(source / "one.jsonl", inbox / "two.jsonl")
    answers = (source / "answers.csv").read_text().replace("\none,", "\ntwo,")
    (inbox / "answers" / "two.csv").write_text(answers)
    assert daemon.work() == (0, [])  # it has been seen once only
    daemon.until_idle()
    assert list(current_project(daemon.deployment.projects, daemon.lake).raw.deliveries) == ["one", "two"]
    assert proposed(daemon.lake) == ["one-r1", "two-r1"]
    assert daemon.lake.partitions("training_set") == ["one-r1", "two-r1"]
    assert sorted(path.name for path in inbox.iterdir()) == ["answers"]


def test_a_batch_goes_exactly_as_far_as_its_gates_allow_and_a_person_is_told(tmp_path: Path) -> None:
    told = tmp_path / "told"
    hook = [sys.executable, "-c", f"import sys; open({str(told)!r}, 'a').write(sys.stdin.read() + chr(10))"]
    deployment = with_inbox(tmp_path, operation={"alerts": {"command": hook}})
    path = deployment.data / "small" / "one.jsonl"
    path.write_text("{\n" * 400 + path.read_text())
    daemon = Daemon(deployment)
    daemon.until_idle()
    assert daemon.lake.partitions("raw_items") == ["one"]
    assert daemon.lake.partitions("clean_items") == []
    failed = next(iter(daemon.instance.get_run_records(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))))
    tell(daemon, failed.dagster_run)
    (alert,) = read_alerts(daemon.lake)
    assert (alert["kind"], alert["partition"]) == ("gate_failed", "one")
    assert "unreadable_row_share" in alert["happened"]
    assert json.loads(told.read_text())["to_do"] == alert["to_do"]
    path.write_text("\n".join(path.read_text().splitlines()[400:]) + "\n")
    daemon.until_idle()
    assert daemon.lake.partitions("training_set") == ["one-r1"]


def tell(daemon: Daemon, run: dg.DagsterRun) -> None:
    sensor = daemon.repository.get_sensor_def("tell_of_failures")
    events = daemon.instance.all_logs(run.run_id)
    failure = next(e.dagster_event for e in events if e.dagster_event and e.dagster_event.is_failure and not e.step_key)
    context = dg.build_run_status_sensor_context(
        sensor_name="tell_of_failures", dagster_event=failure, dagster_instance=daemon.instance, dagster_run=run
    ).for_run_failure()
    sensor(context)  # type: ignore[operator]


def test_a_collection_that_breaks_is_told_too(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    daemon.work()
    daemon.work()
    (Path(str(daemon.lake.folder)) / "answers" / "head.json").write_text("{")
    done = daemon.job("collect").execute_in_process(instance=daemon.instance, raise_on_error=False, run_config=QUIET)
    assert not done.success
    tell(daemon, done.dagster_run)
    (alert,) = read_alerts(daemon.lake)
    assert (alert["kind"], alert["partition"]) == ("broken", "")
    assert "head.json: not the head of a log" in alert["happened"]
    assert "make up" in alert["to_do"]


def test_of_a_run_whose_process_was_killed_it_is_told_once_what_to_do(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    tags = {"cupel/project": "small", "dagster/partition": "one"}
    run = dg.DagsterRun("small_batch", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED, tags=tags)
    daemon.instance.add_run(run)
    gone = SerializableErrorInfo("gone", [], "ChildProcessCrashException")
    for step in ("measure", "predict"):
        data = StepFailureData(gone, user_failure_data=None)
        event = dg.DagsterEvent("STEP_FAILURE", "small_batch", step_key=step, event_specific_data=data)
        daemon.instance.report_dagster_event(event, run_id=run.run_id)
    daemon.instance.report_run_failed(run)
    tell(daemon, run)
    (alert,) = read_alerts(daemon.lake)
    assert alert["happened"] == "measure, predict: the process was killed or stopped"
    assert "the next start does what is left" in alert["to_do"]


def test_what_was_asked_for_before_a_start_is_asked_for_after_it(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    assert len(daemon.tick("inbox")) == 1
    daemon.job("collect").execute_in_process(instance=daemon.instance, run_config=QUIET)
    assert [run.partition_key for run in daemon.tick("forward")] == ["one"]  # and it is lost with the machine
    assert (daemon.tick("inbox"), daemon.tick("forward")) == ([], [])
    again = Daemon(daemon.deployment._replace(started="later"), instance=daemon.instance)
    again.cursors, again.asked = daemon.cursors, daemon.asked
    assert len(again.tick("inbox")) == 1
    assert [run.partition_key for run in again.tick("forward")] == ["one"]


def test_a_run_that_breaks_is_asked_for_once_and_again_when_something_changed(tmp_path: Path) -> None:
    deployment = with_inbox(tmp_path)
    answers = deployment.data / "small" / "answers.csv"
    daemon = Daemon(deployment)
    daemon.work()
    kept = answers.read_text()
    folder = daemon.lake.folder / "tables" / "clean_items" / "one"
    part = next(folder.glob("part-*.parquet"))
    content = part.read_bytes()
    part.write_bytes(b"altered")
    answers.write_text(kept)
    requests = [partition for _ in range(4) for partition in daemon.work()[1]]
    assert requests.count("one") <= 1
    part.write_bytes(content)
    answers.write_text(kept + "one,i1,label,dora,warm\n")
    daemon.until_idle()
    assert daemon.lake.partitions("labels") == ["one"]


def test_late_answers_start_a_round_and_a_new_release_only_when_it_is_proposed(tmp_path: Path) -> None:
    deployment = with_inbox(tmp_path)
    daemon = Daemon(deployment)
    daemon.until_idle()
    before = daemon.lake.commit("labels", "one")
    first = daemon.lake.commit("manifest", "one-r1")
    answers = deployment.data / "small" / "answers.csv"
    answers.write_text(answers.read_text() + "one,ghost,label,dora,warm\n")
    daemon.until_idle()
    assert daemon.lake.partitions("release_plan") == ["one-r1"]
    project = load_project(deployment.projects / "small.yaml")
    assert propose(daemon.lake, project, "one", "a test") == "one-r2"
    with pytest.raises(ReleaseError, match="one-r2: not finished yet"):
        propose(daemon.lake, project, "one", "a test")
    daemon.until_idle()
    plan = daemon.lake.read("release_plan", "one-r2").to_pylist()[0]
    assert (plan["attempt"], plan["alpha"]) == (2, 0.005)
    assert daemon.lake.commit("manifest", "one-r1") == first
    assert before is not None


def test_late_answers_of_experts_start_the_round_that_finishes_the_release(tmp_path: Path) -> None:
    deployment = with_inbox(tmp_path)
    answers = deployment.data / "small" / "answers.csv"
    head, *lines = answers.read_text().splitlines()
    late = [line for line in lines if ",expert," in line]
    answers.write_text("\n".join([head, *(line for line in lines if line not in set(late))]) + "\n")
    daemon = Daemon(deployment)
    daemon.until_idle()
    assert (proposed(daemon.lake), daemon.lake.partitions("certificate")) == (["one-r1"], [])
    frozen = daemon.lake.commit("release_items", "one-r1")
    written = daemon.lake.answers.head().sequence
    (tmp_path / "inbox" / "small" / "answers" / "experts.csv").write_text("\n".join([head, *late]) + "\n")
    assert daemon.work() == (0, [])  # it has been seen once only
    daemon.until_idle()
    assert daemon.lake.partitions("manifest") == ["one-r1"]
    assert daemon.lake.commit("release_items", "one-r1") == frozen
    assert daemon.lake.answers.head().sequence > written


def test_a_release_added_on_the_page_is_a_new_audit(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    daemon.until_idle()
    daemon.instance.add_dynamic_partitions("small_releases", ["one-r2", "stranger-r1"])
    daemon.until_idle()
    assert daemon.lake.partitions("manifest") == ["one-r1", "one-r2"]
    assert daemon.lake.read("release_plan", "one-r2")["attempt"].to_pylist() == [2]


def test_no_collection_is_asked_for_while_one_is_going_on(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    run = dg.DagsterRun("small_collect", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED)
    daemon.instance.add_run(run)
    assert daemon.tick("inbox") == []
    daemon.instance.report_run_canceled(run)
    assert len(daemon.tick("inbox")) == 1
    assert daemon.tick("inbox") == []


def test_releases_on_a_schedule_hold_what_is_new_or_has_changed(tmp_path: Path) -> None:
    deployment = with_inbox(tmp_path, operation={"release": "0 7 * * 1"})
    instance = dg.DagsterInstance.local_temp(str(tmp_path))
    daemon = Daemon(deployment, instance=instance)
    daemon.until_idle()
    assert daemon.lake.partitions("labels") == ["one"]
    assert proposed(daemon.lake) == []
    schedule = daemon.repository.get_schedule_def("small_releases")

    def asked() -> list[str | None]:
        with dg.build_schedule_context(instance=instance) as context:
            return [run.run_key for run in schedule.evaluate_tick(context).run_requests or []]

    assert asked() == ["one-r1"]
    daemon.until_idle()
    assert release_facts(daemon.lake, load_project(deployment.projects / "small.yaml"), "one-r1").verdict == "PASS"
    assert asked() == []
    path = deployment.projects / "small.yaml"
    path.write_text(path.read_text() + "checking: {regularisation: 0.5}\n")
    daemon.until_idle()
    project = load_project(path)
    assert propose_changed(daemon.lake, project, "a test") == ["one-r2"]


def test_a_lost_record_of_dagster_is_made_up_for_by_the_lake(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    daemon.until_idle()
    other = Daemon(daemon.deployment)
    other.until_idle()
    assert other.instance.get_dynamic_partitions("small_releases") == ["one-r1"]
    assert other.lake.commit("manifest", "one-r1") == daemon.lake.commit("manifest", "one-r1")


def test_every_table_has_a_condition_and_the_clocks_are_running(tmp_path: Path) -> None:
    definitions = build_definitions(with_inbox(tmp_path, operation={"fresh_hours": 30}))
    graph = definitions.resolve_asset_graph()
    keys = [key for key in graph.materializable_asset_keys if key.path[-1] != "answers"]
    assert len(keys) > 25
    assert all(graph.get(key).automation_condition is not None for key in keys)
    assert graph.get(dg.AssetKey(["small", "answers"])).freshness_policy is not None
    repository = definitions.get_repository_def()
    names = {"small_inbox", "small_forward", "tell_of_failures", "tell_of_releases"}
    assert {sensor.name for sensor in repository.sensor_defs} == names
    assert repository.get_schedule_def("small_daily").cron_schedule == "0 6 * * *"
