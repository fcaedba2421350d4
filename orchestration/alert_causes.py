"""What an alert says of a run that failed: one alert a cause, with what, where, why and the command."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.run_outcome import REFUSED, own_outcome
from cupel.config.project import Project
from cupel.intake.alerts import Alert
from cupel.lake.gates import gate_rows
from cupel.lake.lake import Lake
from cupel.release.places import report_folder
from cupel.sources.reasons import REASONS
from expectations.suites import project_suites
from orchestration.dagster_internals import SerializableErrorInfo
from orchestration.gate_outcomes import OWN_EXPECTATION, is_refusal
from orchestration.runs import at_fault, plain

BROKEN = "Mend what the message names, then make down and make up, or materialize the partition on the page."
KILLED = (
    "If it was stopped on purpose, nothing: the next start does what is left. If not, look whether the machine ran out "
    "of memory or disk, then start anew (make down, make up) or materialize the partition on the page."
)
START_ANEW = "make down && make up"
PARTITION = "dagster/partition"
PRUNE = "_prune"
CHECKS_SHOWN = 5
REASONS_SHOWN = 3
REJECTED = {"raw_items": "rejected_rows", "clean_items": "rejected_items"}


def failed_run(lake: Lake, project: Project, run: dg.DagsterRun, instance: dg.DagsterInstance) -> Iterator[Alert]:
    """Yield what there is to say of a run that failed: of each step that broke, and of gates that refused before it.

    Args:
        lake: The project's lake.
        project: The project as it is now.
        run: The run.
        instance: Where its events are.
    """
    partition = partition_of(run)
    events = [entry.dagster_event for entry in instance.all_logs(run.run_id) if entry.dagster_event]
    failures = [event for event in events if event.event_type == dg.DagsterEventType.STEP_FAILURE]
    for event in failures:
        error = at_fault(event.step_failure_data.error)
        said = plain(error.message) if error else (event.message or "no reason is known")
        step = str(event.step_key)
        yield Alert(
            lake.project, partition, "broken", f"{step}: {said}", BROKEN, run.run_id, step, said, START_ANEW
        )  # fmt: skip
    if is_refused(run):
        yield from closed_gates(lake, project, partition, run.run_id)
    if not failures:
        yield _without_step(lake, partition, run, events)


def is_refused(run: dg.DagsterRun) -> bool:
    """Tell whether a gate refused in a run."""
    return own_outcome(run) == REFUSED


def partition_of(run: dg.DagsterRun) -> str:
    """Return what a run's alerts are about: its batch or release; "" for a collection, the job's name for a prune."""
    return run.tags.get(PARTITION, run.job_name if run.job_name.endswith(PRUNE) else "")


def closed_gates(lake: Lake, project: Project, partition: str, run_id: str) -> Iterator[Alert]:
    """Yield one alert for each gate of a batch or release that is closed, whichever of its checks failed.

    Args:
        lake: The project's lake.
        project: The project as it is now.
        partition: The batch or release.
        run_id: The run in which the gate refused.
    """
    remedies = {check.name: check.remedy for suite in project_suites(project) for check in suite.asked(project)}
    failed: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in gate_rows(lake, partition):
        if is_refusal(row):
            failed.setdefault((str(row["stage"]), str(row["table_name"])), []).append(dict(row))
    for (stage, table), rows in failed.items():
        measured = [row for row in rows if row["observed"] is not None]
        happened, why = (
            _describe_checks(stage, measured) if measured else _describe_empty(lake, stage, table, partition)
        )
        steps = dict.fromkeys(remedies.get(row["check"], OWN_EXPECTATION) for row in measured or rows[-1:])
        is_release = stage == "release"
        report = f"; report {report_folder(lake, partition) / 'report.html'}" if is_release else ""
        yield Alert(
            lake.project, partition, "refused" if is_release else "gate_failed", happened,
            " ".join(steps) if measured else _empty_remedy(stage), run_id,
            f"{stage} gate, table {table}{report}", why, f"make gate PROJECT={lake.project} BATCH={partition}",
            f"{stage} {table} {rows[0]['table_hash']} {', '.join(sorted(row['check'] for row in rows))}",
        )  # fmt: skip


def _describe_checks(stage: str, rows: list[dict[str, Any]]) -> tuple[str, str]:
    shown = [f"{row['check']}: {_measured(row)}" for row in rows[:CHECKS_SHOWN]]
    more = f" and {len(rows) - CHECKS_SHOWN} more" if len(rows) > CHECKS_SHOWN else ""
    return f"{stage} gate: {'; '.join(shown)}{more}", str(rows[0]["reason"])


def _measured(row: dict[str, Any]) -> str:
    """Return what was measured and what is allowed; where a confidence bound is judged instead, that too."""
    bound = "" if row["bound"] is None else f", bound {row['bound']:.4g},"
    allowed = "" if row["threshold"] is None else f" against {row['threshold']:.4g}"
    return f"{row['observed']:.4g}{bound}{allowed}"


def _describe_empty(lake: Lake, stage: str, table: str, partition: str) -> tuple[str, str]:
    """Return what to say of a gate that had nothing to measure: which rows were rejected, and why."""
    happened = f"{stage} gate: nothing is left to judge, the table {table} is empty"
    rejected = REJECTED.get(table)
    if rejected is None or lake.commit(rejected, partition) is None:
        return happened, f"no row of {table} was made"
    rows = lake.read(rejected, partition).to_pylist()
    if not rows:
        return happened, "the delivery has no row"
    counts = Counter(str(row["reason"]) for row in rows).most_common(REASONS_SHOWN)
    why = f"{len(rows):,} rows were rejected: " + ", ".join(f"{reason} {count:,}" for reason, count in counts)
    first = rows[0]
    words = REASONS.get(str(first["reason"]), str(first["reason"]))
    return happened, f"{why}; {first['source_file']}, line {first.get('line')}: {words}"


def _empty_remedy(stage: str) -> str:
    if stage == "raw":
        return "Mend the files of the delivery and bring it again; raw.inbox or the delivery says how they are read."
    return "Look at the reasons: a rule of the project file does not fit this source, or the delivery should go back."


def _without_step(lake: Lake, partition: str, run: dg.DagsterRun, events: list[dg.DagsterEvent]) -> Alert:
    """Return what to say of a run that failed although no step did: it could not begin, or its process is gone."""
    error = next((found for event in reversed(events) if (found := _engine_error(event)) is not None), None)
    if error is not None:
        said, job = plain(error.message), run.job_name
        return Alert(lake.project, partition, "broken", f"{job}: {said}", BROKEN, run.run_id, job, said, START_ANEW)
    kinds = (dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.STEP_SKIPPED)
    begun = [str(event.step_key) for event in events if event.event_type == dg.DagsterEventType.STEP_START]
    ended = {event.step_key for event in events if event.event_type in kinds}
    steps = ", ".join(sorted(step for step in begun if step not in ended)) or run.job_name
    why = next((str(event.message) for event in reversed(events) if event.is_failure and event.message), "")
    happened = f"{steps}: the process was killed or stopped"
    return Alert(lake.project, partition, "broken", happened, KILLED, run.run_id, steps, why, START_ANEW)


def _engine_error(event: dg.DagsterEvent) -> SerializableErrorInfo | None:
    data = event.event_specific_data
    error = getattr(data, "error", None) if event.event_type == dg.DagsterEventType.ENGINE_EVENT else None
    return at_fault(error) if isinstance(error, SerializableErrorInfo) else None
