"""Progress on the terminal: which run is going on, how far it is, and for how long."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dagster as dg
from dagster import DagsterEventType
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

FINISHED = {DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE, DagsterEventType.STEP_SKIPPED}


class RunProgress:
    """Shows a bar for each run; a step more of it is done whenever Dagster records one."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total} steps"), TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[step]}"), console=console,
        )  # fmt: skip

    @contextmanager
    def shown(self) -> Iterator["RunProgress"]:
        """Show the bars for as long as the block lasts."""
        with self._progress:
            yield self

    @contextmanager
    def follow(self, title: str, steps: int) -> Iterator[Callable[[dg.DagsterEvent], None]]:
        """Give what is to be told of a run's events; a skipped step of it counts as done at the end."""
        task = self._progress.add_task(title, total=steps, step="")

        def on_event(event: dg.DagsterEvent) -> None:
            if event.step_key is None:
                return
            if event.event_type is DagsterEventType.STEP_START:
                self._progress.update(task, step=event.step_key)
            elif event.event_type in FINISHED:
                self._progress.advance(task)

        yield on_event
        self._progress.update(task, step="", completed=steps)
