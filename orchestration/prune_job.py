"""The job that prunes a project by the clock, and says on the page what it removed and how large all is."""

from pathlib import Path

import dagster as dg

from cupel.config.project import Project
from cupel.intake.collect_inputs import current_project
from cupel.kinds.projects import load_projects
from cupel.lake.lake import Lake
from cupel.lake.sizes import lake_sizes, record_sizes
from cupel.lake.superseded_parts import superseded_bytes
from cupel.store.files import measure_folder
from orchestration.deployment import Deployment
from orchestration.prune import prune
from orchestration.prune_command import prune_lines
from orchestration.runs import PROJECT


def prune_job(project: str) -> str:
    """Return the name of the job that removes what nothing needs any more."""
    return f"{project}_prune"


def prune_definitions(project: Project, deployment: Deployment) -> dg.Definitions:
    """Return the job that prunes a project, and its schedule, where the project has one.

    Args:
        project: Its `operation.prune` says when.
        deployment: Where projects and lake are.
    """
    name, operation = project.project, project.operation

    @dg.op(
        name=f"{prune_job(name)}_lake_and_record",
        description="Removes superseded parts of tables, old runs, ticks and long logs; says what is left, by part.",
        out=dg.Out(dg.Nothing),
    )
    def remove(context: dg.OpExecutionContext) -> None:
        lake, home = Path(deployment.lake), Path(context.instance.root_directory)
        now = current_project(deployment.projects, Lake(lake, name), deployment.known)
        if deployment.is_embedded:  # the record is of others' runs too, and how long they stay is not ours to say
            found = prune([now], lake, None, home)
        else:
            others = [one for one in load_projects(deployment.projects, deployment.known) if one.project != name]
            found = prune([now], lake, context.instance, home, others)
        for line in prune_lines(found, [now]):
            context.log.info(line)
        sizes = lake_sizes(lake / name)
        parts = {f"lake, {part} (bytes)": value for part, value in sorted(sizes.items())}
        parts |= {f"Dagster's record, {part} (bytes)": value for part, value in record_sizes(home).items()}
        context.add_output_metadata(
            {
                "removed": "; ".join(prune_lines(found, [now])),
                "lake (bytes)": sum(sizes.values()),
                "superseded (bytes)": superseded_bytes(Lake(lake, name), now.operation.prune.parts_hours) or 0,
                "Dagster's record (bytes)": measure_folder(home),
                **parts,
            }
        )

    @dg.job(
        name=prune_job(name), executor_def=dg.in_process_executor, tags={PROJECT: name},
        description="Removes what nothing needs any more; see `cupel prune`.",
    )  # fmt: skip
    def job() -> None:
        remove()

    if operation.prune.at is None:
        return dg.Definitions(jobs=[job])
    schedule = dg.ScheduleDefinition(
        name=prune_job(name),
        job=job,
        cron_schedule=operation.prune.at,
        execution_timezone=operation.timezone,
        default_status=dg.DefaultScheduleStatus(deployment.automation_status),
        description="Removes what nothing needs any more, by the clock.",
    )
    return dg.Definitions(jobs=[job], schedules=[schedule])
