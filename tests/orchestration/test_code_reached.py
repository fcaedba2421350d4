"""What ran against what is said: every function that a step ran is in its tables' versions, or declared to decide none.

Imports are followed in the source; what is chosen while a step runs could escape that. So whole projects are run here,
and each call of the repository's own code is held against what the step's version covers.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import dagster as dg
import pytest

import preference_project
from assets.bench import Bench
from contaminated_project import write_contaminated
from cupel.config.project import Project, load_project
from cupel.contract.stages import STAGES, StageStep, project_steps
from cupel.release.gates import gate_of
from cupel.step import Step
from cupel.versions.code_version import OUTSIDE, ROOT, gate_reach, table_reach
from orchestration.deployment import Deployment
from orchestration.rounds import Rounds
from small_project import write_project

PACKAGES = ("cupel", "assets", "expectations")
PLOTS = {name for name in OUTSIDE if "plot" in name}


class Calls:
    """The repository's own functions that ran in each step, as module and name at the module's top level."""

    def __init__(self) -> None:
        self.at = ""
        self.found: dict[str, set[CodeType]] = {}

    def note(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and self.at and frame.f_code not in self.found[self.at] and not is_for_show(frame):
            self.found[self.at].add(frame.f_code)

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


def is_for_show(frame: FrameType | None) -> bool:
    """Tell whether a plot is at work: what it calls decides no value."""
    while frame is not None:
        if frame.f_globals.get("__name__") in PLOTS:
            return True
        frame = frame.f_back
    return False


@contextmanager
def watched(calls: Calls) -> Iterator[None]:
    """Note all calls between the opening of a step and its end."""
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
    sys.setprofile(calls.note)
    threading.setprofile(calls.note)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)  # type: ignore[arg-type]
        Bench.step = open_step  # type: ignore[method-assign]


def write_preference(folder: Path) -> tuple[Deployment, str]:
    return preference_project.write_project(folder, prompts=60), "pairs"


def write_with_rounds(folder: Path) -> tuple[Deployment, str]:
    return write_project(folder, items=200, checking={"rounds": True}, seed=2), "small"


def write_spammy(folder: Path) -> tuple[Deployment, str]:
    return write_contaminated(folder)[0], "spammy"


def is_outside(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in OUTSIDE)


@pytest.fixture(scope="module", params=[write_with_rounds, write_preference, write_spammy])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Calls]:
    deployment, name = request.param(tmp_path_factory.mktemp("watched"))
    project, calls = load_project(deployment.projects / f"{name}.yaml"), Calls()
    with watched(calls):
        done = Rounds(project, deployment, dg.DagsterInstance.ephemeral()).run()
    assert done.broken == []
    return project, calls


def steps_of(project: Project) -> list[StageStep]:
    return [*project_steps(project, "batch"), *project_steps(project, "release")]


def test_every_step_ran(ran: tuple[Project, Calls]) -> None:
    project, calls = ran
    assert {step.name for step in steps_of(project)} <= set(calls.found)


def test_whatever_a_step_ran_is_in_the_version_of_its_tables(ran: tuple[Project, Calls]) -> None:
    project, calls = ran
    escaped = {}
    for step in steps_of(project):
        reach = table_reach(project, step.tables[0])
        assert calls.templates(step.name) <= set(reach.files)
        if missing := {name for name in calls.names(step.name) - reach.names if not is_outside(name[0])}:
            escaped[step.name] = sorted(missing)
    assert escaped == {}


def test_whatever_a_gate_ran_is_in_its_version(ran: tuple[Project, Calls]) -> None:
    project, calls = ran
    judged = [stage.name for stage in STAGES.values() if stage.gate is not None and gate_of(stage.gate) == stage.name]
    assert judged
    for gate in judged:
        reached, found = gate_reach(project, gate).names, calls.names(f"{project.project}_{gate}_gate")
        assert found, gate
        assert {name for name in found - reached if not is_outside(name[0])} == set(), gate
