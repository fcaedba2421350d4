"""Upgrading a lake of an older format: what would become of it, and the one file that says that it may be worked on.

Tables of older formats are read as they are: columns that came later are filled as they are read. So nothing is
rewritten here: tables of deliveries are made anew by the next run, as after any change of the code, and tables of
releases that are finished stay. The number that allows this is put in place whole, so that a kill leaves the lake
as it was, or upgraded.
"""

from pathlib import Path
from typing import NamedTuple

from cupel.check.references import check_references
from cupel.config.project import Project
from cupel.contract.format_numbers import LAKE, OLDEST_LAKE_TO_WRITE
from cupel.errors import LakeError, SourceError
from cupel.formats import recognise_lake, write_number
from cupel.lake import Lake
from cupel.release.plan import is_finished
from cupel.sources.files import known_sha256, source_files
from cupel.sources.register import Register, delivery_folder
from cupel.store.locks import project_lock


class UpgradePlan(NamedTuple):
    """What upgrading would do to a lake.

    `batches` are made anew by the next run; `problems` say which of them cannot be, by batch. `finished` releases stay,
    `unfinished` ones go on with what was frozen.
    """

    folder: Path
    format: int
    batches: list[str]
    problems: dict[str, str]
    finished: list[str]
    unfinished: list[str]
    answers: int
    actions: int
    deliveries: int

    @property
    def is_needed(self) -> bool:
        """The lake is of a format that a run cannot go on with."""
        return self.format < OLDEST_LAKE_TO_WRITE


def plan_upgrade(lake: Lake, project: Project, data: Path) -> UpgradePlan:
    """Return what upgrading a lake would do; nothing is changed.

    Args:
        lake: The project's lake.
        project: The project, its registered deliveries among them.
        data: Folder that deliveries of the project file are named relative to.

    Raises:
        LakeError: There is no lake of the project.
        FormatError: A newer version of Cupel wrote it.
    """
    folder = lake.folder
    if not folder.is_dir():
        raise LakeError(f"{folder}: there is no lake of this project; name the deployment's with --lake")
    batches = [batch for batch in project.raw.deliveries if lake.commit("raw_items", batch) is not None]
    problems = {batch: why for batch in batches if (why := _why_not_again(lake, project, data, batch))}
    releases = {name: is_finished(lake, name) for name in lake.partitions("release_plan")}
    return UpgradePlan(
        folder, recognise_lake(lake.store), batches, problems,
        [name for name, is_over in releases.items() if is_over],
        [name for name, is_over in releases.items() if not is_over],
        lake.answers.head().sequence, len(lake.actions.read()), len(Register(lake).entries()),
    )  # fmt: skip


def upgrade_lake(lake: Lake, project: Project, data: Path) -> UpgradePlan:
    """Upgrade a lake; see `plan_upgrade`.

    Returns:
        What was found before.

    Raises:
        LakeError: There is no lake, another process is at work on it, or a delivery cannot be read again.
        AnswerError: The answers log was altered or cut short.
        FormatError: A newer version of Cupel wrote it.
    """
    plan = plan_upgrade(lake, project, data)
    with project_lock(lake.store, lake.project, "cupel upgrade"):
        if plan.problems:
            raise LakeError(
                f"{plan.folder}: not upgraded, for a run could make only a part anew; put back what is missing: "
                + "; ".join(plan.problems.values())
            )
        lake.answers.verify()
        check_references(lake)
        write_number(lake.store, "", LAKE)
    return plan


def upgrade_lines(plan: UpgradePlan) -> list[str]:
    """Return what upgrading would do, in words."""
    if not plan.is_needed:
        return [f"{plan.folder}: of format {plan.format}; nothing to upgrade."]
    lines = [
        f"{plan.folder}: of format {plan.format}; this version of Cupel writes format {LAKE}.",
        f"  stays: {_count(plan.answers, 'answer')}, {_count(plan.actions, 'action')} on annotators, "
        f"{_count(plan.deliveries, 'registered delivery', 'registered deliveries')}",
    ]
    if plan.finished:
        lines.append(f"  stays, folder and tables byte for byte: {_names('release', plan.finished)}")
    if plan.unfinished:
        lines.append(f"  goes on with the items that were frozen: {_names('release', plan.unfinished)}")
    if plan.batches:
        lines.append(f"  made anew from their files by the next `make run`: all tables of {', '.join(plan.batches)}")
    lines += [f"  in the way: {why}" for why in plan.problems.values()]
    return lines


def _why_not_again(lake: Lake, project: Project, data: Path, batch: str) -> str:
    """Return why a delivery cannot be read again as it was; nothing where it can."""
    commit = lake.commit("raw_items", batch)
    inputs = {} if commit is None else commit.inputs
    then = {name.removeprefix("file:"): value for name, value in inputs.items() if name.startswith("file:")}
    try:
        files = source_files(batch, project.raw.deliveries[batch].files, delivery_folder(lake, batch, data))
    except SourceError as error:
        return f"delivery {batch}: {error}"
    now = {file.name: known_sha256(file.path) for file in files}
    differing = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return f"delivery {batch}: {differing[0]} is not the file that it was" if differing else ""


def _names(what: str, names: list[str]) -> str:
    return f"{what if len(names) == 1 else what + 's'} {', '.join(names)}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
