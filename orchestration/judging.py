"""Judging: the asset checks of one batch or release, run through Dagster on the tables as they are in the lake."""

import os
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import dagster as dg
from dagster import DagsterEventType

from cupel.config.project import Project
from cupel.lake.gates import gate_rows
from cupel.lake.lake import Lake
from expectations.gate import asked_checks
from expectations.suite import Suite
from expectations.suites import project_suites
from orchestration.findings import Finding
from orchestration.gate_outcomes import OWN_EXPECTATION
from orchestration.run_process import PROCESS, name_process
from orchestration.runs import plain

NO_TABLE = "there is no table to judge; see tables_are_current"
NO_OUTCOME = "the check came to no outcome; run the gate on the page and read its log"
MEND = "Mend what the message names, then judge again."
# Of runs of `make gate`: the tag's value is the project.
JUDGED_ELSEWHERE = "cupel/gate"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


class Question(NamedTuple):
    """A check that must come to an outcome: where it belongs, how severe it is, and what to do when it fails."""

    suite: Suite
    name: str
    severity: str
    remedy: str


def questions(project: Project, partition: str, tables: Iterable[str]) -> list[Question]:
    """Return the checks that a project's gates ask of some tables of a batch or release, in the order of the chain."""
    asked = []
    for suite in (suite for suite in project_suites(project) if suite.table in set(tables)):
        remedies = {check.name: check.remedy for check in suite.asked(project, partition)}
        others = {check.name for check in suite.checks} - set(remedies)
        asked += [
            Question(suite, check.name, check.severity, remedies.get(check.name, OWN_EXPECTATION))
            for check in asked_checks(project, suite)
            if check.name not in others
        ]
    return asked


def judge_partition(
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    project: Project,
    lake: Lake,
    partition: str,
    asked: Iterable[Question],
) -> list[Finding]:
    """Run checks on one batch or release, and return what each came to; one without an outcome has failed.

    Args:
        definitions: Definitions that hold the project, at a bench whose lake takes the outcomes.
        instance: Dagster's instance: the evaluations are on its record.
        project: The project.
        lake: That lake; its tables are those that are judged.
        partition: Batch or release.
        asked: The checks; those of a table that is not there are not run.
    """
    questions = list(asked)
    there = {q for q in questions if lake.commit(q.suite.table, partition) is not None}
    keys = {_key(project, q) for q in there}
    judged: dict[tuple[str, str], Mapping[str, Any]] = {}
    errors: dict[str, str] = {}
    seconds: dict[str, float] = {}
    if keys:
        result = _run(definitions, instance, project.project, partition, keys)
        errors, seconds = _errors(result), _seconds(result)
        judged = {(row["table_name"], row["check"]): row for row in gate_rows(lake, partition)}
    nodes = _nodes(definitions, keys)
    findings = []
    for q in questions:
        node = nodes.get(_key(project, q), "")
        shared = seconds.get(node, 0.0) / (sum(nodes.get(_key(project, o)) == node for o in there) or 1)
        row = judged.get((q.suite.table, q.name))
        if q not in there:
            findings.append(_unjudged(project, partition, q, "not judged", NO_TABLE, ""))
        elif row is None or node not in seconds:  # an outcome from before is not what was asked for
            findings.append(_unjudged(project, partition, q, "error", errors.get(node, NO_OUTCOME), MEND))
        else:
            findings.append(_judged(project, partition, q, row, shared))
    return findings


def _run(
    definitions: dg.Definitions, instance: dg.DagsterInstance, project: str, partition: str, keys: set[dg.AssetCheckKey]
) -> dg.ExecuteInProcessResult:
    # Checks alone take their partition from the tag; with `partition_key` Dagster 1.13 looks for an asset and fails.
    job = definitions.resolve_implicit_global_asset_job_def()
    return job.get_subset(asset_selection=set(), asset_check_selection=keys).execute_in_process(
        instance=instance,
        raise_on_error=False,
        tags={"dagster/partition": partition, JUDGED_ELSEWHERE: project, PROCESS: name_process(os.getpid())},
        run_config=QUIET,
    )


def _judged(project: Project, partition: str, asked: Question, row: Mapping[str, Any], seconds: float) -> Finding:
    return Finding(
        project.project, partition, asked.suite.stage, asked.suite.table, asked.name, row["outcome"], row["severity"],
        str(row["reason"]), asked.remedy, row["observed"], row["bound"], row["comparison"], row["threshold"],
        tuple(row["item_ids"]), seconds,
    )  # fmt: skip


def _unjudged(project: Project, partition: str, asked: Question, outcome: Any, reason: str, remedy: str) -> Finding:
    place = (project.project, partition, asked.suite.stage, asked.suite.table, asked.name)
    return Finding(*place, outcome, asked.severity, reason, remedy)


def _key(project: Project, asked: Question) -> dg.AssetCheckKey:
    return dg.AssetCheckKey(dg.AssetKey([project.project, asked.suite.table]), asked.name)


def _nodes(definitions: dg.Definitions, keys: set[dg.AssetCheckKey]) -> dict[dg.AssetCheckKey, str]:
    """Return the name of the step that each check is part of."""
    checks = [check for check in definitions.asset_checks or [] if isinstance(check, dg.AssetChecksDefinition)]
    return {key: check.node_def.name for check in checks for key in check.check_keys if key in keys}


def _errors(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Return what broke, by step."""
    errors = {}
    for event in result.filter_events(lambda event: event.event_type == DagsterEventType.STEP_FAILURE):
        error = event.step_failure_data.error
        while error is not None and error.cause is not None:
            error = error.cause
        errors[event.node_name] = "the check raised" if error is None else f"the check raised: {plain(error.message)}"
    return errors


def _seconds(result: dg.ExecuteInProcessResult) -> dict[str, float]:
    events = result.filter_events(lambda event: event.event_type == DagsterEventType.STEP_SUCCESS)
    return {event.node_name: event.step_success_data.duration_ms / 1000 for event in events}
