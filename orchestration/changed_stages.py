"""Which stages of which projects a change touches, told from the files that it changes."""

import io
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from cupel.config.project import Project
from cupel.contract.stages import STAGES, stage_of
from cupel.contract.tables import TABLES
from cupel.errors import CupelError
from cupel.store.files import read_text, temporary_folder
from cupel.versions.code_version import LOCKS
from expectations.suites import all_suites
from orchestration.changed_code import CodeChange
from orchestration.deployment import REPOSITORY, Deployment

NOTHING: frozenset[str] = frozenset()
# What of Cupel's repository tables and gates may be made of.
CODE_FOLDERS = ("cupel", "assets", "expectations", *LOCKS)


class SinceError(CupelError):
    """A change that cannot be told: no such commit, or no repository."""


class ChangedFile(NamedTuple):
    """One changed file, and the stages of a project (of every project where none is named) that it touches; and why."""

    path: str
    project: str | None
    stages: frozenset[str]
    why: str


def partitioned_names() -> tuple[str, ...]:
    """Return the names of the stages that are done for a batch or a release, in the order of the chain."""
    return tuple(stage.name for stage in STAGES.values() if stage.partition is not None)


def everything() -> frozenset[str]:
    """Return all stages that are done for a batch or a release."""
    return frozenset(partitioned_names())


def find_changes(
    projects: Sequence[Project], deployment: Deployment, since: str, code: Path = REPOSITORY
) -> list[ChangedFile]:
    """Return what a change touches, file by file: all that differs from where it left `since`, committed or not.

    Args:
        projects: The projects as they are now.
        deployment: Where their files and data are; the folder of the projects is in the repository.
        since: A commit, branch or tag of git.
        code: Folder of Cupel's code.

    Raises:
        SinceError: There is no such commit, none in common with it, or no repository.
    """
    top = Path(_git(deployment.projects, "rev-parse", "--show-toplevel").strip())
    base = _merge_base(top, since)
    paths = _git(top, "diff", "--name-only", "--no-renames", "-z", base).split("\0")
    paths += _git(top, "ls-files", "--others", "--exclude-standard", "-z").split("\0")
    changes: list[ChangedFile] = []
    with ExitStack() as stack:
        comparison = _Comparison(projects, deployment, top, base, code.resolve(), stack)
        for path in sorted({path for path in paths if path}):
            changes += comparison.changes(path)
    return changes


def changed_stages(changes: Iterable[ChangedFile], project: str) -> frozenset[str]:
    """Return the stages of a project that a change touches."""
    return NOTHING.union(*(change.stages for change in changes if change.project in (None, project)))


def stages_of_sections(before: Any, now: Any, project: Project) -> tuple[frozenset[str], str]:
    """Return the stages that differ between two versions of a project file, and which of its sections do.

    Args:
        before: What the earlier YAML held; no mapping: it could not be used.
        now: What it holds now.
        project: The project, as it is now.
    """
    if not isinstance(before, dict) or not isinstance(now, dict):
        return everything(), "it could not be read before"
    differing = [key for key in sorted({*before, *now}, key=str) if before.get(key) != now.get(key)]
    stages: set[str] = set()
    for section in differing:
        changed = {section: (before.get(section), now.get(section))}
        stages |= _onward(name for name in partitioned_names() if _is_held_to(name, changed, project))
        stages |= _gates_held_to(section, before.get(section), now.get(section))
    shown = f"section{'s' if len(differing) > 1 else ''} {', '.join(map(str, differing))}"
    return frozenset(stages), shown if differing else "only comments or layout differ"


class _Comparison:
    """The repository before a change, and now."""

    def __init__(
        self, projects: Sequence[Project], deployment: Deployment, top: Path, base: str, code: Path, stack: ExitStack
    ) -> None:
        self.projects = projects
        self.deployment = deployment
        self.top = top
        self.base = base
        self.code = code
        self.stack = stack
        self._code_change: CodeChange | None = None

    def changes(self, path: str) -> list[ChangedFile]:
        """Return what a changed file touches."""
        place, projects, data = self.top / path, self.deployment.projects.resolve(), self.deployment.data.resolve()
        if place.parent == projects and place.suffix == ".yaml":
            if place.stem not in {project.project for project in self.projects}:
                return [ChangedFile(path, place.stem, NOTHING, "a project that is not judged, or no longer there")]
            project = next(project for project in self.projects if project.project == place.stem)
            return [_of_project(self.top, self.base, path, place, project)]
        if found := _of_data(self.projects, self.deployment, place, path):
            return found
        if place.is_relative_to(projects) or place.is_relative_to(data):
            return [ChangedFile(path, None, NOTHING, "no project names it")]
        if place.is_relative_to(self.code):
            return self._of_code(path, place.relative_to(self.code).as_posix())
        return [ChangedFile(path, None, NOTHING, "it is none of Cupel's")]

    def _of_code(self, path: str, own: str) -> list[ChangedFile]:
        """Return what a file of Cupel's code touches; where it is the same for all projects, in one line."""
        found = []
        for project in self.projects:
            made, asked, why = self._change_of_code().find_stages(project, own)
            found.append(ChangedFile(path, project.project, _onward(made) | asked, why))
        is_one = len({(change.stages, change.why) for change in found}) == 1
        return [found[0]._replace(project=None)] if is_one else found

    def _change_of_code(self) -> CodeChange:
        if self._code_change is None:
            before = self.stack.enter_context(temporary_folder())
            is_there = _extract(self.top, self.base, self.code.relative_to(self.top), before)
            self._code_change = CodeChange(before / self.code.relative_to(self.top) if is_there else None, self.code)
        return self._code_change


def _extract(top: Path, base: str, code: Path, folder: Path) -> bool:
    """Put Cupel's code as it was into a folder; tell whether there was any."""
    there = _git(top, "ls-tree", "-z", "--name-only", base, *(f"{code / part}" for part in CODE_FOLDERS)).split("\0")
    there = [path for path in there if path]
    if not there:
        return False
    done = subprocess.run(["git", "-C", str(top), "archive", base, *there], capture_output=True, check=False)
    if done.returncode:
        raise SinceError(f"--since: git archive in {top}: {done.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return True


def _of_project(top: Path, base: str, path: str, place: Path, project: Project) -> ChangedFile:
    try:
        before = _git(top, "show", f"{base}:{path}")
    except SinceError:
        return ChangedFile(path, place.stem, everything(), "a new project")
    try:
        earlier = yaml.safe_load(before)
    except yaml.YAMLError:
        earlier = None
    stages, why = stages_of_sections(earlier, yaml.safe_load(read_text(place)), project)
    return ChangedFile(path, place.stem, stages, why)


def _of_data(projects: Sequence[Project], deployment: Deployment, place: Path, path: str) -> list[ChangedFile]:
    """Return what a delivery, or a file of answers or known labels, touches where it is kept in the repository."""
    if not place.is_relative_to(deployment.data.resolve()):
        return []
    name, found = place.relative_to(deployment.data.resolve()).as_posix(), []
    for project in projects:
        deliveries = project.raw.deliveries.items()
        batches = [batch for batch, own in deliveries if any(fnmatch(name, pattern) for pattern in own.files)]
        if batches:
            found.append(ChangedFile(path, project.project, everything(), f"a file of delivery {', '.join(batches)}"))
        elif name in {one.path for one in project.cleaning.overlap}:
            found.append(ChangedFile(path, project.project, _onward(["cleaning"]), "a reference set"))
        elif name in (*project.labeling.answers, project.labeling.gold):
            found.append(ChangedFile(path, project.project, _onward(["labeling"]), "answers or known labels"))
        elif project.checking.predictions is not None and name == project.checking.predictions.file:
            found.append(
                ChangedFile(path, project.project, _onward(["checking"]), "predictions of the team's own model")
            )
    return found


def _onward(stages: Iterable[str]) -> frozenset[str]:
    """Return the first of some stages and all that come after it.

    What people say of contamination decides which items cleaning keeps, and the cleaning gate judges that.
    """
    before = {"contamination": "cleaning"}
    names = partitioned_names()
    first = min((names.index(before.get(stage, stage)) for stage in stages), default=len(names))
    return frozenset(names[first:])


def _is_held_to(stage: str, changed: Mapping[str, tuple[Any, Any]], project: Project) -> bool:
    """Tell whether a changed section holds something else under a key that decides a stage's values."""
    record = STAGES[stage]
    keys = [*record.settings, *(key for step in record.steps if step.when(project) for key in step.settings)]
    # The names of licences, in their order, are a setting made of a section.
    paths = [["licences"] if key == "licence_names" else key.removesuffix(".*").split(".") for key in keys]
    return any(
        _inner(changed[path[0]][0], path[1:]) != _inner(changed[path[0]][1], path[1:])
        for path in paths
        if path[0] in changed
    )


def _inner(value: Any, path: Sequence[str]) -> Any:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _gates_held_to(section: str, before: Any, now: Any) -> set[str]:
    """Return the stages whose gates ask something else when a section of the project file changes."""
    if section == "thresholds":
        old, new = (part if isinstance(part, dict) else {} for part in (before, now))
        names = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        return {suite.stage for suite in all_suites() for check in suite.checks if check.name in names}
    if section == "expectations":
        entries = [entry for part in (before, now) if isinstance(part, list) for entry in part]
        tables = {entry["table"] for entry in entries if isinstance(entry, dict) and "table" in entry}
        return {stage_of(table).name for table in tables if table in TABLES}
    held = (f"{section}.",)
    return {
        suite.stage
        for suite in all_suites()
        for check in suite.checks
        if (check.threshold.setting or "").startswith(held)
    }


def _merge_base(top: Path, since: str) -> str:
    try:
        commit = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{since}^{{commit}}").strip()
    except SinceError:
        raise SinceError(
            f"--since {since}: git knows no such commit, branch or tag; fetch it first (in CI: the whole history)"
        ) from None
    try:
        return _git(top, "merge-base", commit, "HEAD").strip()
    except SinceError:
        raise SinceError(
            f"--since {since}: it has no commit in common with what is checked out; fetch the whole history"
        ) from None


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)
    except OSError as error:
        raise SinceError(f"--since: git cannot be run: {error}") from error
    if done.returncode:
        raise SinceError(f"--since: git {words[0]} in {folder}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout.decode(errors="surrogateescape")
