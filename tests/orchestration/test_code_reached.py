"""What ran against what is said: every function that a step ran is in its tables' versions, or declared to decide none.

Imports are followed in the source; what is chosen while a step runs could escape that. So whole projects are run here,
and each call of the repository's own code is held against what the step's version covers.
"""

import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import dagster as dg
import pytest

import preference_project
from assets import plots
from assets.bench import Bench
from contaminated_project import write_contaminated
from cupel.config.base import Section
from cupel.config.project import Project
from cupel.contract.stages import STAGES, StageStep, project_steps, stage_of
from cupel.kinds.projects import load_project
from cupel.lake.gates import gate_of
from cupel.lake.step import Step
from cupel.versions.code_version import OUTSIDE, ROOT, gate_reach, table_reach
from orchestration.deployment import Deployment
from orchestration.rounds import Rounds
from small_project import write_project

PACKAGES = ("cupel", "assets", "expectations")
# What gives all of a section at once.
WHOLE = {"model_dump", "model_dump_json"}
# Read, but not there: a key of what would be in it counts it, too.
ABSENT = "(absent)"
# Keys that name things, or tell how something is shown.
DECIDES_NOTHING = {"project"}
COMPARED_BY = {"cupel.versions.code_version", "cupel.lake.gates", "cupel.contract.stages", "cupel.contract.variants"}
# What these wrote stays as it is, whatever the project file says later.
WRITE_ONCE = {"freeze_release", "hand_over"}
PLOTS = {getattr(plots, name).__module__ for name in plots.__all__}
OWN = tuple(f"{ROOT / package}/" for package in PACKAGES)


class Calls:
    """The repository's own functions that ran in each step, as module and name at the module's top level."""

    def __init__(self) -> None:
        self.at = ""
        self.found: dict[str, set[CodeType]] = {}
        self._strange: set[CodeType] = set()

    def note(self, frame: FrameType, event: str, argument: Any) -> None:
        """Note a function that is entered; as a trace function it is not called for its lines, nor for C's."""
        code = frame.f_code
        if not self.at or code in self._strange or code in self.found[self.at]:
            return
        if not code.co_filename.startswith(OWN):
            self._strange.add(code)
        elif not is_for_show(frame):
            self.found[self.at].add(code)

    def templates(self, step: str) -> set[str]:
        paths = {Path(code.co_filename) for code in self.found.get(step, ())}
        return {path.relative_to(ROOT).as_posix() for path in paths if path.suffix == ".j2"}

    def names(self, step: str) -> set[tuple[str, str]]:
        named = set()
        for code in self.found.get(step, ()):
            path = Path(code.co_filename)
            if path.suffix == ".py" and path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in PACKAGES:
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
                first = code.co_qualname.partition(".")[0]
                if not first.startswith("<"):
                    named.add((module, first))
        return named


class Reads:
    """The keys of the project file that were read in each step."""

    def __init__(self, calls: Calls) -> None:
        self.found: dict[str, set[str]] = {}
        self._calls = calls
        self._paths: dict[int, tuple[Section, str]] = {}  # sections are held, so that no other gets their number

    def read(self, section: Section, name: str) -> Any:
        """Return an attribute of a section, and note it where it is a key."""
        value = object.__getattribute__(section, name)
        known = self._paths.get(id(section))
        above = "" if issubclass(type(section), Project) else known[1] if known else None
        if above is None or not self._calls.at:
            return value
        path = f"{above}.{name}".lstrip(".")
        if path in self.found.get(self._calls.at, ()) or is_asked_by(sys._getframe(1)):
            return value
        if name in WHOLE:
            self._note(above)
        elif name in type(section).__pydantic_fields__ and issubclass(type(value), Section):
            self._paths[id(value)] = (value, path)
        elif name in type(section).__pydantic_fields__:
            self._note(path if value is not None else f"{path}.{ABSENT}")
        return value

    def _note(self, path: str) -> None:
        self.found.setdefault(self._calls.at, set()).add(path)


def is_asked_by(frame: FrameType | None) -> bool:
    """Tell whether versions or gates are compared, or a step or variant is looked up, which versions count as code."""
    while frame is not None:
        if frame.f_globals.get("__name__") in COMPARED_BY:
            return True
        frame = frame.f_back
    return False


def is_covered(path: str, keys: Iterable[str]) -> bool:
    """Tell whether a key that was read, or one above it, is among those that the version counts."""
    above = path.removesuffix(f".{ABSENT}")
    named = {"licences" if key == "licence_names" else key.removesuffix(".*").removesuffix(".<") for key in keys}
    return any(
        path.startswith(f"{name}.") or path == name or (above != path and name.startswith(f"{above}."))
        for name in named
    )


def is_for_show(frame: FrameType | None) -> bool:
    """Tell whether a plot of the page is at work: what it calls decides no value; those of the report are released."""
    is_plot = False
    while frame is not None:
        if frame.f_code.co_name == "render_report":
            return False
        is_plot |= frame.f_globals.get("__name__") in PLOTS
        frame = frame.f_back
    return is_plot


@contextmanager
def watched(calls: Calls, reads: Reads) -> Iterator[None]:
    """Note all calls, and what is read of the project file, between the opening of a step and its end."""
    open_step: Callable[..., Any] = Bench.step

    @contextmanager
    def step(bench: Bench, context: Any) -> Iterator[Step]:
        with open_step(bench, context) as opened:
            calls.at = context.op_execution_context.op.name.removeprefix(f"{opened.project.project}__")
            calls.found.setdefault(calls.at, set())
            try:
                yield opened
            finally:
                calls.at = ""

    Bench.step = step  # type: ignore[method-assign]
    Section.__getattribute__ = lambda section, name: reads.read(section, name)  # type: ignore[method-assign]
    before = sys.gettrace()
    sys.settrace(calls.note)
    threading.settrace(calls.note)
    try:
        yield
    finally:
        sys.settrace(before)
        threading.settrace(None)  # type: ignore[arg-type]
        del Section.__getattribute__
        Bench.step = open_step  # type: ignore[method-assign]


def write_preference(folder: Path) -> tuple[Deployment, str]:
    return preference_project.write_project(folder, prompts=60), "pairs"


def write_with_rounds(folder: Path) -> tuple[Deployment, str]:
    """Write a project that uses what others leave alone: rounds, prices, a set that models are examined with."""
    overlap = [{"name": "sums", "path": "sums.jsonl", "columns": ["q"]}]
    deployment = write_project(
        folder, items=200, seed=2, checking={"rounds": True, "route_by_price": True}, cleaning={"overlap": overlap},
        prices={"annotator_answer": 0.1, "expert_answer": 1.0},
    )  # fmt: skip
    (deployment.data / "sums.jsonl").write_text('{"q": "Of seven apples three are eaten, how many are left?"}\n')
    return deployment, "small"


def write_spammy(folder: Path) -> tuple[Deployment, str]:
    return write_contaminated(folder)[0], "spammy"


def is_outside(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in OUTSIDE)


@pytest.fixture(scope="module", params=[write_with_rounds, write_preference, write_spammy])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Calls, Reads]:
    deployment, name = request.param(tmp_path_factory.mktemp("watched"))
    project, calls = load_project(deployment.projects / f"{name}.yaml"), Calls()
    reads = Reads(calls)
    with watched(calls, reads):
        done = Rounds(project, deployment, dg.DagsterInstance.ephemeral()).run()
    assert done.broken == []
    return project, calls, reads


def steps_of(project: Project) -> list[StageStep]:
    return [*project_steps(project, "batch"), *project_steps(project, "release")]


def test_every_step_ran(ran: tuple[Project, Calls, Reads]) -> None:
    project, calls, _ = ran
    assert {step.name for step in steps_of(project)} <= set(calls.found)


def test_whatever_a_step_ran_is_in_the_version_of_its_tables(ran: tuple[Project, Calls, Reads]) -> None:
    project, calls, _ = ran
    escaped = {}
    for step in steps_of(project):
        reach = table_reach(project, step.tables[0])
        assert calls.templates(step.name) <= set(reach.files)
        if missing := {name for name in calls.names(step.name) - reach.names if not is_outside(name[0])}:
            escaped[step.name] = sorted(missing)
    assert escaped == {}


def test_whatever_a_gate_ran_is_in_its_version(ran: tuple[Project, Calls, Reads]) -> None:
    project, calls, _ = ran
    judged = [stage.name for stage in STAGES.values() if stage.gate is not None and gate_of(stage.gate) == stage.name]
    assert judged
    for gate in judged:
        reached, found = gate_reach(project, gate).names, calls.names(f"{project.project}_{gate}_gate")
        assert found, gate
        assert {name for name in found - reached if not is_outside(name[0])} == set(), gate


def test_whatever_a_step_read_of_the_project_file_is_in_the_version_of_its_tables(
    ran: tuple[Project, Calls, Reads],
) -> None:
    project, _, reads = ran
    escaped = {}
    for step in steps_of(project):
        keys = (*stage_of(step.tables[0]).settings, *step.settings)
        found = reads.found.get(step.name, set())
        missing = {path for path in found if path not in DECIDES_NOTHING and not is_covered(path, keys)}
        if missing and step.name not in WRITE_ONCE:
            escaped[step.name] = sorted(missing)
    assert any(reads.found.values())
    assert escaped == {}
