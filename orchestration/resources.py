"""Resources: the bench that the assets of all projects work at."""

import os

from dagster_duckdb import DuckDBResource

from assets.bench import Bench
from orchestration.deployment import REPOSITORY, Deployment

MEMORY_LIMIT = "1GB"


def bench(deployment: Deployment) -> Bench:
    """Return the bench of a deployment: an in-memory DuckDB with bounded memory and threads a step."""
    settings = {"threads": os.cpu_count() or 1, "memory_limit": MEMORY_LIMIT}
    return Bench(
        projects_folder=str(deployment.projects),
        lake_root=deployment.lake,
        data_root=str(deployment.data),
        inbox_root=None if deployment.inbox is None else str(deployment.inbox),
        lock_file=str(REPOSITORY / "requirements.lock"),
        known=deployment.known,
        duckdb=DuckDBResource(database=":memory:", connection_config=settings),
    )
