"""The gates on the graph: each suite as one multi-asset check that judges, records and blocks."""

import warnings
from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.bench import BENCH, Bench, at_bench
from assets.page_links import data_docs_link, report_link
from assets.run_outcome import OPEN, PASSED, tag_run
from cupel.config.project import Project
from cupel.config.raw import Delivery
from cupel.contract.stages import STAGES
from cupel.lake.gates import gate_partition
from cupel.lake.step import Step
from cupel.versions.code_version import gate_version
from expectations.gate import asked_checks, judge_stage
from expectations.suite import Suite
from expectations.suites import project_suites
from orchestration.check_statuses import report_failed_partitions
from orchestration.gate_outcomes import (
    OWN_EXPECTATION,
    decide_outcome,
    describe_check,
    describe_refusal,
    is_refusal,
)


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

    A refusal is an outcome: the check fails and what comes after is skipped, but nothing raises, so that the run ends
    well and says REFUSED. Open is not failed: the check has no result, and what runs after it is what asks the people
    whose answers it awaits.

    Args:
        project: The project.
        suite: What is asked of which table.
        partitions: Partitions of that table.
        bench: Name of the bench that it judges at.
    """
    specs = {spec.name: spec for spec in _specs(project, suite, partitions)}
    is_of_release = STAGES[suite.stage].partition == "release"
    define = dg.multi_asset_check(
        name=f"{project.project}_{suite.gate}_gate".replace("-", "_"),
        description=f"Judges {suite.table} and writes the outcome to gate_results.",
        specs=list(specs.values()),
        compute_kind="greatexpectations",
        can_subset=True,
    )

    def judge(context: dg.AssetCheckExecutionContext, bench: Bench) -> Iterator[Any]:
        step, rows = _judge(context, bench, suite)
        report = report_link(project.project, step.partition) if is_of_release else None
        outcome = decide_outcome(rows)
        tag_run(context.instance, context.run.run_id, outcome.word, outcome.why, report)
        if outcome.word != PASSED:
            context.log.warning(f"{outcome.word}: {suite.gate} gate of {step.partition}: {outcome.why}")
        if outcome.word == OPEN:
            shown = {"outcome": OPEN, "gate": suite.gate, "awaited": outcome.why}
            yield dg.AssetObservation(_key(project, suite.table), partition=step.partition, metadata=shown)
        remedies = {check.name: check.remedy for check in suite.asked(step.project, step.partition)}
        for row in rows:
            spec = specs.get(row["check"])
            if spec is None or spec.key not in context.selected_asset_check_keys:
                continue
            if row["outcome"] == "open":
                yield dg.Output(None, output_name=spec.get_python_identifier())
                continue
            docs = data_docs_link(project.project, step.partition, suite.gate, spec.name)
            links = {"report": report, "data docs": docs}
            result = _result(spec, row, describe_check(row, remedies.get(spec.name, OWN_EXPECTATION), links))
            if is_refusal(row):
                yield _refuse(context, result)
            else:
                yield result
        names = partitions.get_partition_keys(dynamic_partitions_store=context.instance)
        report_failed_partitions(context.instance, context.selected_asset_check_keys, step.partition, names)

    return define(at_bench(judge, bench))


def _judge(context: dg.AssetCheckExecutionContext, bench: Bench, suite: Suite) -> tuple[Step, list[dict[str, Any]]]:
    """Judge the context's partition, record the outcome in the lake, and return its rows."""
    with bench.step(context) as step:
        rows = judge_stage(step, suite)
        name, version = gate_partition(suite.gate, step.partition), gate_version(step.project, suite.gate)
        step.lake.write("gate_results", name, rows, step.inputs, version)
        return step, list(rows.to_pylist())


def _refuse(context: dg.AssetCheckExecutionContext, result: dg.AssetCheckResult) -> dg.AssetCheckEvaluation:
    """Return what is recorded of a refused check, without an output.

    Dagster raises where an evaluation that failed says that it blocks, and the run would be one that broke. The check's
    spec says that it blocks: so what comes after waits for it, and then finds the gate closed in the lake.
    """
    found = result.to_asset_check_evaluation(context.op_execution_context.get_step_execution_context())
    return dg.AssetCheckEvaluation(
        found.asset_key, found.check_name, found.passed, found.metadata, found.target_materialization_data,
        found.severity, found.description, blocking=False, partition=found.partition,
    )  # fmt: skip


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


def _result(spec: dg.AssetCheckSpec, row: dict[str, Any], shown: dict[str, Any]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=row["outcome"] == "pass",
        severity=dg.AssetCheckSeverity.ERROR if is_refusal(row) else dg.AssetCheckSeverity.WARN,
        description=None if row["outcome"] == "pass" else f"{shown['outcome']}: {describe_refusal(row)}",
        metadata=shown,
    )


def _key(project: Project, table: str) -> dg.AssetKey:
    return dg.AssetKey([project.project, table])
