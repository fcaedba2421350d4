"""Rounds: the graph computes what is known and what to ask next; people answer; again, until nothing is asked.

A round runs what is stale of every batch, then of every release, hands the outbox to the workforce and
appends its answers to the log. It ends when nobody has an answer left. With recorded answers a few
rounds take a minute; with people the same rounds are days apart.
"""

import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple, Protocol

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc

from cupel.answers.recorded import RecordedWorkforce
from cupel.lake import Lake
from cupel.project import Project
from cupel.release.gates import batch_state
from cupel.release.places import report_folder
from cupel.release.plan import ALL, batches_of, is_finished, next_release, release_name
from cupel.release.seconds import add_seconds
from orchestration.deployment import Deployment
from orchestration.freshness import Work, stale_tables
from orchestration.progress import RunProgress
from orchestration.runs import Run, execute
from orchestration.wiring import batch_job, deployment_definitions, release_job, report_job

MOST_ROUNDS = 100


class Workforce(Protocol):
    """People, or what stands for them: it answers the tasks that it can."""

    def answer(self, tasks: pa.Table) -> pa.Table:
        """Return answers to open tasks, as ANSWERS without `sequence` and `hash`."""

    def unasked(self, batch: str, item_ids: set[str]) -> pa.Table:
        """Return answers about items that the batch does not hold."""


class Done(NamedTuple):
    """What the rounds did."""

    rounds: int
    runs: list[Run]
    tasks_open: int

    @property
    def broken(self) -> list[Run]:
        """Runs that ended in an error, which a closed gate is not."""
        return [run for run in self.runs if run.error]


class Rounds:
    """The rounds of one project.

    Args:
        project: The project.
        deployment: Where its data and lake are.
        instance: Dagster's instance: the runs appear on its page.
        workforce: Who answers; None for the one that the project names.
        progress: Where to show it; None for nowhere.
        wanted: Batches (or `all`) that are put to a new audit, although they were in a release.
    """

    def __init__(
        self,
        project: Project,
        deployment: Deployment,
        instance: dg.DagsterInstance,
        workforce: Workforce | None = None,
        progress: RunProgress | None = None,
        wanted: Sequence[str] = (),
    ) -> None:
        self.project = project
        self.deployment = deployment
        self.instance = instance
        self.lake = Lake(deployment.lake, project.project)
        self.workforce = workforce or recorded_workforce(project, deployment)
        self.progress = progress
        self.wanted = wanted
        self.definitions = deployment_definitions([project], deployment)
        self.batches = list(project.raw.deliveries)
        self.runs: list[Run] = []

    def run(self) -> Done:
        """Run rounds until nobody has an answer left.

        Raises:
            AnswerError: The answers log is altered or cut short.
        """
        self.lake.answers.verify()
        self.instance.add_dynamic_partitions(f"{self.project.project}_batches", self.batches)
        number = 0
        for number in range(1, MOST_ROUNDS + 1):
            self._compute(number)
            if any(run.error for run in self.runs) or not self._ask():
                break
        for release in self.releases():
            self._report(release, number)
        return Done(number, self.runs, self._open_tasks().num_rows)

    def releases(self) -> list[str]:
        """Return the project's releases, by name."""
        return self.lake.partitions("release_plan")

    def _compute(self, number: int) -> None:
        for batch in self.batches:
            self._execute(batch_job(self.project.project), batch, number)
        if any(run.error for run in self.runs):
            return  # nothing is frozen from tables that a broken run left behind
        self._propose()
        for release in sorted(self._planned()):
            is_planned = self.lake.commit("release_plan", release) is not None
            if not is_finished(self.lake, release) and (is_planned or self._is_ready(release)):
                self._execute(release_job(self.project.project), release, number)

    def _propose(self) -> None:
        """Propose a release of all that is ready and was in none yet, and of what was asked for."""
        holds = [ALL] if self.project.release.holds == "all_batches" else self.batches
        known = {name.rpartition("-r")[0] for name in (*self.lake.partitions("release_plan"), *self._planned())}
        names = [release_name(part, 1) for part in holds if part not in known and self._is_ready(release_name(part, 1))]
        names += [next_release(self.lake, part) for part in self.wanted]
        self.wanted = ()
        self.instance.add_dynamic_partitions(f"{self.project.project}_releases", names)

    def _is_ready(self, release: str) -> bool:
        """Tell whether all batches of a release have come to an end, and one at least has passed."""
        outcomes = [batch_state(self.lake, batch, self.project).outcome for batch in batches_of(release, self.project)]
        return "pass" in outcomes and all(outcome in ("pass", "fail") for outcome in outcomes)

    def _planned(self) -> list[str]:
        """Return the releases that were proposed; not those of deliveries that the project no longer names."""
        names = self.instance.get_dynamic_partitions(f"{self.project.project}_releases")
        return [name for name in names if name.rpartition("-r")[0] in (ALL, *self.batches)]

    def _report(self, release: str, number: int) -> None:
        """Write a release's report where a run has touched the release, or where there is none.

        Later changes of its batches do not touch it: a report tells of the release as it was.
        """
        is_touched = any(run.partition == release for run in self.runs)
        if is_touched or not (report_folder(self.lake, release) / "report.html").exists():
            self._start(report_job(self.project.project), release, ["report"], number)

    def _execute(self, job: str, partition: str, number: int) -> None:
        works = job_works(self.definitions, job)
        stale = stale_tables(self.lake, self.project, self.deployment.data, partition, works)
        if stale:
            self._start(job, partition, stale, number)

    def _start(self, job: str, partition: str, tables: list[str], number: int) -> None:
        run_id = str(uuid.uuid4())
        span = tables[0] if len(tables) == 1 else f"{tables[0]} … {tables[-1]}"
        with self._follow(run_id, f"round {number}  {partition}  {span}", len(tables)):
            run = execute(self.definitions, job, partition, tables, self.instance, number, run_id)
        is_new = partition not in {earlier.partition for earlier in self.runs}
        add_seconds(self.lake, partition, run.seconds, is_new=is_new)
        self.runs.append(run)

    def _follow(self, run_id: str, title: str, steps: int) -> AbstractContextManager[None]:
        if self.progress is None:
            return nullcontext()
        return self.progress.follow(self.instance, run_id, title, steps)

    def _ask(self) -> bool:
        """Hand the outbox to the workforce; tell whether the log grew."""
        written = 0
        for batch in self.batches:
            if self.lake.commit("clean_items", batch):
                items = set(self.lake.read("clean_items", batch)["item_id"].to_pylist())
                written += self.lake.answers.append(self.workforce.unasked(batch, items)).written
        written += self.lake.answers.append(self.workforce.answer(self._open_tasks())).written
        return written > 0

    def _open_tasks(self) -> pa.Table:
        """Return the outbox: all questions that nobody has answered yet, of batches and unfinished releases."""
        columns = ["task_id", "batch", "item_id", "purpose", "slot"]
        releases = [name for name in self.releases() if not is_finished(self.lake, name)]
        tables = [
            self.lake.read(table, partition).select([*columns, "is_answered"])
            for table, partitions in (("tasks", self.batches), ("release_tasks", releases))
            for partition in partitions
            if self.lake.commit(table, partition) is not None
        ]
        if not tables:
            return pa.table({name: [] for name in columns})
        asked = pa.concat_tables(tables)
        answered = self.lake.answers.read()["task_id"].combine_chunks()
        is_open = pc.invert(pc.or_(asked["is_answered"], pc.is_in(asked["task_id"], value_set=answered)))
        return asked.filter(is_open).select(columns)


def recorded_workforce(project: Project, deployment: Deployment) -> RecordedWorkforce:
    """Return the people whose answers lie in the project's files."""
    return RecordedWorkforce([deployment.data / name for name in project.labeling.answers])


def job_works(definitions: dg.Definitions, job: str) -> list[Work]:
    """Return what a job does, in the order of the chain."""
    layer = definitions.resolve_job_def(job).asset_layer
    graph = layer.asset_graph
    ours = layer.selected_asset_keys
    works: dict[frozenset[dg.AssetKey], Work] = {}
    for key in graph.toposorted_asset_keys:
        if key in ours:
            together = frozenset(graph.get(key).execution_set_asset_keys) or frozenset([key])
            tables = sorted(other.path[-1] for other in together)
            parents = {parent for other in together for parent in graph.get(other).parent_keys}
            works.setdefault(together, Work(tuple(tables), tuple(sorted(p.path[-1] for p in parents & ours))))
    return list(works.values())
