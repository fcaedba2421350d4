"""`make run`: take a project's deliveries through the chain and show what came of them."""

import json
import logging
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from rich.console import Console

from cupel.errors import CupelError, disk_trouble
from cupel.figures import plural
from cupel.intake.collect_inputs import releases_of
from cupel.kinds.projects import load_project
from cupel.lake.gates import gate_rows
from cupel.lake.stage_seconds import read_seconds
from cupel.people.answers.recorded import RecordedWorkforce
from cupel.release.facts import BatchFacts, ReleaseFacts, batch_facts, release_facts
from cupel.release.layout import MANIFEST_FILE
from cupel.release.places import release_file, release_folder, report_folder
from cupel.show.funnel import print_funnel, summary
from expectations.data_docs import INDEX, write_data_docs
from orchestration.dagster_internals import LOGGER_OF_SKIPPED_STEPS
from orchestration.dagster_storage import describe_trouble, open_instance
from orchestration.deployment import Deployment
from orchestration.launched_runs import LaunchedRuns
from orchestration.progress import RunProgress
from orchestration.rounds import Done, Rounds
from orchestration.runs import RunExecutor

BROKEN = 1


def main() -> int:
    """Run the project named on the command line; 0 also when a release is refused, 1 when something broke.

    Batches named after the project (or `all`) are put to a new audit.
    """
    console = Console()
    logging.getLogger(LOGGER_OF_SKIPPED_STEPS).setLevel(logging.ERROR)
    deployment = Deployment.from_environment()
    name = sys.argv[1] if len(sys.argv) > 1 else "sentiment"
    began = time.monotonic()

    def say(words: str) -> None:
        console.print(words, style="yellow", markup=False)

    try:
        project = load_project(deployment.projects / f"{name}.yaml", deployment.known)
        with open_instance(say) as instance, RunProgress(console).shown() as progress:
            rounds = Rounds(
                project, deployment, instance, progress=progress, wanted=sys.argv[2:], say=say,
                executor=_executor(instance),
            )  # fmt: skip
            done = rounds.run()
        if not done.broken:
            _show(console, rounds, done, time.monotonic() - began)
    except (CupelError, OSError) as error:
        said = disk_trouble(error) if isinstance(error, OSError) else str(error)
        console.print(said, style="red", markup=False)
        return BROKEN
    except Exception as error:
        if (trouble := describe_trouble(error)) is None:
            raise
        console.print(trouble, style="red", markup=False)
        return BROKEN
    for run in done.broken:
        console.print(f"{run.job}, {run.partition}: {run.error}", style="red", markup=False)
    return BROKEN if done.broken else 0


def _executor(instance: dg.DagsterInstance) -> RunExecutor | None:
    """Return what launches runs as the page does; None, which is this process, where dagster.yaml names no fork."""
    if not LaunchedRuns.can_serve(instance):
        return None
    return LaunchedRuns(instance, Path(instance.root_directory) / "service" / "run_worker.log")


def _show(console: Console, rounds: Rounds, done: Done, took: float) -> None:
    lake, project = rounds.lake, rounds.project
    releases = {release: release_facts(lake, project, release) for release in rounds.releases()}
    columns: list[ReleaseFacts | BatchFacts] = [
        _latest(batch, list(releases.values())) or batch_facts(lake, batch) for batch in rounds.batches
    ]
    certified = [name for name in releases if lake.store.stat(release_file(name, MANIFEST_FILE)) is not None]
    folders = {name: _shown(release_folder(lake, name)) for name in certified}
    reports = {name: _shown(report_folder(lake, name) / "report.html") for name in releases}
    content = summary(project, columns, folders, reports)
    lake.store.put("summary.json", (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
    catalog = lake.write_catalog()
    write_data_docs(lake, project)
    seconds = {batch: read_seconds(lake, [batch, *_releases_of(batch, releases)]) for batch in rounds.batches}
    print_funnel(columns, console, seconds)
    for note in _notes(rounds, columns):
        console.print(note, markup=False)
    console.print(f"\n{_did(done)} in {took:.0f} s.")
    for label, path in _places(rounds, folders, reports, _shown(catalog)):
        console.print(f"  {label:<22}{path}", markup=False, soft_wrap=True)
    console.print("  page                  make ui")


def _notes(rounds: Rounds, columns: list[ReleaseFacts | BatchFacts]) -> list[str]:
    """Return what a person should know: of releases, and of answers for batches that nobody named."""
    notes = [note for facts in columns if isinstance(facts, ReleaseFacts) for note in _release_notes(rounds, facts)]
    notes += _unfrozen_notes(rounds)
    if isinstance(rounds.workforce, RecordedWorkforce):
        strangers = sorted(rounds.workforce.batches() - set(rounds.batches))
        notes += [f"There are answers for {name!r}, which is no delivery of this project." for name in strangers]
    return notes


def _unfrozen_notes(rounds: Rounds) -> Iterator[str]:
    """Yield why releases that were proposed are not frozen: such as that no audit of theirs could pass."""
    for release in releases_of(rounds.lake, rounds.project):
        if rounds.lake.commit("release_plan", release) is None:
            reasons = dict.fromkeys(
                row["reason"] for row in gate_rows(rounds.lake, release) if row["outcome"] == "open"
            )
            yield from (f"{release} is not frozen: {reason}" for reason in reasons)


def _release_notes(rounds: Rounds, facts: ReleaseFacts) -> Iterator[str]:
    terms, commit = facts.terms, rounds.lake.commit("release_plan", facts.release)
    if terms.audit_size > terms.max_experts_seen_share * terms.items:
        yield (
            f"{facts.release}: its audit of {terms.audit_size:,} alone shows experts more of the {terms.items:,} "
            "items than the project allows; audit fewer, or raise max_experts_seen_share."
        )
    for batch in terms.batches:
        frozen = None if commit is None else commit.inputs.get(f"labels@{batch}")
        if frozen not in (None, rounds.lake.version(f"labels@{batch}")):
            yield f"{batch}: the labels changed after {facts.release}; `make release BATCH={batch}` audits them anew."


def _latest(batch: str, releases: list[ReleaseFacts]) -> ReleaseFacts | None:
    holding = [facts for facts in releases if batch in facts.terms.batches]
    return max(holding, key=lambda facts: facts.terms.attempt, default=None)


def _releases_of(batch: str, releases: dict[str, ReleaseFacts]) -> list[str]:
    return [name for name, facts in releases.items() if batch in facts.terms.batches]


def _did(done: Done) -> str:
    if not done.runs:
        return "Nothing had changed: nothing was run"
    waiting = (
        f"; {plural(done.tasks_open, 'question')} {'awaits' if done.tasks_open == 1 else 'await'} an answer"
        if done.tasks_open
        else ""
    )
    return f"{done.rounds} rounds, {len(done.runs)} runs{waiting}"


def _shown(path: object) -> str:
    """Return a path relative to where the command was given."""
    return os.path.relpath(str(path))


def _places(rounds: Rounds, folders: dict[str, str], reports: dict[str, str], catalog: str) -> list[tuple[str, str]]:
    places = [(f"release {name}", path) for name, path in folders.items()]
    places += [(f"report {name}", path) for name, path in reports.items()]
    places += [(f"relabel {name}", str(Path(path).with_name("relabel_next.csv"))) for name, path in reports.items()]
    return [*places, ("summary", _shown(rounds.lake.folder / "summary.json")), ("SQL views", catalog),
            ("Data Docs", _shown(rounds.lake.folder / INDEX))]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
