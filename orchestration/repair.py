"""Repair: what is damaged is moved aside, and made again of what it was made from; whether it is the same is told."""

import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import dagster as dg
from rich.console import Console

from cupel.check.aside import Aside, describe_again, owner_of, place_of
from cupel.check.damage import Damage
from cupel.check.examined import GATES, commit_mark
from cupel.check.files import FORMATS
from cupel.check.memory import Memory
from cupel.check.releases import OF_ANOTHER_TIME
from cupel.config.project import Project
from cupel.contract.format_numbers import LAKE
from cupel.contract.stages import STAGES, Partition, frozen_tables, project_steps, stage_of
from cupel.errors import AnswerError
from cupel.intake.collect_inputs import current_project
from cupel.lake.formats import FORMAT_FILE, recognise_lake, write_number
from cupel.lake.lake import COMMIT, Lake
from cupel.release.reported import is_reported
from cupel.store.files import is_file, is_folder, move, read_file, stat_file
from cupel.store.locks import is_at_work, project_lock
from orchestration.dagster_storage import BESIDE_DATABASE, StorageError, check_settings, prepare_storage
from orchestration.deployment import Deployment
from orchestration.frozen_repair import FROZEN, FrozenRepair, read_moved_commit
from orchestration.home_check import check_home
from orchestration.jobs import batch_job, release_job, report_job
from orchestration.runs import RunRequest, RunsInProcess
from orchestration.wiring import deployment_definitions

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
        self._folder = self.lake.folder
        self._deployment = deployment
        self._console = console
        self._lines: list[str] = []
        self._others: set[Key] = set()

    @staticmethod
    def of_home(home: Path, console: Console) -> list[str]:
        """Move broken databases of Dagster's record aside, make new ones, and return what was said."""
        lines: list[str] = []

        def say(words: str) -> None:
            lines.append(words)
            console.print(words, style="yellow", markup=False)

        if is_folder(home):
            try:
                check_settings(home / "dagster.yaml")
            except StorageError as error:
                say(str(error))
                return lines
            prepare_storage(home, say)
            aside = home / "set-aside"
            for damage in check_home(home):
                if damage.by_repair and is_file(home / damage.path):
                    target = aside / f"{uuid.uuid4().hex[:8]}-{Path(damage.path).name}"
                    for end in (*BESIDE_DATABASE, ""):
                        if is_file(path := home / f"{damage.path}{end}"):
                            move(path, target.with_name(f"{target.name}{end}"))
                    say(f"{damage.path}: {damage.what}. It was moved to {os.path.relpath(target)}.")
            prepare_storage(home, say)
        return lines

    def run(self, damages: Sequence[Damage]) -> list[str]:
        """Mend what can be mended; return what was done, a line each.

        Raises:
            LakeError: Another process is at work on the project.
            ProjectError: The project file is gone or wrong; nothing was moved.
            SourceError: The register is damaged; nothing was moved.
        """
        if any(damage.table for damage in damages):
            self._load_project()
        with project_lock(self.lake.store, self.lake.project, "cupel check --repair"):
            aside, before, there = Aside(self._folder), dict[Key, str | None](), dict[Key, Path]()
            folders: dict[str, Path] = {}
            for damage in (damage for damage in damages if damage.by_repair):
                if is_at_work(self.lake.store, owner := owner_of(damage)):
                    self._say(f"{damage.path}: a step is at work on {owner}; repair it when that has ended")
                    continue
                moved = aside.move(place_of(damage))
                if moved is not None:
                    self._say(f"{damage.path}: moved to {os.path.relpath(moved)}")
                if damage.table and damage.kind != "superseded part":
                    key = (damage.table, damage.partition)
                    before[key] = damage.hash
                    if moved is not None and damage.kind == "frozen table":
                        there[key] = moved
                    if damage.kind == "release":
                        folders |= {} if moved is None else {damage.partition: moved}
                        manifest = aside.move(f"tables/manifest/{damage.partition}")
                        there |= {} if manifest is None else {key: manifest}
                if damage.kind == "log":
                    self._restore_head()
                if damage.kind == "format":
                    self._number(Path(damage.path).parent)
            self._restore_frozen(before, there)
            self._make(before)
            self._others = {(one.table, one.partition) for one in damages if one.what.startswith(OF_ANOTHER_TIME)}
            back = self._settle(before, there, folders)
            self._forget_commits(before.keys() - back)
            lost = {(one.table, one.partition): one.path for one in damages if one.kind == "frozen table"}
            for key in sorted(key for key in lost if self._hash(key) is None):
                back.add(key)
                self._say(f"{' of '.join(key)}: cannot be made again: restore its folder from a copy, or go on without "
                          f"it: `cupel check {self.lake.project} --accept {lost[key]}`")  # fmt: skip
            for line in describe_again(self.lake, {key: before[key] for key in before if key not in back}):
                self._say(line)
            for damage in (damage for damage in damages if not damage.by_repair and not damage.is_told_only):
                self._say(f"{damage.path}: cannot be made again: {damage.remedy}")
        return self._lines

    def _load_project(self) -> Project:
        return current_project(self._deployment.projects, self.lake, self._deployment.known)

    def _restore_head(self) -> None:
        try:
            head = self.lake.answers.restore_head()
            self._say(f"answers/head.json: written again: {head.sequence:,} answers")
        except AnswerError as error:
            self._say(str(error))

    def _number(self, folder: Path) -> None:
        """Give the lake or a log its number again, where its tables or entries are of the present format."""
        name = "" if str(folder) == "." else str(folder)
        if not name and recognise_lake(self.lake.store) != LAKE:
            self._say(f"{FORMAT_FILE}: the lake is of an older format; restore it from a copy")
            return
        write_number(self.lake.store, name, FORMATS[name])
        self._say(f"{folder / FORMAT_FILE}: written again: {FORMATS[name]}")

    def _say(self, words: str) -> None:
        self._lines.append(words)
        self._console.print(words, style="yellow", markup=False)

    def _restore_frozen(self, wanted: dict[Key, str | None], moved: dict[Key, Path]) -> None:
        """Put back what releases froze."""
        for release in sorted({partition for table, partition in wanted if table in FROZEN}):
            tables = {table: hash_ for (table, name), hash_ in wanted.items() if name == release and table in FROZEN}
            there = {table: path for (table, name), path in moved.items() if name == release}
            for problem in FrozenRepair(self._deployment, self.lake, release).restore(tables, there):
                self._say(f"{release}: {problem}")

    def _settle(self, before: dict[Key, str | None], there: dict[Key, Path], folders: dict[str, Path]) -> set[Key]:
        """Bring from a rebuilt release what steps made otherwise than it was; put back what nobody can make again."""
        back: set[Key] = set()
        other = {key: hash_ for key, hash_ in before.items()
                 if hash_ is not None and key in there and self._hash(key) != hash_}  # fmt: skip
        for release in sorted({_owner(key) for key in other}):
            aside, wanted = Aside(self._folder), {key: hash_ for key, hash_ in other.items() if _owner(key) == release}
            for table, partition in wanted:
                aside.move(f"tables/{table}/{partition}")
            is_of_folder = release in folders
            if is_of_folder:  # its own table is whole, and says that the release has come to its end
                aside.move(f"releases/{release}")
                self._put_back(there["manifest", release], f"tables/manifest/{release}")
            brought, problems = FrozenRepair(self._deployment, self.lake, release).restore_from_rebuilt(
                wanted, there, with_folder=is_of_folder
            )
            for problem in problems:
                self._say(f"{release}: {problem}")
            for key in wanted.keys() - brought:
                if key == ("manifest", release) and is_of_folder:
                    self._put_back(folders[release], f"releases/{release}")
                else:
                    self._put_back(there[key], "/".join(("tables", *key)))
                self._say(f"{' of '.join(key)}: cannot be made again as it was; it is as damaged as before: restore it "
                          "from a copy")  # fmt: skip
                back.add(key)
        for key in there.keys() - back - self._others:
            self._bring_commit(key, there[key], before[key])
        return back

    def _bring_commit(self, key: Key, moved: Path, wanted: str | None) -> None:
        """Let a table that is the same keep the commit that it had, which says what it was made from then."""
        commit = read_moved_commit(moved)
        if commit is not None and commit.hash == wanted == self._hash(key):
            self.lake.store.put(f"{self.lake.partition_name(*key)}/{COMMIT}", read_file(moved / COMMIT))

    def _forget_commits(self, keys: Iterable[Key]) -> None:
        """Let the next look learn the commits of tables that were made again: the version may be another one."""
        memory = Memory(self.lake.store)
        for key in keys:
            memory.marks.pop(commit_mark(*key), None)
        memory.write()

    def _hash(self, key: Key) -> str | None:
        commit = self.lake.commit(*key)
        return None if commit is None else commit.hash

    def _put_back(self, moved: Path, path: str) -> None:
        if stat_file(self._folder / path) is None:
            move(moved, self._folder / path)

    def _make(self, wanted: dict[Key, str | None]) -> None:
        """Make tables again, in the order of the chain, and tell whether they are the same."""
        if not wanted:
            return
        project = self._load_project()
        with dg.DagsterInstance.ephemeral() as instance:
            work = _Workshop(project, self.lake, deployment_definitions([project], self._deployment), instance)
            for is_release in (False, True):
                for partition in _partitions(wanted, is_release=is_release):
                    for problem in work.make(partition, _tables_of(wanted, partition), is_release=is_release):
                        self._say(f"{partition}: {problem}")


class _Workshop(NamedTuple):
    """What tables are made with again: the project, its lake, its definitions, and a record that is thrown away."""

    project: Project
    lake: Lake
    definitions: dg.Definitions
    instance: dg.DagsterInstance

    def make(self, partition: str, tables: set[str], *, is_release: bool) -> Iterator[str]:
        """Run the steps of a batch or release that write some tables; yield what went wrong."""
        name = self.project.project
        kind: Partition = "release" if is_release else "batch"
        job = release_job(name) if is_release else batch_job(name)
        self.instance.add_dynamic_partitions(f"{name}_{'releases' if is_release else 'batches'}", [partition])
        for step in project_steps(self.project, kind):
            if tables & set(step.tables) - set(frozen_tables()):
                yield from self._run(job, partition, step.tables)
        if is_release and self.lake.commit("release_plan", partition) and not is_reported(self.lake, partition):
            yield from self._run(report_job(name), partition, ["report"])

    def _run(self, job: str, partition: str, tables: Sequence[str]) -> Iterator[str]:
        run = RunsInProcess(self.instance).execute(
            self.definitions, RunRequest(job, partition, tables, str(uuid.uuid4()))
        )
        if run.error:
            yield run.error


def _owner(key: Key) -> str:
    """Return the batch or release of a table; outcomes of gates are named after their gate too."""
    return key[1].partition("--")[2] if key[0] == GATES else key[1]


def _tables_of(wanted: Iterable[Key], partition: str) -> set[str]:
    """Return the tables to make for a batch or release; a gate's outcomes are made with the table that it judges."""
    found = {table for table, name in wanted if name == partition}
    gates = [name.partition("--") for table, name in wanted if table == GATES]
    return found | {table for gate, _, owner in gates if owner == partition for table in _judged_by(gate)}


def _judged_by(gate: str) -> list[str]:
    """Return the table that a gate judges, whose step runs the gate too."""
    return [STAGES[gate].gate or gate] if gate in STAGES else [gate]


def _partitions(wanted: Iterable[Key], *, is_release: bool) -> list[str]:
    """Return the batches, or the releases, of which tables or gates are wanted."""
    found = set()
    for table, partition in wanted:
        if table == GATES:
            gate, _, partition = partition.partition("--")
            table = _judged_by(gate)[0]
        if (stage_of(table).partition == "release") == is_release:
            found.add(partition)
    return sorted(found)
