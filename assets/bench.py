"""The bench: what an asset works with, and how what it wrote is shown on the page."""

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
    """A project, its lake, and a DuckDB connection with bounded memory and threads.

    Args:
        project_file: Path of the project's YAML file.
        lake_root: Folder or URL of the deployment's lake.
        data_root: Folder that deliveries and recorded answers are named relative to.
        lock_file: The locked versions; releases name its hash.
        duckdb: Settings of the in-memory connection that each step opens.
    """

    project_file: str
    lake_root: str
    data_root: str
    lock_file: str | None = None
    duckdb: DuckDBResource

    _project: Project | None = PrivateAttr(default=None)

    @property
    def project(self) -> Project:
        """The project, read once a process."""
        if self._project is None:
            self._project = load_project(Path(self.project_file))
        return self._project

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
        """Open the step for the context's partition, with a connection of its own."""
        with self.duckdb.get_connection() as connection:
            yield Step(Lake(self.lake_root, self.project.project, connection), self.project, context.partition_key)
