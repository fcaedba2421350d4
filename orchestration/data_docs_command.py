"""`cupel data-docs`: writes the pages of what gates said, for one project or all."""

from pathlib import Path

import click

from cupel.config.project import Project
from cupel.errors import CupelError, LakeError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.printable import printable
from cupel.store.files import is_file, is_folder, list_folder
from expectations.data_docs import INDEX, GateView, write_data_docs

NOT_READ = 1


def write_projects_docs(project: str | None, projects: Path, lake: Path) -> int:
    """Write the Data Docs of a project or of all, say where, and return the exit code of `cupel data-docs`.

    Args:
        project: The project; None for all that the lake holds.
        projects: Folder of the project files; they say what checks ask, and what helps.
        lake: The deployment's lake.

    Raises:
        LakeError: There is no such project.
    """
    there = [path.name for path in list_folder(lake) if is_folder(path / "tables")]
    if project is not None and project not in there:
        raise LakeError(f"project {project}: not in the lake {lake}; it holds {', '.join(there) or 'no project'}")
    problems = []
    for name in there if project is None else [project]:
        known: Project | None = None
        try:
            known = load_project(projects / f"{name}.yaml") if is_file(projects / f"{name}.yaml") else None
        except CupelError as error:
            problems.append(f"{error}; its pages do not say what checks ask, and what helps")
        views = write_data_docs(Lake(lake, name), known)
        click.echo(printable(f"{name}: {_summary(views)}; open {lake / name / INDEX}"))
    if not there:
        click.echo(f"{lake}: holds no project; `make run` makes the sample's")
    for problem in problems:
        click.echo(printable(f"Error: {problem}"), err=True)
    return NOT_READ if problems else 0


def _summary(views: list[GateView]) -> str:
    counts = {state: sum(view.state == state for view in views) for state in ("REFUSED", "OPEN", "PASSED")}
    words = ", ".join(f"{number} {state}" for state, number in counts.items() if number)
    return f"{len(views)} {'gate' if len(views) == 1 else 'gates'}{f': {words}' if words else ''}"
