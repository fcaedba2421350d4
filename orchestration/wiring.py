"""The wiring: every project's assets, gates and jobs, bound to its partitions, and the bench that all work at."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import dagster as dg

from assets.asset_tags import STAGE
from assets.bench import BENCH
from assets.report import report_asset
from assets.spec import stage_assets
from cupel.config.project import Project
from cupel.contract.stages import STAGES, Stage
from orchestration import partitions
from orchestration.arrivals import collect_job, inbox_sensor, schedules
from orchestration.automation import Outlook, automation_sensor, condition
from orchestration.deployment import Deployment
from orchestration.gates import gates
from orchestration.jobs import batch_job, release_job, report_job
from orchestration.prune_job import prune_definitions
from orchestration.resources import bench
from orchestration.runs import PROJECT
from orchestration.watch import watchers


def project_definitions(project: Project) -> dg.Definitions:
    """Return one project's assets, gates and jobs, without what they work at and without automation."""
    return _definitions(project, None)


def deployment_definitions(projects: Sequence[Project], deployment: Deployment) -> dg.Definitions:
    """Return the definitions of some projects, run by hand, at one bench and in one process.

    Args:
        projects: The projects.
        deployment: Where projects, data and lake are.
    """
    shared = dg.Definitions(resources={"bench": bench(deployment)}, executor=dg.in_process_executor)
    return dg.Definitions.merge(shared, *(project_definitions(project) for project in projects))


def operated_definitions(projects: Sequence[Project], deployment: Deployment) -> dg.Definitions:
    """Return the definitions of some projects as page and daemon work with them: by themselves, a process a run.

    Args:
        projects: The projects; one, where it is embedded in a team's own Dagster.
        deployment: Where projects, data, inbox and lake are.
    """
    names = {project.project for project in projects}
    shared = dg.Definitions(
        resources={deployment.own_name(BENCH, min(names, default="")): bench(deployment)},
        executor=None if deployment.is_embedded else dg.in_process_executor,  # a team has one of its own
        sensors=watchers(deployment, names),
    )
    return dg.Definitions.merge(shared, *(_operated(project, deployment) for project in projects))


def _operated(project: Project, deployment: Deployment) -> dg.Definitions:
    name = project.project

    clocks = dg.Definitions(
        sensors=[inbox_sensor(project, deployment), automation_sensor(name, deployment)],
        schedules=schedules(project, deployment),
    )
    return dg.Definitions.merge(
        _definitions(project, Outlook(name, deployment), deployment.own_name(BENCH, name)),
        clocks,
        prune_definitions(project, deployment),
    )


def _definitions(project: Project, outlook: Outlook | None, bench: str = BENCH) -> dg.Definitions:
    name = project.project
    batches, releases = partitions.batches(name), partitions.releases(name)
    work = _bound(project, batches, releases, outlook, bench)
    # A step takes a second, and a process of its own would import for many: whatever executor a team's Dagster has.
    define = partial(dg.define_asset_job, tags={PROJECT: name}, executor_def=dg.in_process_executor)
    return dg.Definitions(
        assets=work,
        asset_checks=gates(project, batches, releases, bench),
        jobs=[
            define(batch_job(name), _selection(work, batches)),
            define(release_job(name), _selection(work, releases) - _one(project, "report")),
            define(report_job(name), _one(project, "report")),
            define(collect_job(name), _one(project, "answers")),
        ],
    )


def _bound(
    project: Project,
    batches: dg.PartitionsDefinition[str],
    releases: dg.PartitionsDefinition[str],
    outlook: Outlook | None,
    bench: str,
) -> list[dg.AssetsDefinition]:
    """Return the assets under the project's name, with its owner and the partitions of their stage."""

    def own(spec: dg.AssetSpec) -> dg.AssetSpec:
        table, stage = spec.key.path[-1], STAGES.get(spec.tags[STAGE])
        fresh = _freshness(project, table)
        changes: dict[str, Any] = {"owners": [project.owner]} | ({} if fresh is None else {"freshness_policy": fresh})
        if stage is None or stage.partition is None:
            return spec.replace_attributes(**changes)
        automation = None if outlook is None else condition(outlook)
        partitions_def = releases if stage.partition == "release" else batches
        return spec.replace_attributes(partitions_def=partitions_def, automation_condition=automation, **changes)

    staged = [asset for stage in STAGES.values() if _has_assets(stage) for asset in stage_assets(stage, project, bench)]
    return [asset.map_asset_specs(own) for asset in (*staged, report_asset(project, bench))]


def _has_assets(stage: Stage) -> bool:
    """Tell whether a stage's steps are assets: what gates say is written by checks."""
    return stage.name != "gates"


def _freshness(project: Project, table: str) -> dg.FreshnessPolicy | None:
    """Return when the page shows a table as overdue, where the project says so."""
    hours = {"answers": project.operation.fresh_hours, "deliveries": project.operation.delivery_hours}.get(table)
    return None if hours is None else dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=hours))


def _selection(work: list[dg.AssetsDefinition], partitions_def: dg.PartitionsDefinition[str]) -> dg.AssetSelection:
    return dg.AssetSelection.assets(*(asset for asset in work if asset.partitions_def == partitions_def))


def _one(project: Project, table: str) -> dg.AssetSelection:
    return dg.AssetSelection.keys(dg.AssetKey([project.project, table]))
