"""Which stages of a project a change of Cupel's code touches: those whose tables get another code version."""

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from cupel.config.project import Project
from cupel.contract.stages import STAGES, Stage
from cupel.versions.code import Code, Lock, Reach
from cupel.versions.code_version import LOCKS, OUTSIDE, gate_reach, locked_versions, table_reach

# What no table and no gate is made of.
_ASIDE = {"docs", "tests", "benchmarks", ".github"}
_ASIDE_FILES = {"Makefile", "LICENSE", ".gitignore", "workspace.yaml", "requirements-dev.lock",
                "requirements-bootstrap.lock", "assets/report.py", "expectations/reference.py"}  # fmt: skip
# What versions are made by, and what runs and judges.
_EVERYWHERE = ("orchestration", "expectations", "cupel/contract", "cupel/versions")


class CodeChange:
    """A change of Cupel's code: as it was, and as it is.

    Args:
        before: The code as it was; None where it cannot be had.
        now: The code as it is.
    """

    def __init__(self, before: Path | None, now: Path) -> None:
        self._before = None if before is None else Code(before, OUTSIDE)
        self._now = Code(now, OUTSIDE)
        self._locks = None if before is None else (_read_locks(before), _read_locks(now))
        self._found: dict[str, list[_StageChange] | None] = {}

    def find_stages(self, project: Project, path: str) -> tuple[frozenset[str], frozenset[str], str]:
        """Return what a changed file touches.

        Args:
            project: Its kind and variants are followed.
            path: The file, relative to the code's folder.

        Returns:
            The stages whose tables are made by it, those whose gates ask or judge by it, and why, in words.
        """
        if is_aside(path):
            return frozenset(), frozenset(), "no table or gate is made of it"
        if project.project not in self._found:
            self._found[project.project] = self._compare(project)
        stages, everything = self._found[project.project], frozenset(_names())
        if stages is None:
            return everything, everything, "the code was built in another way before"
        made = frozenset(stage.name for stage in stages if stage.differs(path, stage.tables, self._locks))
        asked = frozenset(stage.name for stage in stages if stage.differs(path, stage.gates, self._locks))
        if made or asked:
            return made, asked, _in_words(made, asked)
        if path in LOCKS:
            return made, asked, "no package that decides a value has another version"
        if any(path in reach.files for stage in stages for pair in (stage.tables, stage.gates) for reach in pair):
            return made, asked, "only comments or layout differ, or what no table is made of"
        if _is_everywhere(path):
            return everything, everything, "every table or gate may rest on it"
        return made, asked, "no table or gate is made of it"

    def _compare(self, project: Project) -> "list[_StageChange] | None":
        if self._before is None:
            return None
        try:
            return [
                _StageChange(stage, *(_reaches(project, stage, code) for code in (self._before, self._now)))
                for stage in STAGES.values()
                if stage.partition is not None
            ]
        except (KeyError, SyntaxError):
            return None


class _StageChange:
    """What a stage's functions and its gate reach, before and now."""

    def __init__(self, stage: Stage, before: tuple[Reach, Reach], now: tuple[Reach, Reach]) -> None:
        self.name = stage.name
        self.tables = (before[0], now[0])
        self.gates = (before[1], now[1])

    def differs(self, path: str, reach: tuple[Reach, Reach], locks: tuple[Lock, Lock] | None) -> bool:
        """Tell whether a file, as far as it is reached, is another one now."""
        if path in LOCKS and locks is not None:
            versions = [locked_versions(one, lock) for one, lock in zip(reach, locks, strict=True)]
            return versions[0] != versions[1]
        before, now = (one.files.get(path) for one in reach)
        return before != now


def _read_locks(folder: Path) -> Lock:
    return Lock(*(folder / name for name in LOCKS))


def is_aside(path: str) -> bool:
    """Tell whether a file of the repository is one that no table and no gate is made of, whatever it holds."""
    parts = PurePosixPath(path).parts
    return parts[0] in _ASIDE or path in _ASIDE_FILES or (len(parts) == 1 and path.endswith(".md"))


def _reaches(project: Project, stage: Stage, code: Code) -> tuple[Reach, Reach]:
    """Return what all steps of a stage reach together, and what its gate does."""
    steps = [step for step in stage.steps if step.when(project)]
    found = [table_reach(project, step.tables[0], code) for step in steps]
    return _together(found), gate_reach(project, stage.name, code)


def _together(found: list[Reach]) -> Reach:
    files: dict[str, str] = {}
    for reach in found:
        for path, sha256 in reach.files.items():
            files[path] = f"{files.get(path, '')}{sha256}"
    return Reach(files, frozenset[str]().union(*(reach.distributions for reach in found)))


def _is_everywhere(path: str) -> bool:
    modules: Mapping[str, None] = dict.fromkeys(name.replace(".", "/") for name in OUTSIDE)
    bare = path.removesuffix(".py")
    is_outside = any(bare == name or path.startswith(f"{name}/") for name in modules)
    is_of_ours = any(path.startswith(f"{name}/") for name in _EVERYWHERE)
    return is_outside or is_of_ours or not path.startswith(("cupel/", "assets/"))


def _names() -> Iterator[str]:
    yield from (stage.name for stage in STAGES.values() if stage.partition is not None)


def _in_words(made: frozenset[str], asked: frozenset[str]) -> str:
    if made:
        return f"code of {', '.join(name for name in _names() if name in made)}"
    names = [name for name in _names() if name in asked]
    return f"what the {' and '.join(names)} gate{'s ask' if len(names) > 1 else ' asks'}"
