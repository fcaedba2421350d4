"""Counts the lines of Python that measuring hostile texts runs through, the compiled loops as plain Python among them.

Run with NUMBA_DISABLE_JIT=1 and the sizes: prints, as JSON, for each step and kind of text the lines at each size.
"""

import json
import sys
import threading
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any

import pyarrow as pa

from cupel.modalities.text.languages.identify import identify
from cupel.modalities.text.scan.basics import basics
from cupel.modalities.text.scan.measures import measures

STEPS: dict[str, Callable[[pa.Array], Any]] = {
    "scan": lambda texts: measures(texts, ("the", "of"), threads=1),
    "basics": lambda texts: basics(texts, threads=1),
    "languages": lambda texts: identify(texts, threads=1),
}
KINDS = {
    "one word": "word ", "no space": "a", "spaces": " ", "lines": "\n", "dots": ".", "apostrophes": "a'",
    "brackets": "[1]", "open brackets": "[", "marks": "\u0301", "joiners": "a\u200d", "right to left": "\u202e\u05d0 ",
    "zero width": "\u200b", "control": "\x07", "ideographs": "\u4e2d", "hyphens": "a-", "contractions": "n't",
    "two words": "a b ", "ellipses": "\u2026", "hashes": "#", "addresses": "a@b.", "at signs": "@",
    "letters and at signs": "a@", "phrases": "lorem ipsu",
}  # fmt: skip


def work(step: Callable[[pa.Array], Any], text: str) -> int:
    """Return the lines of ours that a step runs through; it works on a thread of its own."""
    lines = 0

    def count(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return count if "cupel" in frame.f_code.co_filename else None

    texts = pa.array([text], pa.large_string())
    threading.settrace(count)
    step(texts)
    threading.settrace(None)  # type: ignore[arg-type]
    return lines


def main() -> None:
    """Print the counts."""
    warnings.simplefilter("ignore")
    sizes = [int(size) for size in sys.argv[1:]]
    found = {}
    for name, step in STEPS.items():
        step(pa.array(["tables are made once"], pa.large_string()))
        # A text's letters are held against 499 languages, however long it is: a few kinds will do there.
        kinds = list(KINDS)[:4] if name == "languages" else list(KINDS)
        found[name] = {kind: [work(step, KINDS[kind] * (size // len(KINDS[kind]))) for size in sizes] for kind in kinds}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
