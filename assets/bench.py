"""The bench: what an asset works with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster_duckdb import DuckDBResource
from pydantic import PrivateAttr

from cupel.lake import Lake, file_hash
from cupel.project import Project, load_project
from cupel.step import Step


class Bench(dg.ConfigurableResource[None]):
    """A deployment's projects, its lake, and DuckDB connections with bounded memory and threads.

    Args:
        projects_folder: Folder of the project files.
        lake_root: Folder of the deployment's lake.
        data_root: Folder that deliveries and recorded answers are named relative to.
        lock_file: The locked versions; releases name its hash.
        duckdb: Settings of the in-memory connection that each step opens.
    """

    projects_folder: str
    lake_root: str
    data_root: str
    lock_file: str | None = None
    duckdb: DuckDBResource

    _projects: dict[str, Project] = PrivateAttr(default_factory=dict)

    def project(self, name: str) -> Project:
        """Return a project, read once a process."""
        if name not in self._projects:
            self._projects[name] = load_project(Path(self.projects_folder) / f"{name}.yaml")
        return self._projects[name]

    @property
    def data(self) -> Path:
        """The folder that deliveries and recorded answers are named relative to."""
        return Path(self.data_root)

    @property
    def lock_sha256(self) -> str | None:
        """Hash of the locked versions, where there is such a file."""
        path = None if self.lock_file is None else Path(self.lock_file)
        return file_hash(path) if path is not None and path.is_file() else None

    @contextmanager
    def step(self, context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Iterator[Step]:
        """Open the step for the context's project and partition, with a connection of its own."""
        project = self.project(_project_name(context))
        with self.duckdb.get_connection() as connection:
            yield Step(Lake(self.lake_root, project.project, connection), project, context.partition_key)


def _project_name(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> str:
    """Return the first part of the keys that a step works on: the project's name."""
    if isinstance(context, dg.AssetCheckExecutionContext):
        return str(next(iter(context.selected_asset_check_keys)).asset_key.path[0])
    return str(next(iter(context.selected_asset_keys)).path[0])
