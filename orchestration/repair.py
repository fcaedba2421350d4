"""Repair: what is damaged is moved aside, and made again of what it was made from; whether it is the same is told."""

import os
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import dagster as dg
from rich.console import Console

from cupel.check.aside import Aside, describe_again, place_of
from cupel.check.damage import Damage
from cupel.config.project import load_project
from cupel.contract.stages import STAGES, frozen_tables, project_steps, stage_of
from cupel.lake import Lake
from cupel.lock import project_lock
from cupel.sources.register import with_registered
from orchestration.dagster_storage import prepare_storage
from orchestration.deployment import Deployment
from orchestration.home_check import check_home
from orchestration.runs import execute
from orchestration.wiring import batch_job, deployment_definitions, release_job

Key = tuple[str, str]


class Repair:
    """The repair of one project's lake.

    Args:
        deployment: Where projects, data and lake are.
        project: The project's name.
        console: Where what is done is told.
    """

    def __init__(self, deployment: Deployment, project: str, console: Console) -> None:
        self.lake = Lake(deployment.lake, project)
        self._folder = Path(str(self.lake.folder))
        self._deployment = deployment
        self._console = console
        self._lines: list[str] = []

    @staticmethod
    def of_home(home: Path, console: Console) -> list[str]:
        """Move broken databases of Dagster's record aside, make new ones, and return what was said."""
        lines: list[str] = []

        def say(words: str) -> None:
            lines.append(words)
            console.print(words, style="yellow", markup=False)

        if home.is_dir():
            prepare_storage(home, say)
            aside = home / "set-aside"
            for damage in check_home(home):
                if damage.by_repair and (home / damage.path).exists():
                    target = aside / f"{uuid.uuid4().hex[:8]}-{Path(damage.path).name}"
                    aside.mkdir(exist_ok=True)
                    os.rename(home / damage.path, target)
                    say(f"{damage.path}: {damage.what}. It was moved to {os.path.relpath(target)}.")
            prepare_storage(home, say)
        return lines

    def run(self, damages: Sequence[Damage]) -> list[str]:
        """Mend what can be mended; return what was done, a line each.

        Raises:
            LakeError: Another process is at work on the project.
        """
        with project_lock(self._folder, "cupel check --repair"):
            aside, before = Aside(self._folder), dict[Key, str | None]()
            for damage in (damage for damage in damages if damage.by_repair):
                moved = aside.move(place_of(damage))
                if moved is not None:
                    self._say(f"{damage.path}: moved to {os.path.relpath(moved)}")
                if damage.table and damage.kind != "superseded part":
                    before[damage.table, damage.partition] = damage.hash
            self._make(before)
            for damage in (damage for damage in damages if not damage.by_repair and not damage.is_told_only):
                self._say(f"{damage.path}: cannot be made again: {damage.remedy}")
        return self._lines

    def _say(self, words: str) -> None:
        self._lines.append(words)
        self._console.print(words, style="yellow", markup=False)

    def _make(self, wanted: dict[Key, str | None]) -> None:
        """Make tables again, in the order of the chain, and tell whether they are the same."""
        if not wanted:
            return
        project = with_registered(load_project(self._deployment.projects / f"{self.lake.project}.yaml"), self.lake)
        definitions = deployment_definitions([project], self._deployment)
        with dg.DagsterInstance.ephemeral() as instance:
            for job, kind, partitions in (
                (batch_job(project.project), "batch", _partitions(wanted, is_release=False)),
                (release_job(project.project), "release", _partitions(wanted, is_release=True)),
            ):
                plural = "batches" if kind == "batch" else "releases"
                instance.add_dynamic_partitions(f"{project.project}_{plural}", partitions)
                for partition in partitions:
                    steps = project_steps(project, "batch" if kind == "batch" else "release")
                    gates = {name.partition("--")[0] for table, name in wanted if table == "gate_results"
                             and name.partition("--")[2] == partition}  # fmt: skip
                    judged = {table for gate in gates for table in _judged_by(gate)}
                    tables = {table for table, name in wanted if name == partition} | judged
                    for step in steps:
                        if tables & set(step.tables) - set(frozen_tables()):
                            run = execute(
                                definitions, job, partition, step.tables, instance, 1, str(uuid.uuid4()), {}
                            )  # fmt: skip
                            if run.error:
                                self._say(f"{partition}: {run.error}")
        for line in describe_again(self.lake, wanted):
            self._say(line)


def _judged_by(gate: str) -> list[str]:
    """Return the table that a gate judges, whose step runs the gate too."""
    return [STAGES[gate].gate or gate] if gate in STAGES else [gate]


def _partitions(wanted: Iterable[Key], *, is_release: bool) -> list[str]:
    """Return the batches, or the releases, of which tables or gates are wanted."""
    found = set()
    for table, partition in wanted:
        if table == "gate_results":
            gate, _, partition = partition.partition("--")
            table = _judged_by(gate)[0]
        if (stage_of(table).partition == "release") == is_release:
            found.add(partition)
    return sorted(found)
