"""Batches and releases that a project has, and Dagster's record does not know yet."""

import logging
import os
from pathlib import Path

import dagster as dg

from cupel.config.project import Project
from cupel.errors import CupelError
from cupel.intake.collect_inputs import current_project, releases_of
from cupel.kinds.projects import load_projects
from cupel.lake.lake import Lake
from cupel.store.files import is_folder
from orchestration.dagster_storage import open_instance
from orchestration.deployment import Deployment

log = logging.getLogger(__name__)


def find_unknown_partitions(
    instance: dg.DagsterInstance, lake: Lake, project: Project
) -> list[dg.AddDynamicPartitionsRequest]:
    """Return the batches and releases that Dagster does not know yet, such as after its record was lost.

    Args:
        instance: Dagster's instance.
        lake: The project's lake.
        project: The project with what is registered.
    """
    wanted = {"batches": list(project.raw.deliveries), "releases": releases_of(lake, project)}
    requests = []
    for kind, names in wanted.items():
        there = set(instance.get_dynamic_partitions(f"{project.project}_{kind}"))
        new = [name for name in names if name not in there]
        if new:
            requests.append(dg.AddDynamicPartitionsRequest(f"{project.project}_{kind}", new))
    return requests


def register_known_partitions(project: str, deployment: Deployment) -> None:
    """Tell the instance of DAGSTER_HOME of a project's batches and releases, so that any way of running knows them.

    Definitions that are loaded without an instance, such as before the folder of DAGSTER_HOME is made, or while project
    file or lake are in disorder, tell it nothing: what is wrong with them is said by what works with them.

    Args:
        project: Its name.
        deployment: Where its file and lake are.
    """
    home = os.environ.get("DAGSTER_HOME")
    if not home or not is_folder(Path(home)):
        return
    lake = Lake(deployment.lake, project)
    try:
        now = current_project(deployment.projects, lake, deployment.known)
        with open_instance(lambda words: log.warning("%s", words)) as instance:
            for request in find_unknown_partitions(instance, lake, now):
                instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
    except (CupelError, OSError) as error:
        log.warning("%s: its batches and releases are not registered: %s", project, error)


def register_all_partitions(deployment: Deployment) -> None:
    """Tell the instance of DAGSTER_HOME of the batches and releases of all projects of a deployment."""
    for project in load_projects(deployment.projects, deployment.known):
        register_known_partitions(project.project, deployment)
