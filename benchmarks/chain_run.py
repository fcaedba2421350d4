"""One run of the chain, measured from within: seconds, processor time and memory of each part. A child of chain.py."""

import json
import logging
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from cupel.contract.stages import stage_of

Made = TypeVar("Made")

# How often a run says how far it is, so that one that is killed has said it.
SECONDS_BETWEEN = 20
# What the rounds call: the runs, and what is done between them.
BETWEEN = {"collect": "answers", "why_stale": "staleness", "propose_new": "proposals"}


class Used(NamedTuple):
    """Seconds by the clock, processor seconds, and the largest memory in bytes."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0

    def plus(self, other: "Used") -> "Used":
        """Return the times added up, and the larger peak."""
        peak = max(self.peak_bytes, other.peak_bytes)
        return Used(self.seconds + other.seconds, self.cpu_seconds + other.cpu_seconds, peak)


class Meter:
    """Adds up what parts of a run use, by name; a part's peak leaves out the parts that were measured within it."""

    def __init__(self) -> None:
        self.used: dict[str, Used] = {}
        self.peak_bytes = 0
        self._begun: dict[str, tuple[float, float]] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure what happens inside."""
        self.look()
        wall, cpu = self._begun[name] = time.monotonic(), cpu_seconds()
        try:
            yield
        finally:
            now = Used(time.monotonic() - wall, cpu_seconds() - cpu, self.look())
            del self._begun[name]
            self.used[name] = self.used.get(name, Used()).plus(now)

    def so_far(self) -> dict[str, Used]:
        """Return what was used, with what is under way as far as it is."""
        found = dict(self.used)
        for name, (wall, cpu) in list(self._begun.items()):
            now = Used(time.monotonic() - wall, cpu_seconds() - cpu, peak_bytes())
            found[name] = found.get(name, Used()).plus(now)
        return found

    def under_way(self) -> list[str]:
        """Return the parts that are under way, the outermost first."""
        return list(self._begun)

    def measured(self, function: Callable[..., Made], name: str) -> Callable[..., Made]:
        """Return the function, measured whenever it is called."""

        @wraps(function)
        def call(*arguments: Any, **named: Any) -> Made:
            with self.part(name):
                return function(*arguments, **named)

        return call

    def look(self) -> int:
        """Return the largest memory since the last look, and begin again; without Linux, since the beginning."""
        peak = peak_bytes()
        self.peak_bytes = max(self.peak_bytes, peak)
        if Path("/proc/self/clear_refs").exists():
            Path("/proc/self/clear_refs").write_text("5")
        return peak


def cpu_seconds() -> float:
    """Return the processor time of this process and of its children that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def peak_bytes() -> int:
    """Return the largest resident memory of this process."""
    status = Path("/proc/self/status")
    if status.exists():  # unlike getrusage's, this number is not inherited from the parent
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def run(folder: Path, name: str, told: Path, last_stage: str | None = None) -> None:
    """Take a project through its rounds, or each delivery once through the stages up to one.

    Args:
        folder: It holds projects, data and lake.
        name: The project.
        told: The file that says what was found. `parts`: what each part used; `step:<stage>:<name>` is the work of
            a step on its partitions, without Dagster's. `peak_bytes`, `under_way` (parts, while the run lasts), and
            when it has ended also `rounds`, `runs`, `tasks_open`, `errors`, and `releases` with their status.
        last_stage: The stage to end with, "raw" or "cleaning"; None for rounds of them all.
    """
    meter, is_ended = Meter(), threading.Event()
    teller = threading.Thread(target=_tell_now_and_then, args=(meter, told, is_ended), daemon=True)
    teller.start()
    with meter.part("start"):
        from cupel.kinds.projects import load_project
        from orchestration.dagster_internals import LOGGER_OF_SKIPPED_STEPS
        from orchestration.dagster_storage import open_instance
        from orchestration.deployment import Deployment
        from orchestration.rounds import Rounds

        _measure(meter)
        # It warns of every blocking check that was not asked because its table awaits answers.
        logging.getLogger(LOGGER_OF_SKIPPED_STEPS).setLevel(logging.ERROR)
        deployment = Deployment(folder / "projects", folder / "data", str(folder / "lake"))
        project = load_project(deployment.projects / f"{name}.yaml")
    with meter.part("all"), open_instance(print) as instance:
        with meter.part("workforce"):
            rounds = Rounds(project, deployment, instance, say=print)
        done = rounds.run() if last_stage is None else _once(rounds, meter, last_stage)
    is_ended.set()
    teller.join()
    results = {release: rounds.lake.read("audit_result", release) for release in rounds.lake.partitions("audit_result")}
    ended = {
        "rounds": done.rounds,
        "runs": len(done.runs),
        "tasks_open": done.tasks_open,
        "errors": [f"{run.job}, {run.partition}: {run.error}" for run in done.broken],
        "releases": {release: result["status"][0].as_py() for release, result in results.items()},
    }
    _tell(meter, told, ended)


def _once(rounds: Any, meter: Meter, last_stage: str) -> Any:
    """Take each delivery once through the stages up to one, and say so as the rounds do."""
    import uuid

    from cupel.contract.tables import TABLES
    from orchestration.jobs import batch_job
    from orchestration.rounds import Done
    from orchestration.runs import RunRequest, RunsInProcess

    name = rounds.project.project
    stages = ("raw", "cleaning")[: ("raw", "cleaning").index(last_stage) + 1]
    tables = [table for table in TABLES if stage_of(table).name in stages]
    rounds.instance.add_dynamic_partitions(f"{name}_batches", rounds.batches)
    runs = []
    for batch in rounds.batches:
        with meter.part("runs"):
            request = RunRequest(batch_job(name), batch, tables, str(uuid.uuid4()))
            runs.append(RunsInProcess(rounds.instance).execute(rounds.definitions, request))
    return Done(1, runs, 0)


def _tell(meter: Meter, told: Path, ended: dict[str, Any]) -> None:
    parts = {part: used._asdict() for part, used in sorted(meter.so_far().items())}
    peak = max(meter.peak_bytes, peak_bytes())
    content = {"parts": parts, "peak_bytes": peak, "under_way": meter.under_way(), **ended}
    temporary = told.with_suffix(".new")
    temporary.write_text(json.dumps(content), encoding="utf-8")
    os.replace(temporary, told)


def _tell_now_and_then(meter: Meter, told: Path, is_ended: threading.Event) -> None:
    while not is_ended.wait(SECONDS_BETWEEN):
        _tell(meter, told, {})


def _measure(meter: Meter) -> None:
    """Put the meter around the steps, the runs, Great Expectations, and what the rounds do between runs."""
    import orchestration.rounds as rounds_module
    from assets.bench import Bench
    from expectations import gate
    from orchestration.runs import RunsInProcess

    for function, part in BETWEEN.items():
        setattr(rounds_module, function, meter.measured(getattr(rounds_module, function), part))
    setattr(RunsInProcess, "execute", meter.measured(RunsInProcess.execute, "runs"))  # noqa: B010
    for function in ("judge", "judge_columns"):
        setattr(gate, function, meter.measured(getattr(gate, function), "great expectations"))
    open_step = Bench.step

    @contextmanager
    def step(bench: Bench, context: Any) -> Iterator[Any]:
        with meter.part(_step_name(context)), open_step(bench, context) as opened:
            yield opened

    setattr(Bench, "step", step)  # noqa: B010


def _step_name(context: Any) -> str:
    """Return the part that a step is: `step:`, its stage, and its name."""
    import dagster as dg

    from cupel.contract.tables import TABLES

    name = context.op_execution_context.op.name
    if isinstance(context, dg.AssetCheckExecutionContext):
        return f"step:gates:{name}"
    table = next(iter(context.selected_asset_keys)).path[-1]
    return f"step:{stage_of(table).name if table in TABLES else table}:{name}"


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
