"""The Dagster component `cupel.Project`: a project as part of a team's own `dg` workspace, in ten lines of YAML."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from pydantic import Field

from cupel.errors import CupelError
from cupel.store.files import is_file, is_folder, may_write
from orchestration.component_scaffolder import ProjectScaffolder
from orchestration.deployment import REPOSITORY, Deployment

TYPE = "cupel.Project"
PACKAGES = ("assets", "expectations", "orchestration")


class ComponentError(CupelError):
    """A component that cannot be used as its YAML has it."""


@dg.scaffold_with(ProjectScaffolder)
class ProjectComponent(dg.Component, dg.Model, dg.Resolvable):
    """A labeling effort: its tables as assets, its gates as asset checks, its jobs, sensors and schedules.

    What it makes has the project's name first: `[reviews, training_set]`. Batches and releases are the dynamic
    partitions `reviews_batches` and `reviews_releases`.
    """

    project: str = Field(
        description="The project file, relative to the folder of this file. Its name is the project's.",
        examples=["reviews.yaml"],
    )
    data: str = Field(
        description="Folder that the project's deliveries and recorded answers are named relative to.",
        examples=["{{ context.project_root }}/data"],
    )
    lake: str = Field(
        description="Folder of the lake, where all tables, answers and releases are. Several projects may share it.",
        examples=["{{ context.project_root }}/lake"],
    )
    inbox: str | None = Field(
        default=None,
        description="Folder that holds an inbox a project; left out: nothing arrives by itself.",
        examples=["{{ context.project_root }}/inbox"],
    )
    is_automated: bool = Field(
        default=False,
        description="Sensors and schedules work from the start; false: when somebody turns them on.",
    )

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the project's definitions, with names of their own beside those of the team.

        Raises:
            ComponentError: An attribute cannot be used, another component has the project, or a package of the team's
                has the name of one of Cupel's.
            ProjectError: The project file is wrong.
        """
        check_packages()
        file = _file_of(context)
        deployment = self._deployment(context.path if is_folder(context.path) else context.path.parent, file)
        self._check_alone(context, file)
        # What decides tables and gates is imported here, and not where `dg` lists what components there are.
        from cupel.kinds.projects import load_project
        from orchestration.known_partitions import register_known_partitions
        from orchestration.wiring import operated_definitions

        project = load_project(deployment.projects / self.project_file, deployment.known)
        register_known_partitions(project.project, deployment)
        return operated_definitions([project], deployment)

    @property
    def project_file(self) -> str:
        """The project file's name, without its folder."""
        return Path(self.project).name

    def _deployment(self, folder: Path, file: Path) -> Deployment:
        """Return where the component's places are; they are relative to the folder of its file."""
        path = folder / self.project
        if path.suffix != ".yaml" or not is_file(path):
            raise ComponentError(
                f"{file}: attributes.project: found {self.project!r}; there is no project file {path.resolve()}: name "
                f"one that ends in .yaml, relative to this folder, or make one by `dg scaffold defs {TYPE} NAME`"
            )
        lake = (folder / self.lake).resolve()
        if (why := _why_not_writable(lake)) is not None:
            raise ComponentError(
                f"{file}: attributes.lake: found {self.lake!r}; {why}: name a folder that runs may write to, or see "
                "to its rights"
            )
        inbox = None if self.inbox is None else (folder / self.inbox).resolve()
        return Deployment(
            path.resolve().parent, (folder / self.data).resolve(), str(lake), inbox,
            is_embedded=True, is_automated=self.is_automated,
        )  # fmt: skip

    def _check_alone(self, context: dg.ComponentLoadContext, file: Path) -> None:
        """Refuse a second component of the same project: each table is made by one."""
        name = Path(self.project).stem
        same = [
            other.project
            for other in context.component_tree.get_all_components(ProjectComponent)
            if Path(other.project).stem == name
        ]
        if len(same) > 1:
            raise ComponentError(
                f"{file}: attributes.project: found {self.project!r}; {len(same)} components of this workspace have a "
                f"project {name!r} ({', '.join(sorted(same))}): remove all but one, or name the projects otherwise"
            )


def check_packages() -> None:
    """Refuse to work with packages of others that have the names of Cupel's.

    Raises:
        ComponentError: Names the package, where it is, and where it should be.
    """
    for name, found in _find_strangers():
        raise ComponentError(
            f"{TYPE}: the package {name!r} that Python finds is {found}, not Cupel's {REPOSITORY / name}: rename "
            "yours, or put it below a package of your own"
        )


def _find_strangers() -> Iterator[tuple[str, str]]:
    from importlib.util import find_spec

    for name in PACKAGES:
        module = sys.modules.get(name)
        spec = find_spec(name) if module is None else module.__spec__
        origin = None if spec is None else spec.origin
        if origin is None or Path(origin).resolve().parent != REPOSITORY / name:
            yield name, origin or "no package with an __init__.py"


def _file_of(context: dg.ComponentLoadContext) -> Path:
    """Return the component's file, as errors name it: relative to the team's project."""
    path = context.path / "defs.yaml" if is_folder(context.path) else context.path
    return Path(os.path.relpath(path, context.project_root))


def _why_not_writable(folder: Path) -> str | None:
    """Return why nothing can be written to a folder that may not be there yet; None where something can."""
    for place in (folder, *folder.parents):
        if is_file(place):
            return f"{place} is a file"
        if is_folder(place):
            return None if may_write(place) else f"nobody may write to {place} who loads this"
    return None
