"""One cause makes one alert, however often it is met; it says what, where, why, and the command."""

import shutil
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.run_status_sensor_definition import RunStatusSensorCursor
from dagster._core.scheduler.instigation import InstigatorType, SensorInstigatorData
from ticks import QUIET, Daemon, collect, remember, succeed, tell, with_inbox

from assets.run_outcome import OUTCOME, REFUSED
from cupel.intake.alerts import read_alerts, standing_alerts
from cupel.intake.collect_inputs import current_project
from orchestration.alert_causes import _describe_checks, closed_gates
from orchestration.watch import rewind_lost_cursors
from small_project import NO_RELEASE, write_project

GARBAGE = {
    "bytes.jsonl": bytes(range(256)) * 20,
    "page.jsonl": b"<html>\n<body>502 Bad gateway</body>\n</html>\n",
    "other.csv": b"colour,size\nred,1\n",
    "empty.csv": b"",
    "cut.parquet": b"PAR1" + b"\0" * 100,
}


def refused_runs(daemon: Daemon) -> list[dg.DagsterRun]:
    """Return the runs in which a gate refused; they end well all the same."""
    ended_well = [dg.DagsterRunStatus.SUCCESS]
    return list(daemon.instance.get_runs(dg.RunsFilter(tags={OUTCOME: REFUSED}, statuses=ended_well)))


@pytest.mark.parametrize("name", list(GARBAGE))
def test_garbage_in_the_inbox_is_refused_once_with_file_line_and_remedy(tmp_path: Path, name: str) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    path = tmp_path / "inbox" / "small" / name
    path.write_bytes(GARBAGE[name])
    path.with_name(f"{name}.done").touch()
    collect(daemon)
    (alert,) = read_alerts(daemon.lake)
    assert (alert["kind"], alert["partition"], alert["where"]) == ("refused", name, str(path))
    assert name in alert["why"]
    assert "bring it again" in alert["why"] or "Set text_field" in alert["why"] or "bring a file" in alert["why"]
    assert alert["command"] == f"cat '{path}.refused.txt'"
    assert alert["why"] in path.with_name(f"{name}.refused.txt").read_text()
    assert list(current_project(daemon.deployment.projects, daemon.lake).raw.deliveries) == ["one"]
    again = Daemon(daemon.deployment._replace(started="later"), instance=daemon.instance)
    for other in (daemon, again):
        collect(other)
    assert len(read_alerts(daemon.lake)) == 1


def test_a_file_that_was_mended_ends_its_alert_and_is_taken(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path))
    path = tmp_path / "inbox" / "small" / "two.jsonl"
    path.write_bytes(GARBAGE["page.jsonl"])
    path.with_name("two.jsonl.done").touch()
    collect(daemon)
    assert [row["kind"] for row in standing_alerts(daemon.lake)] == ["refused"]
    shutil.copy(write_project(tmp_path / "elsewhere", items=20, seed=9).data / "small" / "one.jsonl", path)
    collect(daemon)
    assert standing_alerts(daemon.lake) == []
    assert list(current_project(daemon.deployment.projects, daemon.lake).raw.deliveries) == ["one", "two"]


def test_a_gate_with_nothing_left_to_judge_is_one_alert_that_names_the_rows(tmp_path: Path) -> None:
    deployment = with_inbox(tmp_path)
    (deployment.data / "small" / "one.jsonl").write_bytes(GARBAGE["page.jsonl"])
    daemon = Daemon(deployment)
    daemon.until_idle()
    daemon.job("batch").execute_in_process(
        instance=daemon.instance, partition_key="one", raise_on_error=False, run_config=QUIET
    )  # a person tries it once more
    assert len(refused_runs(daemon)) == 2
    for run in refused_runs(daemon):
        succeed(daemon, run)
    (alert,) = read_alerts(daemon.lake)
    assert alert["kind"] == "gate_failed"
    assert alert["happened"] == "raw gate: nothing is left to judge, the table raw_items is empty"
    assert "3 rows were rejected: broken_json 3" in alert["why"]
    assert "one.jsonl, line 1: the line is not valid JSON" in alert["why"]
    assert alert["command"] == "make gate PROJECT=small BATCH=one"
    assert "None" not in "".join(alert.values())


def test_several_checks_of_a_gate_are_one_alert_and_another_table_is_another_cause(tmp_path: Path) -> None:
    deployment = with_inbox(tmp_path)
    path = deployment.data / "small" / "one.jsonl"
    rows = path.read_text().splitlines()
    path.write_text("\n".join([*rows[:10], *("{" for _ in rows), *rows[:10]]) + "\n")
    daemon = Daemon(deployment)
    daemon.until_idle()
    project = current_project(deployment.projects, daemon.lake)
    (first,) = closed_gates(daemon.lake, project, "one", "run")
    assert "unreadable_row_share: " in first.happened
    path.write_text("\n".join([*rows[:12], *("{" for _ in rows), *rows[:12]]) + "\n")
    daemon.until_idle()
    (second,) = closed_gates(daemon.lake, project, "one", "run")
    assert first.cause != second.cause


def test_what_succeeds_ends_the_alert_and_the_same_trouble_later_is_told_again(tmp_path: Path) -> None:
    deployment = with_inbox(tmp_path, operation=NO_RELEASE)
    path = deployment.data / "small" / "one.jsonl"
    good = path.read_text()
    daemon = Daemon(deployment)
    for content in ("{\n" * 400 + good, good, "{\n" * 400 + good):
        path.write_text(content)
        daemon.until_idle()
        run = next(iter(daemon.instance.get_runs(dg.RunsFilter(tags={"dagster/partition": "one"}), limit=1)))
        assert run.status == dg.DagsterRunStatus.SUCCESS
        succeed(daemon, run)
        succeed(daemon, run)
    assert [row["kind"] for row in read_alerts(daemon.lake)] == ["gate_failed", "over", "gate_failed"]


def fail(daemon: Daemon, kind: str, path: Path, **options: str) -> dg.DagsterRun:
    """Run a job while a file cannot be read, and return its run, which broke."""
    content = path.read_text()
    path.write_text("{")
    done = daemon.job(kind).execute_in_process(
        instance=daemon.instance, raise_on_error=False, run_config=QUIET, **options
    )  # type: ignore[arg-type]
    path.write_text(content)
    assert not done.success
    return done.dagster_run


def test_a_failure_that_is_told_after_it_was_mended_does_not_stand(tmp_path: Path) -> None:
    daemon = Daemon(with_inbox(tmp_path, operation=NO_RELEASE))
    daemon.tick("inbox")
    failed = fail(daemon, "batch", daemon.deployment.projects / "small.yaml", partition_key="one")
    daemon.until_idle()
    done = dg.RunsFilter(tags={"dagster/partition": "one"}, statuses=[dg.DagsterRunStatus.SUCCESS])
    succeed(daemon, next(iter(daemon.instance.get_runs(done))))  # each sensor ticks for itself
    tell(daemon, failed)
    assert [row["kind"] for row in read_alerts(daemon.lake)] == ["broken", "over"]


def test_a_prune_that_succeeds_ends_no_alert_of_a_collection(tmp_path: Path) -> None:
    deployment = with_inbox(tmp_path)
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        daemon = Daemon(deployment, instance=instance)
        tell(daemon, fail(daemon, "collect", deployment.projects / "small.yaml"))
        assert [(row["kind"], row["partition"]) for row in standing_alerts(daemon.lake)] == [("broken", "")]
        succeed(daemon, daemon.job("prune").execute_in_process(instance=instance, run_config=QUIET).dagster_run)
        assert len(standing_alerts(daemon.lake)) == 1
        succeed(daemon, daemon.job("collect").execute_in_process(instance=instance, run_config=QUIET).dagster_run)
        assert standing_alerts(daemon.lake) == []


def test_a_refused_release_is_told_once_whichever_runs_ended_how(tmp_path: Path) -> None:
    deployment = with_inbox(tmp_path)
    path = deployment.projects / "small.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["release"]["error_budget"] = 0.001
    settings["release"].setdefault("certificate", {})["audit_anyway"] = True  # it could not pass if nothing were wrong
    path.write_text(yaml.safe_dump(settings))
    daemon = Daemon(deployment)
    daemon.until_idle()
    assert refused_runs(daemon)
    for run in daemon.instance.get_runs(ascending=True):
        succeed(daemon, run)
    (alert,) = read_alerts(daemon.lake)
    assert (alert["kind"], alert["partition"]) == ("refused", "one-r1")
    assert "error_bound: " in alert["happened"]
    assert alert["command"] == "make gate PROJECT=small BATCH=one-r1"
    assert Path(alert["where"].partition("; report ")[2]).is_file()


def test_a_check_that_is_judged_by_its_bound_is_told_with_it() -> None:
    row = {"check": "agreement", "observed": 0.21424435, "bound": 0.12, "threshold": 0.2, "reason": "by chance"}
    happened, _ = _describe_checks("labeling", [row, row | {"check": "kept_share", "bound": None}])
    assert happened == "labeling gate: agreement: 0.2142, bound 0.12, against 0.2; kept_share: 0.2142 against 0.2"


def test_failures_are_told_also_after_the_record_of_events_was_made_anew(tmp_path: Path) -> None:
    deployment = with_inbox(tmp_path)
    (tmp_path / "home").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "home")) as instance:
        daemon = Daemon(deployment, instance=instance)
        fail(daemon, "collect", deployment.projects / "small.yaml")
        newest = instance.event_log_storage.get_maximum_record_id() or 0
        remember(instance, "kept", InstigatorType.SENSOR, sensor_at(newest), 0.0)
        remember(instance, "lost", InstigatorType.SENSOR, sensor_at(newest + 1), 0.0)
        remember(instance, "inbox", InstigatorType.SENSOR, SensorInstigatorData(cursor="{}"), 0.0)
        assert rewind_lost_cursors(instance) == ["lost"]
        cursors = {state.instigator_name: state.instigator_data.cursor for state in instance.all_instigator_state()}  # type: ignore[union-attr]
        assert cursors == {"inbox": "{}", "kept": sensor_at(newest).cursor, "lost": sensor_at(-1).cursor}
        after = dg.RunStatusChangeRecordsFilter(dg.DagsterEventType.RUN_FAILURE, after_storage_id=-1)
        assert len(instance.fetch_run_status_changes(after, limit=5).records) == 1


def sensor_at(event: int) -> SensorInstigatorData:
    return SensorInstigatorData(cursor=RunStatusSensorCursor(record_id=event).to_json())
