"""`python -m benchmarks.humans --folder DIR`: how many people do you still need? One page, and its figures as JSON."""

import json
import signal
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.humans.label_by_model import ModelView, view_by_endpoint, view_by_sentences
from benchmarks.humans.measure import budgets_of, measure_sample, steps_of
from benchmarks.humans.page import render_page
from benchmarks.humans.sample import BATCHES, SampleBatch, read_batch
from benchmarks.humans.tried_attacks import (
    end_attacks,
    find_results,
    finish_attacks,
    read_results,
    shown_attacks,
    start_attacks,
)
from cupel.config.checking import LlmChecker
from cupel.config.project import Project
from cupel.errors import CupelError
from cupel.kinds.projects import load_project
from cupel.store.files import is_file, make_folder, put_file
from orchestration.deployment import REPOSITORY

# The shipped sample is measured, whatever a deployment's own projects are.
SAMPLE, PROJECT = REPOSITORY / "data" / "sentiment", REPOSITORY / "projects" / "sentiment.yaml"
PAGE, FIGURES = "humans.html", "humans.json"


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Where page, figures and labels go.")
@click.option("--replays", type=click.IntRange(min=2), default=200, show_default=True, help="Audits drawn.")
@click.option("--endpoint", help="Base URL of an OpenAI-compatible endpoint whose language model labels.")
@click.option("--model", help="Its name, as the endpoint knows it.")
@click.option("--key-env", help="The environment variable that holds the endpoint's key.")
def main(folder: Path, replays: int, endpoint: str | None, model: str | None, key_env: str | None) -> None:
    """Let a model, a crew and both label the sample; say how much experts must still read, for what error."""
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the attacks end, too
    try:
        settings = read_endpoint(endpoint, model, key_env)
        project = load_project(PROJECT)
        make_folder(folder)
        write_page(folder, project, settings, replays, console)
    except CupelError as error:
        raise click.ClickException(str(error)) from None


def read_endpoint(endpoint: str | None, model: str | None, key_env: str | None) -> LlmChecker | None:
    """Return where a language model is asked; None where the sentence model shall label.

    Raises:
        CupelError: It is not said whole, or is no address.
    """
    if endpoint is None and model is None:
        return None
    if not endpoint or not model:
        raise CupelError("endpoint: found one of URL and name; give both, ENDPOINT=http://localhost:8000/v1 MODEL=name")
    try:
        return LlmChecker(url=endpoint, model=model, key_env=key_env)
    except ValueError:
        raise CupelError(
            f"endpoint {endpoint!r}, key {key_env!r}: expected an address like http://localhost:8000/v1 without a "
            "password or query, and the name of an environment variable like MODEL_KEY"
        ) from None


def write_page(folder: Path, project: Project, settings: LlmChecker | None, replays: int, console: Console) -> None:
    """Measure, try the attacks beside it, and write page and figures.

    Raises:
        CupelError: The sample, the model or the attacks could not be had.
    """
    results, process = find_results(folder), None
    with _progress(console) as progress:
        steps = steps_of(len(BATCHES), len(budgets_of(project)))
        task = progress.add_task("the model reads", total=steps + len(BATCHES) + 1)
        try:
            batches = []
            for name in BATCHES:
                batch = read_batch(SAMPLE, name)
                batches.append((batch, view_batch(batch, project, settings, folder)))
                progress.advance(task)
                process = process or (None if is_file(results) else start_attacks(results))
            progress.update(task, description="experts read")
            found = measure_sample(batches, project, replays, lambda: progress.advance(task))
            progress.update(task, description="attacks are tried")
            if process is not None:
                finish_attacks(process, results)
            progress.advance(task)
        finally:
            end_attacks(process)
    attacks = shown_attacks(read_results(results))
    found["attacks"] = {one.name: one.verdict for one in attacks}
    put_file(folder / FIGURES, (json.dumps(found, indent=1, allow_nan=False) + "\n").encode())
    put_file(folder / PAGE, render_page(found, attacks).encode())
    console.print(f"The page: {folder / PAGE}\nIts figures: {folder / FIGURES}", soft_wrap=True)


def view_batch(batch: SampleBatch, project: Project, settings: LlmChecker | None, folder: Path) -> ModelView:
    """Return what the model makes of a delivery; labels of an earlier call are taken from the folder."""
    if settings is None:
        return view_by_sentences(batch.texts, folder / "labels", batch.name)
    return view_by_endpoint(batch.texts, settings, project.labeling, folder / "labels", batch.name)


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f}%"), TimeElapsedColumn())
    return Progress(*columns, console=console)


if __name__ == "__main__":
    main()
