"""Upgrading a lake of an older format: what would become of it, its logs, and the number that lets it be worked on.

Tables of older formats are read as they are: columns that came later are filled as they are read. So none is
rewritten here: where they lack columns, tables of deliveries are made anew by the next run, as after any change of the
code, and tables of releases that are finished stay. Logs are made event logs, one after the other. The number is put in
place last: a kill leaves a lake that is read as before, and that the next upgrade completes.
"""

from pathlib import Path
from typing import NamedTuple

from cupel.check.logs import RESTORE
from cupel.check.memory import Memory
from cupel.config.project import Project
from cupel.contract.format_numbers import LAKE, OLDEST_LAKE_OF_THESE_TABLES, OLDEST_LAKE_TO_WRITE
from cupel.errors import LakeError, SourceError
from cupel.lake.earlier_logs import convert_log, earlier_files, earlier_logs, is_earlier_file
from cupel.lake.formats import recognise_lake, write_number
from cupel.lake.lake import Lake
from cupel.lake.log_references import check_references
from cupel.release.plan import is_finished
from cupel.sources.files import known_sha256, source_files
from cupel.sources.register import Register, delivery_folder
from cupel.store.locks import COLLECTING, is_at_work, project_lock


class UpgradePlan(NamedTuple):
    """What upgrading would do to a lake.

    `batches` are made anew by the next run; `problems` say which of them cannot be, by batch. `finished` releases stay,
    `unfinished` ones go on with what was frozen. `logs` are made event logs.
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
    logs: list[str]

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
    if next(lake.store.list(), None) is None:
        raise LakeError(f"{folder}: there is no lake of this project; name the deployment's with --lake")
    number = recognise_lake(lake.store)
    are_tables_of_now = number >= OLDEST_LAKE_OF_THESE_TABLES
    batches = [
        batch for batch in project.raw.deliveries
        if not are_tables_of_now and lake.commit("raw_items", batch) is not None
    ]  # fmt: skip
    problems = {batch: why for batch in batches if (why := _why_not_again(lake, project, data, batch))}
    releases = {name: is_finished(lake, name) for name in lake.partitions("release_plan")}
    return UpgradePlan(
        folder, number, batches, problems,
        [name for name, is_over in releases.items() if is_over],
        [name for name, is_over in releases.items() if not is_over],
        lake.answers.head().sequence, len(lake.actions.read()), len(Register(lake).entries()),
        earlier_logs(lake.store),
    )  # fmt: skip


def upgrade_lake(lake: Lake, project: Project, data: Path) -> UpgradePlan:
    """Upgrade a lake; see `plan_upgrade`.

    Returns:
        What was found before.

    Raises:
        LakeError: There is no lake, another process is at work on it, a delivery cannot be read again, or a log was
            altered.
        AnswerError: The answers log was altered or cut short.
        FormatError: A newer version of Cupel wrote it.
    """
    plan = plan_upgrade(lake, project, data)
    # A daemon's collection holds no project, and an older version's appends to the logs that are converted here.
    with project_lock(lake.store, lake.project, "cupel upgrade"), lake.store.lock(COLLECTING):
        if plan.problems:
            raise LakeError(
                f"{plan.folder}: not upgraded, for a run could make only a part anew; put back what is missing: "
                + "; ".join(plan.problems.values())
            )
        if busy := [name for name in _partitions(lake, project) if is_at_work(lake.store, name)]:
            raise LakeError(
                f"{plan.folder}: not upgraded, for a step is at work on {', '.join(busy)}; stop the service of the "
                "older version, or wait until its runs have ended, and run again"
            )
        lake.answers.verify()
        check_references(lake)
        _convert_logs(lake)
        write_number(lake.store, "", LAKE)
    return plan


def _partitions(lake: Lake, project: Project) -> list[str]:
    """Return the batches and releases that a step may be at work on."""
    return [*project.raw.deliveries, *lake.partitions("release_plan")]


def _convert_logs(lake: Lake) -> None:
    """Make event logs of all logs, where their files are those that were there when they were first seen."""
    memory, logs = Memory(lake.store), earlier_logs(lake.store)
    there = {file for log in logs for file in earlier_files(lake.store, log)}
    for file in sorted(there | {name for name in memory.paths() if is_earlier_file(name)}):
        if file not in there:
            raise LakeError(f"{lake.folder / file}: gone; it was there when the lake was last seen; {RESTORE}")
        if memory.known(file) not in (None, memory.sha256(file)):
            raise LakeError(
                f"{lake.folder / file}: its bytes are not those that were there when it was first seen; {RESTORE}"
            )
        memory.forget(file)
    memory.write()  # before a file goes: it would be missed for ever
    for log in logs:
        convert_log(lake.store, log)


def upgrade_lines(plan: UpgradePlan) -> list[str]:
    """Return what upgrading would do, in words."""
    if not plan.is_needed:
        return [f"{plan.folder}: of format {plan.format}; nothing to upgrade."]
    lines = [
        f"{plan.folder}: of format {plan.format}; this version of Cupel writes format {LAKE}.",
        f"  stays: {_count(plan.answers, 'answer')}, {_count(plan.actions, 'action')} on annotators, "
        f"{_count(plan.deliveries, 'registered delivery', 'registered deliveries')}",
    ]
    if plan.logs:
        lines.append(f"  written anew as event logs, read back, and then removed as they are: {', '.join(plan.logs)}")
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
        folder = delivery_folder(lake, batch, data)
        files = source_files(batch, project.raw.deliveries[batch].files, folder, project.modality.endings)
    except SourceError as error:
        return f"delivery {batch}: {error}"
    now = {file.name: known_sha256(file.path) for file in files}
    differing = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return f"delivery {batch}: {differing[0]} is not the file that it was" if differing else ""


def _names(what: str, names: list[str]) -> str:
    return f"{what if len(names) == 1 else what + 's'} {', '.join(names)}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
