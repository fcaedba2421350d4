"""What Dagster loads: the definitions of all projects of the environment's deployment."""

import dagster as dg

from cupel.kinds.projects import load_projects
from orchestration.deployment import Deployment
from orchestration.known_partitions import register_all_partitions
from orchestration.wiring import operated_definitions


def build_definitions(deployment: Deployment | None = None) -> dg.Definitions:
    """Return the definitions of all projects of a deployment.

    Args:
        deployment: Where projects, data and lake are; None for the environment's.

    Raises:
        ProjectError: A project file is wrong.
    """
    deployment = deployment or Deployment.from_environment()
    return operated_definitions(load_projects(deployment.projects, deployment.known), deployment)


defs = build_definitions()
# A new instance knows no batch yet: `dagster asset materialize --partition` and backfills ask it.
register_all_partitions(Deployment.from_environment())
