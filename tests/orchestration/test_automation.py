"""The daemon's part, tick by tick: what sensors ask for is run, until nothing is asked any more."""

import json
import shutil
import sys
import time
import uuid
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.plan.objects import StepSuccessData
from ticks import QUIET, Daemon, collect, succeed, tell, with_inbox

from assets import labeling
from assets.run_outcome import OUTCOME, REFUSED
from cupel.errors import LakeError, ReleaseError
from cupel.intake.alerts import read_alerts, standing_alerts
from cupel.intake.collect_inputs import current_project
from cupel.kinds.projects import load_project
from cupel.release.facts import release_facts
from cupel.release.proposals import propose, propose_changed, proposed
from orchestration import automation
from orchestration.alert_causes import PARTITION
from orchestration.arrivals import SECONDS_TO_GATHER
from orchestration.automation import MOST_KILLED
from orchestration.definitions import build_definitions
from orchestration.rounds import Rounds
from orchestration.run_process import KILLED
from orchestration.runs import PROJECT
from small_project import NO_RELEASE, write_project


def test_the_daemon_comes_to_the_release_that_make_run_makes(first_daemon: Daemon, tmp_path: Path) -> None:
    daemon = first_daemon
    deployment = with_inbox(tmp_path)
    rounds = Rounds(load_project(deployment.projects / "small.yaml"), deployment, dg.DagsterInstance.ephemeral())
    assert rounds.run().broken == []
    for table in ("labels", "certificate", "training_set", "manifest"):
        partition = "one" if table == "labels" else "one-r1"
        assert daemon.lake.commit(table, partition).hash == rounds.lake.commit(table, partition).hash  # type: ignore[union-attr]
    assert (daemon.lake.folder / "reports" / "one-r1" / "report.html").exists()
    assert daemon.work() == (0, [])


def test_a_certified_release_is_told_once(first_daemon: Daemon, released: Daemon) -> None:
    daemon = Daemon(released.deployment, instance=first_daemon.instance)
    run = next(
        run for run in daemon.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": "one-r1"}))
        if "certificate" in {key.path[-1] for key in run.asset_selection or ()}
    )  # fmt: skip
    succeed(daemon, run)
    succeed(daemon, run)
    (alert,) = read_alerts(daemon.lake)
    assert (alert["kind"], alert["partition"]) == ("certified", "one-r1")
    assert alert["command"] == f".venv/bin/cupel verify {daemon.lake.folder}/releases/one-r1"


def test_a_dropped_delivery_and_its_answers_become_a_release_of_their_own(released: Daemon, tmp_path: Path) -> None:
    daemon = released
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
    (refused,) = daemon.instance.get_runs(dg.RunsFilter(tags={OUTCOME: REFUSED}))
    assert refused.status == dg.DagsterRunStatus.SUCCESS
    succeed(daemon, refused)
    (alert,) = read_alerts(daemon.lake)
    assert (alert["kind"], alert["partition"]) == ("gate_failed", "one")
    assert "unreadable_row_share" in alert["happened"]
    assert json.loads(told.read_text())["to_do"] == alert["to_do"]
    path.write_text("\n".join(path.read_text().splitlines()[400:]) + "\n")
    daemon.until_idle()
    assert daemon.lake.partitions("training_set") == ["one-r1"]


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
    for step, kinds in {"read": ("STEP_START", "STEP_SUCCESS"), "measure": ("STEP_START",)}.items():
        for kind in kinds:
            data = StepSuccessData(1.0) if kind == "STEP_SUCCESS" else None
            event = dg.DagsterEvent(kind, "small_batch", step_key=step, event_specific_data=data)
            daemon.instance.report_dagster_event(event, run_id=run.run_id)
    daemon.instance.report_run_failed(run, "The run's process was killed by SIGKILL.")
    tell(daemon, run)
    tell(daemon, run)
    (alert,) = read_alerts(daemon.lake)
    assert alert["happened"] == "measure: the process was killed or stopped"
    assert "SIGKILL" in alert["why"]
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


def test_what_broke_is_asked_for_again_when_the_code_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    daemon.tick("inbox")
    daemon.job("collect").execute_in_process(instance=daemon.instance, run_config=QUIET)
    assert [run.partition_key for run in daemon.tick("forward")] == ["one"]  # and it breaks before it writes anything
    for code, asked in (("", []), ("mended", ["one"]), ("mended", [])):
        if code:
            monkeypatch.setattr(automation, "describe_code", lambda _, code=code: code)
        again = Daemon(daemon.deployment, instance=daemon.instance)
        again.cursors = daemon.cursors
        assert [run.partition_key for run in again.tick("forward")] == asked


def test_a_collection_that_was_killed_is_asked_for_again_a_few_times_on_a_day(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    asked = 0
    while daemon.tick("inbox"):
        assert daemon.tick("inbox") == []
        status, tags = dg.DagsterRunStatus.FAILURE, {KILLED: "true"}
        daemon.instance.add_run(dg.DagsterRun("small_collect", run_id=str(uuid.uuid4()), status=status, tags=tags))
        asked += 1
    assert asked == 1 + MOST_KILLED


def test_what_arrives_is_collected_at_once_and_what_runs_ask_is_gathered_while_they_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    daemon.work()  # the batch's first tables, and with them its questions
    tags = {PROJECT: "small", "dagster/partition": "one"}
    works = dg.DagsterRun("small_batch", run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED, tags=tags)
    daemon.instance.add_run(works)
    assert daemon.tick("inbox") == []
    source = write_project(tmp_path / "elsewhere", items=20, seed=9).data / "small" / "one.jsonl"
    shutil.copy(source, tmp_path / "inbox" / "small" / "two.jsonl")
    (tmp_path / "inbox" / "small" / "two.jsonl.done").touch()
    assert len(daemon.tick("inbox")) == 1
    (tmp_path / "inbox" / "small" / "two.jsonl").unlink()
    daemon.asked.clear()
    assert daemon.tick("inbox") == []
    began = time.time()
    monkeypatch.setattr("orchestration.arrivals.time.time", lambda: began + SECONDS_TO_GATHER + 1)
    assert len(daemon.tick("inbox")) == 1
    daemon.asked.clear()
    monkeypatch.undo()
    assert daemon.tick("inbox") == []
    daemon.instance.report_run_failed(works)
    assert len(daemon.tick("inbox")) == 1


def test_a_batch_waits_for_runs_on_it_and_not_for_those_of_another_project(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    daemon.tick("inbox")
    daemon.job("collect").execute_in_process(instance=daemon.instance, run_config=QUIET)
    runs = {
        job: dg.DagsterRun(job, run_id=str(uuid.uuid4()), status=dg.DagsterRunStatus.STARTED, tags={PARTITION: "one"})
        for job in ("small_batch", "small_two_batch")
    }
    for run in runs.values():
        daemon.instance.add_run(run)
    assert daemon.tick("forward") == []
    daemon.instance.report_run_canceled(runs["small_batch"])
    assert [run.partition_key for run in daemon.tick("forward")] == ["one"]


def test_a_run_that_was_killed_is_asked_for_again_a_few_times_on_a_day(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    daemon.tick("inbox")
    daemon.job("collect").execute_in_process(instance=daemon.instance, run_config=QUIET)
    asked = 0
    while [run.partition_key for run in daemon.tick("forward")] == ["one"]:
        assert daemon.tick("forward") == []
        tags = {"cupel/project": "small", "dagster/partition": "one", KILLED: "true"}
        status = dg.DagsterRunStatus.FAILURE
        daemon.instance.add_run(dg.DagsterRun("small_batch", run_id=str(uuid.uuid4()), status=status, tags=tags))
        asked += 1
    assert asked == 1 + MOST_KILLED


def test_a_run_that_breaks_is_asked_for_once_and_again_when_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = with_inbox(tmp_path, operation=NO_RELEASE)
    answers = deployment.data / "small" / "answers.csv"
    daemon = Daemon(deployment)
    daemon.work()

    def fail(*_: object) -> None:
        raise LakeError("something is broken")

    with monkeypatch.context() as broken:
        broken.setattr(labeling, "study", fail)
        daemon.until_idle()
        assert daemon.lake.partitions("consensus") == ["one"]
        daemon.asked.clear()  # nothing but what the sensor remembers keeps it quiet
        assert [daemon.work()[1] for _ in range(3)] == [[], [], []]
    answers.write_text(answers.read_text() + "one,i1,label,dora,warm\n")
    daemon.until_idle()
    assert daemon.lake.partitions("labels") == ["one"]


def test_late_answers_start_a_round_and_a_new_release_only_when_it_is_proposed(released: Daemon) -> None:
    daemon, deployment = released, released.deployment
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


def test_late_answers_of_experts_finish_the_release_and_end_the_alert_of_open_questions(tmp_path: Path) -> None:
    kinds = ["broken", "gate_failed", "refused", "certified", "open"]
    deployment = with_inbox(tmp_path, operation={"alerts": {"kinds": kinds}})
    answers = deployment.data / "small" / "answers.csv"
    head, *lines = answers.read_text().splitlines()
    late = [line for line in lines if ",expert," in line]
    answers.write_text("\n".join([head, *(line for line in lines if line not in set(late))]) + "\n")
    daemon = Daemon(deployment)
    daemon.until_idle()
    assert (proposed(daemon.lake), daemon.lake.partitions("certificate")) == (["one-r1"], [])
    for _ in range(2):
        collect(daemon)
    (alert,) = standing_alerts(daemon.lake)
    assert (alert["kind"], alert["partition"]) == ("open", "one-r1")
    assert "60 of purpose audit" in alert["happened"]
    frozen = daemon.lake.commit("release_items", "one-r1")
    written = daemon.lake.answers.head().sequence
    (tmp_path / "inbox" / "small" / "answers" / "experts.csv").write_text("\n".join([head, *late]) + "\n")
    assert daemon.work() == (0, [])  # it has been seen once only
    daemon.until_idle()
    assert daemon.lake.partitions("manifest") == ["one-r1"]
    assert daemon.lake.commit("release_items", "one-r1") == frozen
    assert daemon.lake.answers.head().sequence > written
    collect(daemon)
    assert standing_alerts(daemon.lake) == []


def test_a_release_added_on_the_page_is_a_new_audit(released: Daemon) -> None:
    daemon = released
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
    deployment = with_inbox(tmp_path, operation=NO_RELEASE)
    daemon = Daemon(deployment)
    daemon.until_idle()
    assert daemon.lake.partitions("labels") == ["one"]
    assert proposed(daemon.lake) == []
    schedule = daemon.repository.get_schedule_def("small_releases")

    def asked() -> list[str | None]:
        # A schedule's instance must have a file; the runs need none, and are faster without.
        with (
            dg.DagsterInstance.local_temp(str(tmp_path)) as instance,
            dg.build_schedule_context(instance=instance) as context,
        ):
            keys = [run.run_key for run in schedule.evaluate_tick(context).run_requests or []]
            assert instance.get_dynamic_partitions("small_releases") == ["one-r1"]
            return keys

    assert asked() == ["one-r1"]
    daemon.until_idle()
    assert release_facts(daemon.lake, load_project(deployment.projects / "small.yaml"), "one-r1").verdict == "PASS"
    assert asked() == []
    path = deployment.projects / "small.yaml"
    path.write_text(path.read_text() + "checking: {regularisation: 0.5}\n")
    daemon.until_idle()
    project = load_project(path)
    assert propose_changed(daemon.lake, project, "a test") == ["one-r2"]


def test_a_lost_record_of_dagster_is_made_up_for_by_the_lake(first_daemon: Daemon, released: Daemon) -> None:
    assert released.instance.get_dynamic_partitions("small_releases") == ["one-r1"]
    assert released.lake.commit("manifest", "one-r1") == first_daemon.lake.commit("manifest", "one-r1")
    assert released.work() == (0, [])


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


def test_a_lake_is_its_owners_alone(first_daemon: Daemon) -> None:
    lake = Path(first_daemon.deployment.lake) / "small"
    open_to_others = [path for path in (lake, *lake.rglob("*")) if path.stat().st_mode & 0o077]
    assert not open_to_others
