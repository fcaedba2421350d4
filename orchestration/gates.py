"""The gates on the graph: each suite as one multi-asset check that judges, records and blocks."""

import warnings
from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.bench import BENCH, Bench, at_bench
from cupel.config.project import Project
from cupel.config.raw import Delivery
from cupel.contract.stages import STAGES
from cupel.lake.gates import gate_partition
from cupel.versions.code_version import gate_version
from expectations.gate import asked_checks, judge_stage
from expectations.suite import Suite
from expectations.suites import project_suites


def gates(
    project: Project,
    batches: dg.PartitionsDefinition[str],
    releases: dg.PartitionsDefinition[str],
    bench: str = BENCH,
) -> list[dg.AssetChecksDefinition]:
    """Return all gates of a project: one a stage, and one for each further table that is judged.

    Args:
        project: Its thresholds and expectations are in the checks' descriptions.
        batches: Partitions of the per-batch tables.
        releases: Partitions of the per-release tables.
        bench: Name of the bench that they judge at.

    Raises:
        ProjectError: A threshold or expectation of the project cannot be used.
    """
    return [
        gate(project, suite, releases if STAGES[suite.stage].partition == "release" else batches, bench)
        for suite in project_suites(project)
    ]


def gate(
    project: Project, suite: Suite, partitions: dg.PartitionsDefinition[str], bench: str = BENCH
) -> dg.AssetChecksDefinition:
    """Return one gate: a check for each question, critical ones blocking what comes after their table.

    Open does not block: what runs after an open gate is what asks the people whose answers it awaits.

    Args:
        project: The project.
        suite: What is asked of which table.
        partitions: Partitions of that table.
        bench: Name of the bench that it judges at.
    """

    define = dg.multi_asset_check(
        name=f"{project.project}_{suite.gate}_gate".replace("-", "_"),
        description=f"Judges {suite.table} and writes the outcome to gate_results.",
        specs=_specs(project, suite, partitions),
        compute_kind="greatexpectations",
        can_subset=True,
    )

    def judge(context: dg.AssetCheckExecutionContext, bench: Bench) -> Iterator[dg.AssetCheckResult]:
        for row in _judged(context, bench, suite):
            if dg.AssetCheckKey(_key(project, suite.table), row["check"]) in context.selected_asset_check_keys:
                yield _result(project, row)

    return define(at_bench(judge, bench))


def _judged(context: dg.AssetCheckExecutionContext, bench: Bench, suite: Suite) -> list[dict[str, Any]]:
    """Judge the context's partition, record the outcome in the lake, and return its rows."""
    with bench.step(context) as step:
        rows = judge_stage(step, suite)
        name, version = gate_partition(suite.gate, step.partition), gate_version(step.project, suite.gate)
        step.lake.write("gate_results", name, rows, step.inputs, version)
        return list(rows.to_pylist())


def _specs(project: Project, suite: Suite, partitions: dg.PartitionsDefinition[str]) -> list[dg.AssetCheckSpec]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.PreviewWarning)
        return [
            dg.AssetCheckSpec(
                name,
                asset=_key(project, suite.table),
                description=description,
                blocking=severity == "critical",
                additional_deps=[_key(project, table) for table in suite.beside],
                partitions_def=partitions,
            )
            for name, severity, description in asked_checks(_with_coming_batch(project), suite)
        ]


def _with_coming_batch(project: Project) -> Project:
    """Return the project with a batch as the inbox brings them: a check that is asked of one must be on the graph."""
    if project.raw.inbox is None:
        return project
    coming = Delivery(files=(project.project,), **project.raw.inbox.model_dump())
    deliveries = {**project.raw.deliveries, f"{project.project}_inbox": coming}
    return project.model_copy(update={"raw": project.raw.model_copy(update={"deliveries": deliveries})})


def _result(project: Project, row: dict[str, Any]) -> dg.AssetCheckResult:
    is_critical = row["severity"] == "critical" and row["outcome"] == "fail"
    shown = ("outcome", "severity", "observed", "bound", "comparison", "threshold", "reason", "item_ids")
    return dg.AssetCheckResult(
        asset_key=_key(project, row["table_name"]),
        check_name=row["check"],
        passed=row["outcome"] == "pass",
        severity=dg.AssetCheckSeverity.ERROR if is_critical else dg.AssetCheckSeverity.WARN,
        description=row["reason"] if row["outcome"] != "pass" else None,
        metadata={name: row[name] for name in shown if row[name] not in (None, [])} | {"table hash": row["table_hash"]},
    )


def _key(project: Project, table: str) -> dg.AssetKey:
    return dg.AssetKey([project.project, table])
