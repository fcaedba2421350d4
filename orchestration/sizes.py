"""Sizes of a deployment: what its lakes and Dagster's record hold on the disk, and what a prune would free."""

from contextlib import suppress
from pathlib import Path

from rich.console import Console

from cupel.errors import CupelError
from cupel.kinds.projects import load_projects
from cupel.lake.lake import Lake
from cupel.lake.sizes import record_line, size_lines
from cupel.lake.superseded_parts import superseded_bytes
from cupel.store.files import is_folder
from orchestration.deployment import Deployment


def tell_sizes(home: Path, console: Console) -> None:
    """Print the sizes of the environment's deployment; nothing where its projects cannot be read."""
    deployment = Deployment.from_environment()
    lake = Path(deployment.lake)
    with suppress(CupelError, OSError):
        lines = []
        for project in load_projects(deployment.projects):
            if is_folder(folder := lake / project.project):
                lines += size_lines(
                    folder, None, superseded_bytes(Lake(lake, project.project), project.operation.prune.parts_hours)
                )
        for line in [*lines, record_line(home)]:
            console.print(f"size    {line}", markup=False, highlight=False, soft_wrap=True)
