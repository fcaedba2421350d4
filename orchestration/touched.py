"""Touched: which stages of which projects a change may have changed, told from the files that it changes."""

import subprocess
from collections.abc import Iterable, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import yaml

from cupel.config.project import Project
from cupel.errors import CupelError
from cupel.step import PACKAGES, SECTIONS
from cupel.tables import TABLES
from expectations.suites import SUITES
from orchestration.deployment import REPOSITORY, Deployment

STAGES = ("raw", "cleaning", "contamination", "labeling", "checking", "tasks", "release")
EVERYTHING = frozenset(STAGES)
NOTHING: frozenset[str] = frozenset()

# What no table and no gate is made of.
_ASIDE = {"docs", "tests", "benchmarks", ".github"}
_ASIDE_FILES = {"Makefile", "LICENSE", ".gitignore", "workspace.yaml", "requirements-dev.lock",
                "requirements-bootstrap.lock"}  # fmt: skip
_OTHER_DOORS = {"accept", "cli.py", "alerts.py"}
_GATES_OF = {stage: stage for stage in STAGES} | {"gold": "labeling", "contamination": "cleaning"}


class SinceError(CupelError):
    """A change that cannot be told: no such commit, or no repository."""


class Touch(NamedTuple):
    """What one changed file touches: stages of a project, or of every project where none is named; and why."""

    path: str
    project: str | None
    stages: frozenset[str]
    why: str


def touched(projects: Sequence[Project], deployment: Deployment, since: str, code: Path = REPOSITORY) -> list[Touch]:
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
    touches: list[Touch] = []
    for path in sorted({path for path in paths if path}):
        touches += _touches(projects, deployment, top, base, path, code.resolve())
    return touches


def touched_stages(touches: Iterable[Touch], project: str) -> frozenset[str]:
    """Return the stages of a project that are touched."""
    return NOTHING.union(*(touch.stages for touch in touches if touch.project in (None, project)))


def stages_of_code(path: str) -> tuple[frozenset[str], str]:
    """Return the stages that a file of Cupel's repository decides, and why.

    >>> stages_of_code("expectations/cleaning.py")
    (frozenset({'cleaning'}), 'what the cleaning gate asks')
    """
    parts = PurePosixPath(path).parts
    if parts[0] in _ASIDE or path in _ASIDE_FILES or (len(parts) == 1 and path.endswith(".md")):
        return NOTHING, "no table or gate is made of it"
    if parts[0] == "cupel" and len(parts) > 1:
        return _of_library(parts)
    if parts[0] == "assets" and Path(path).stem in STAGES:
        return _onward([Path(path).stem]), f"it writes the tables of {Path(path).stem}"
    if path == "assets/report.py" or path == "expectations/reference.py":
        return NOTHING, "no table or gate is made of it"
    if parts[0] == "expectations" and Path(path).stem in _GATES_OF:
        stage = _GATES_OF[Path(path).stem]
        return frozenset({stage}), f"what the {stage} gate asks"
    return EVERYTHING, "every table or gate may rest on it"


def stages_of_sections(before: Any, now: Any) -> tuple[frozenset[str], str]:
    """Return the stages that differ between two versions of a project file, and which of its sections do.

    Args:
        before: What the earlier YAML held; no mapping: it could not be used.
        now: What it holds now.
    """
    if not isinstance(before, dict) or not isinstance(now, dict):
        return EVERYTHING, "it could not be read before"
    differing = [key for key in sorted({*before, *now}, key=str) if before.get(key) != now.get(key)]
    stages: set[str] = set()
    for section in differing:
        stages |= _onward(stage for stage in STAGES if section in SECTIONS[stage])
        stages |= _onward(["cleaning"]) if section == "licences" else NOTHING  # their order decides what is kept
        stages |= _gates_held_to(section, before.get(section), now.get(section))
    shown = f"section{'s' if len(differing) > 1 else ''} {', '.join(map(str, differing))}"
    return frozenset(stages), shown if differing else "only comments or layout differ"


def _touches(
    projects: Sequence[Project], deployment: Deployment, top: Path, base: str, path: str, code: Path
) -> list[Touch]:
    place = top / path
    if place.parent == deployment.projects.resolve() and place.suffix == ".yaml":
        if place.stem not in {project.project for project in projects}:
            return [Touch(path, place.stem, NOTHING, "a project that is not judged, or no longer there")]
        return [_of_project(top, base, path, place)]
    if found := _of_data(projects, deployment, place, path):
        return found
    if place.is_relative_to(deployment.projects.resolve()) or place.is_relative_to(deployment.data.resolve()):
        return [Touch(path, None, NOTHING, "no project names it")]
    if place.is_relative_to(code):
        own = place.relative_to(code)
        return [Touch(path, None, *stages_of_code(own.as_posix())), *_of_contamination(projects, path, own.parts)]
    return [Touch(path, None, NOTHING, "it is none of Cupel's")]


def _of_project(top: Path, base: str, path: str, place: Path) -> Touch:
    try:
        before = _git(top, "show", f"{base}:{path}")
    except SinceError:
        return Touch(path, place.stem, EVERYTHING, "a new project")
    try:
        earlier = yaml.safe_load(before)
    except yaml.YAMLError:
        earlier = None
    stages, why = stages_of_sections(earlier, yaml.safe_load(place.read_text(encoding="utf-8")))
    return Touch(path, place.stem, stages, why)


def _of_data(projects: Sequence[Project], deployment: Deployment, place: Path, path: str) -> list[Touch]:
    """Return what a delivery, or a file of answers or known labels, touches where it is kept in the repository."""
    if not place.is_relative_to(deployment.data.resolve()):
        return []
    name, found = place.relative_to(deployment.data.resolve()).as_posix(), []
    for project in projects:
        deliveries = project.raw.deliveries.items()
        batches = [batch for batch, own in deliveries if any(fnmatch(name, pattern) for pattern in own.files)]
        if batches:
            found.append(Touch(path, project.project, EVERYTHING, f"a file of delivery {', '.join(batches)}"))
        elif name in {one.path for one in project.cleaning.overlap}:
            found.append(Touch(path, project.project, _onward(["cleaning"]), "a reference set"))
        elif name in (*project.labeling.answers, project.labeling.gold):
            found.append(Touch(path, project.project, _onward(["labeling"]), "answers or known labels"))
        elif project.checking.predictions is not None and name == project.checking.predictions.file:
            found.append(Touch(path, project.project, _onward(["checking"]), "predictions of the team's own model"))
    return found


def _of_library(parts: Sequence[str]) -> tuple[frozenset[str], str]:
    stages = [stage for stage in STAGES if parts[1] in PACKAGES[stage] and stage != "contamination"]
    if stages:
        return _onward(stages), f"code of {', '.join(stages)}"
    if parts[1] in _OTHER_DOORS:
        return NOTHING, "no table or gate is made of it"
    return EVERYTHING, "every table rests on it"


def _of_contamination(projects: Sequence[Project], path: str, parts: Sequence[str]) -> list[Touch]:
    """Return what code of an audit touches besides, in projects whose cleaning holds one."""
    if len(parts) < 3 or parts[0] != "cupel" or parts[1] not in PACKAGES["contamination"]:
        return []
    audited = [project.project for project in projects if project.cleaning.contamination is not None]
    return [Touch(path, name, _onward(["contamination"]), "code of its contamination") for name in audited]


def _onward(stages: Iterable[str]) -> frozenset[str]:
    """Return the first of some stages and all that come after it.

    What people say of contamination decides which items cleaning keeps, and the cleaning gate judges that.
    """
    before = {"contamination": "cleaning"}
    first = min((STAGES.index(before.get(stage, stage)) for stage in stages), default=len(STAGES))
    return frozenset(STAGES[first:])


def _gates_held_to(section: str, before: Any, now: Any) -> set[str]:
    """Return the stages whose gates ask something else when a section of the project file changes."""
    if section == "thresholds":
        old, new = (part if isinstance(part, dict) else {} for part in (before, now))
        names = {name for name in {*old, *new} if old.get(name) != new.get(name)}
        return {suite.stage for suite in SUITES for check in suite.checks if check.name in names}
    if section == "expectations":
        entries = [entry for part in (before, now) if isinstance(part, list) for entry in part]
        tables = {entry["table"] for entry in entries if isinstance(entry, dict) and "table" in entry}
        return {TABLES[table].stage for table in tables if table in TABLES}
    held = (f"{section}.",)
    return {
        suite.stage for suite in SUITES for check in suite.checks if (check.threshold.setting or "").startswith(held)
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
