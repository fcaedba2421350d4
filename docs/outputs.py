"""Outputs that the pages show: each is made again by the command that stands above it, and compared.

A block of output has a comment above it. `<!-- output of the example: NAME -->` is made from a made-up delivery, in the
tests. `<!-- output of the sample: COMMAND -->` needs what `make run` has made; `python -m docs.outputs` makes these and
says which lines a page shows that its command does not print. `<!-- output of the server: COMMAND -->` needs a server,
`<!-- output of the project: COMMAND -->` a project
of one's own: they are made by hand. A line `...` stands for any lines left out.
"""

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from docs.buyer_examples import make_examples
from docs.tutorial_example import explain_hopeless_tutorial

ROOT = Path(__file__).parents[1]
LEFT_OUT = "..."
SAMPLE, EXAMPLE = "sample", "example"
# A block that shows no output: what one types. Data, code and settings have a language.
COMMANDS = ("cupel ", "make ", ".venv/bin/", "export ", "pip ", "dg ")
# What needs a server, or a project of the reader's own, is made by hand.
BY_HAND = ("server", "project")
_FENCE = re.compile(r"(?:<!-- output of the (\w+): (.*?) -->\n)?^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
# What is another at each run: times, and the hash of a release, which tells of the code that made it.
_CHANGING = (
    (re.compile(r"\b[\d.]+ s\b"), "? s"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "?"),
    (re.compile(r"\b(version|record) [0-9a-f]{12}\b"), r"\1 ?"),
    (re.compile(r"\d{4}-\d\d-\d\d"), "?"),
)


class OutputBlock(NamedTuple):
    """A block of a page: its line, what made it (None where it does not say), and its text."""

    page: Path
    line: int
    of: str | None
    command: str
    language: str
    text: str

    @property
    def is_typed(self) -> bool:
        """Whether it shows what one types, or has a language, and so is no output."""
        return bool(self.language) or self.text.startswith(COMMANDS)


def read_blocks() -> list[OutputBlock]:
    """Return the blocks of the tutorial, the how-to and the reference pages, in their order."""
    docs = ROOT / "docs"
    pages = [docs / "tutorial.md", *sorted((docs / "how-to").glob("*.md")), *sorted((docs / "reference").glob("*.md"))]
    return [block for page in pages for block in _read_page(page)]


def find_difference(block: OutputBlock, output: str) -> str | None:
    """Return the first line of a block that its output does not have in that place; None where all are there."""
    printed, place = [_normalise(line) for line in output.splitlines()], -1
    may_skip = True
    for line in block.text.splitlines():
        if line.strip() == LEFT_OUT:
            may_skip = True
            continue
        wanted, start = _normalise(line), place + 1
        if not may_skip and not wanted:
            place = start if start < len(printed) and not printed[start] else place
            continue
        found = next((at for at in range(start, len(printed)) if printed[at] == wanted), None)
        if found is None or (not may_skip and found != start):
            return line
        place, may_skip = found, False
    return None


def _read_page(page: Path) -> Iterator[OutputBlock]:
    text = page.read_text()
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start(4))
        yield OutputBlock(page, line, found[1], found[2] or "", found[3], found[4])


def _normalise(line: str) -> str:
    for pattern, put in _CHANGING:
        line = pattern.sub(put, line)
    return re.sub(r"\s{2,}", "  ", line.rstrip())


def _run(command: str) -> str:
    words = shlex.split(command)
    if words[0] == "cupel":
        words[0] = ".venv/bin/cupel"
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout


def main() -> int:
    """Make every output again; return 1 where a page shows another."""
    with tempfile.TemporaryDirectory() as folder:
        examples, wrong = make_examples(Path(folder) / "buyer"), 0
        examples["an audit that cannot pass"] = explain_hopeless_tutorial(Path(folder))
    for block in read_blocks():
        if block.of not in (SAMPLE, EXAMPLE):
            continue
        output = examples[block.command] if block.of == EXAMPLE else _run(block.command)
        line = find_difference(block, output)
        said = "same" if line is None else f"not printed: {line!r}"
        wrong += line is not None
        print(f"{block.page.relative_to(ROOT)}:{block.line}: {block.command}: {said}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
