"""A trace on the terminal: the story from top to bottom, a section a stage."""

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from cupel.printable import printable
from cupel.trace.lines import HEADING, Line
from cupel.trace.story import (
    checking_lines,
    cleaning_lines,
    gate_lines,
    heading,
    labeling_lines,
    other_lines,
    raw_lines,
)
from cupel.trace.story_contamination import contamination_lines
from cupel.trace.story_release import outcome, release_lines, table_lines
from cupel.trace.trace import Trace

INDENT = 2
LEAST_WIDTH = 20


def story(trace: Trace, all_gates: bool = False) -> Iterator[Line]:
    """Yield the whole story as lines.

    Args:
        trace: The trace.
        all_gates: Also tell the checks that passed.
    """
    yield Line(str(trace.label_id), HEADING, 0)
    yield outcome(trace)
    yield from raw_lines(trace)
    if trace.is_item:
        yield from cleaning_lines(trace)
        yield from contamination_lines(trace)
        yield from labeling_lines(trace)
        if trace.cleaning.rejected is None or trace.checking.label is not None:
            yield from checking_lines(trace)
        yield heading("Gates", f"batch {trace.label_id.batch}")
        yield from other_lines(trace)
        yield from gate_lines(trace.gates, all_gates)
        yield from release_lines(trace, all_gates)
    yield from table_lines(trace)


def show(console: Console, trace: Trace, all_gates: bool = False) -> None:
    """Print the story; nothing in it is obeyed, neither by the console nor by the terminal."""
    for line in story(trace, all_gates):
        if line.depth == 0 and line.style == HEADING:
            console.print()
        text = Text(printable(line.text), style=line.style)
        margin = INDENT * line.depth
        # Wrapped by hand, so that what follows stands in as well and no line ends in blanks.
        for part in text.wrap(console, max(LEAST_WIDTH, console.width - margin)):
            part.rstrip()
            console.print(Text(" " * margin).append_text(part), soft_wrap=True, highlight=False)
