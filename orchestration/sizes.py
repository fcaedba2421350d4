"""Sizes of a deployment: what its lakes and Dagster's record hold on the disk, and what a prune would free."""

from contextlib import suppress
from pathlib import Path

from rich.console import Console

from cupel.config.project import Project, load_projects
from cupel.errors import CupelError, LakeError
from cupel.lake import Lake
from cupel.sizes import record_line, size_lines
from cupel.superseded import find_superseded
from orchestration.deployment import Deployment


def superseded_bytes(lake: Path, project: Project) -> int | None:
    """Return the bytes of superseded parts of a project's tables; None where a damaged lake does not tell."""
    try:
        found = find_superseded(Lake(lake, project.project), project.operation.prune.parts_hours)
    except LakeError:
        return None
    return sum(part.bytes for part in found)


def tell_sizes(home: Path, console: Console) -> None:
    """Print the sizes of the environment's deployment; nothing where its projects cannot be read."""
    deployment = Deployment.from_environment()
    lake = Path(deployment.lake)
    with suppress(CupelError, OSError):
        lines = []
        for project in load_projects(deployment.projects):
            if (folder := lake / project.project).is_dir():
                lines += size_lines(folder, None, superseded_bytes(lake, project))
        for line in [*lines, record_line(home)]:
            console.print(f"size    {line}", markup=False, highlight=False, soft_wrap=True)
