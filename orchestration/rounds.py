"""Rounds: the graph computes what is known and what to ask next; people answer; again, until nothing is asked.

A round runs what is stale of every batch, then of every release, hands the outbox to the workforce and
appends its answers to the log. It ends when nobody has an answer left. With recorded answers a few
rounds take a minute; with people the same rounds are days apart, and the daemon does them.
"""

import os
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import dagster as dg

from cupel.check.aside import clear_for_run, describe_again
from cupel.check.check import find_damage
from cupel.config.project import Project
from cupel.contract.stages import project_steps
from cupel.intake.collect_inputs import collecting, releases_of, take_whole, workforce
from cupel.kinds.projects import load_project
from cupel.lake.guideline_log import GUIDELINES, record_guideline
from cupel.lake.lake import Lake
from cupel.lake.stage_seconds import add_seconds
from cupel.people.annotators.policies import act
from cupel.people.answers.collect import Workforce, collect, open_tasks
from cupel.release.plan import is_finished
from cupel.release.proposals import is_ready, propose, propose_new
from cupel.release.reported import is_reported
from cupel.show.action_messages import format_actions
from cupel.sources.register import with_registered
from cupel.store.locks import project_lock
from orchestration.deployment import Deployment
from orchestration.freshness import why_stale
from orchestration.jobs import batch_job, release_job, report_job
from orchestration.progress import RunProgress
from orchestration.run_process import PROCESS, name_process
from orchestration.runs import MADE_BY, ROUND, Run, RunExecutor, RunRequest, RunsInProcess, end_dead_runs
from orchestration.wiring import deployment_definitions

MOST_ROUNDS = 100
# Why tables are made in the course of things; any other reason is said before they are made anew.
ORDINARY = ("it was never made", "its gate has not judged it", "answers:", "actions@")


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
        project: The project, as its file has it.
        deployment: Where its data, inbox and lake are.
        instance: Dagster's instance: the runs appear on its page.
        workforce: Who answers; None for the one that the project names.
        progress: Where to show it; None for nowhere.
        wanted: Batches (or `all`) that are put to a new audit, although they were in a release.
        say: Gets what a person should know before it is done, such as what is made anew and why.
        executor: Who executes runs; None for this process.
    """

    def __init__(
        self,
        project: Project,
        deployment: Deployment,
        instance: dg.DagsterInstance,
        workforce: Workforce | None = None,
        progress: RunProgress | None = None,
        wanted: Sequence[str] = (),
        say: Callable[[str], None] = lambda words: None,
        executor: RunExecutor | None = None,
    ) -> None:
        self.deployment = deployment
        self.instance = instance
        self.executor = executor or RunsInProcess(instance)
        self.lake = Lake(deployment.lake, project.project)
        self.project = with_registered(project, self.lake)
        self.workforce = workforce or self._recorded(project)
        self.progress = progress
        self.wanted = wanted
        self.say = say
        self.definitions = deployment_definitions([project], deployment)
        self.runs: list[Run] = []
        self._file = project

    @property
    def batches(self) -> list[str]:
        """The project's batches, in the order of the register."""
        return list(self.project.raw.deliveries)

    def run(self) -> Done:
        """Run rounds until nobody has an answer left.

        Raises:
            AnswerError: The answers log is altered or cut short.
            ProjectError: The project file was edited between two rounds, and is wrong now; or its guideline is gone, or
            changed and nothing says what follows.
            LakeError: Another process is at work on the project, or something is damaged that no run makes again.
            FormatError: The lake is of another format.
        """
        name = self.project.project
        with project_lock(self.lake.store, name, "make run"):
            self.lake.check_writable()
            end_dead_runs(self.instance, name)
            self.lake.store.remove_left_behind()
            self.lake.answers.verify()
            with collecting(self.lake):  # a collection may append to the logs whose heads and numbers are set right
                again = clear_for_run(self.lake, find_damage(self.lake, is_light=True), self.say)
                self._record_guideline()
            self._take()
            self.instance.add_dynamic_partitions(f"{name}_batches", self.batches)
            number = 0
            for number in range(1, MOST_ROUNDS + 1):
                self._compute(number)
                if any(run.error for run in self.runs):
                    break
                has_grown, is_edited = self._ask(), self._read_again()
                if not has_grown and not is_edited:
                    break
            for release in self.releases():
                if not is_reported(self.lake, release):
                    self._start(report_job(name), release, ["report"], number)
            for line in describe_again(self.lake, again):
                self.say(line)
            find_damage(self.lake, is_light=True)  # remembers what came to be
            unfinished = [release for release in self.releases() if not is_finished(self.lake, release)]
            return Done(number, self.runs, open_tasks(self.lake, self.batches, unfinished).num_rows)

    def releases(self) -> list[str]:
        """Return the project's releases that were planned, by name."""
        return self.lake.partitions("release_plan")

    def _take(self) -> None:
        if self.deployment.inbox is None:
            return
        inbox = self.deployment.inbox / self.project.project
        with collecting(self.lake):
            came = take_whole(self.deployment.projects, self.lake, inbox, self.deployment.known)
        for taken in came:
            self.say(f"inbox: {taken.name}: {taken.outcome}: {taken.reason}")
        self.project = with_registered(self._file, self.lake)
        self.workforce = self._recorded(self._file) if self._is_recorded else self.workforce

    def _read_again(self) -> bool:
        """Read the project file if it was edited since the last round, for steps take it as it is; tell whether."""
        file = load_project(self.deployment.projects / f"{self.project.project}.yaml", self.deployment.known)
        if file == self._file:
            return False
        self.say(f"{file.project}.yaml was edited; from the next round on it holds as it is now")
        self._file = file
        self.project = with_registered(file, self.lake)
        with collecting(self.lake):
            self._record_guideline()
        self.definitions = deployment_definitions([file], self.deployment)
        self.workforce = self._recorded(file) if self._is_recorded else self.workforce
        self.instance.add_dynamic_partitions(f"{file.project}_batches", self.batches)
        return True

    def _record_guideline(self) -> None:
        """Refuse a guideline that is gone, or changed without a word; nobody adds answers meanwhile."""
        answers = self.lake.answers.head().sequence
        record_guideline(self.lake.log(GUIDELINES), self.project, self.deployment.data, answers)

    def _recorded(self, project: Project) -> Workforce:
        self._is_recorded = True
        return workforce(project, self.lake, self.deployment.data)

    _is_recorded = False

    def _compute(self, number: int) -> None:
        name = self.project.project
        for batch in self.batches:
            self._execute(batch_job(name), batch, number)
        if any(run.error for run in self.runs):
            return  # nothing is frozen from tables that a broken run left behind
        for part in self.wanted:
            propose(self.lake, self.project, part, "make release")
        self.wanted = ()
        if self.project.operation.release is None:
            propose_new(self.lake, self.project, "make run")
        releases = self._planned()
        self.instance.add_dynamic_partitions(f"{name}_releases", releases)
        for release in releases:
            is_planned = self.lake.commit("release_plan", release) is not None
            if not is_finished(self.lake, release) and (is_planned or is_ready(self.lake, self.project, release)):
                self._execute(release_job(name), release, number)

    def _planned(self) -> list[str]:
        """Return the releases that were proposed, also on the page alone."""
        added = self.instance.get_dynamic_partitions(f"{self.project.project}_releases")
        held = (*self.batches, "all")
        return sorted(
            {*releases_of(self.lake, self.project), *(name for name in added if name.rpartition("-r")[0] in held)}
        )

    def _execute(self, job: str, partition: str, number: int) -> None:
        steps = project_steps(self.project, "release" if job == release_job(self.project.project) else "batch")
        stale = why_stale(self.lake, self.project, self.deployment.data, partition, steps)
        if stale:
            why = next(iter(stale.values()))
            if not why.startswith(ORDINARY):
                self.say(f"{partition}: {why}; made anew: {', '.join(stale)}")
            self._start(job, partition, list(stale), number)

    def _start(self, job: str, partition: str, tables: list[str], number: int) -> None:
        span = tables[0] if len(tables) == 1 else f"{tables[0]} … {tables[-1]}"
        # By the process the daemon's watch sees that a `make run` was killed: its run would hold the batch for ever.
        tags = {ROUND: str(number), MADE_BY: self.project.project, PROCESS: name_process(os.getpid())}
        request = RunRequest(job, partition, tables, str(uuid.uuid4()), number, tags)
        with self._follow(f"round {number}  {partition}  {span}", len(tables)) as on_event:
            run = self.executor.execute(self.definitions, request, on_event)
        is_new = partition not in {earlier.partition for earlier in self.runs}
        add_seconds(self.lake, partition, run.seconds, is_new=is_new)
        self.runs.append(run)

    def _follow(self, title: str, steps: int) -> AbstractContextManager[Callable[[dg.DagsterEvent], None]]:
        if self.progress is None:
            return nullcontext(lambda event: None)
        return self.progress.follow(title, steps)

    def _ask(self) -> bool:
        """Act on what was found of annotators, and hand the outbox to the workforce; tell whether anything is new."""
        acted = act(self.lake, self.project, self.batches)
        for line in format_actions(acted):
            self.say(line)
        unfinished = [release for release in self.releases() if not is_finished(self.lake, release)]
        with collecting(self.lake):
            written = collect(self.lake, self.workforce, self.batches, unfinished)
        if written:
            key, head = dg.AssetKey([self.project.project, "answers"]), self.lake.answers.head()
            metadata = {"dagster/row_count": head.sequence, "new answers": written}
            self.instance.report_runless_asset_event(dg.AssetMaterialization(key, metadata=metadata))
        return written > 0 or any(action.deed != "warn" for action in acted)
