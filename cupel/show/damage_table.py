"""What was found of a lake, as a table for people and as JSON for machines."""

import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table as Shown
from rich.text import Text

from cupel.check.damage import Damage
from cupel.printable import printable

KEYS = ("project", "is_whole", "damages", "repaired")


def print_damages(console: Console, project: str, damages: Sequence[Damage]) -> None:
    """Print a row for each file that is damaged, with what mends it, and a line that says how many there are."""
    if damages:
        shown = Shown(box=None, pad_edge=False)
        for name in ("file", "what is wrong", "what mends it"):
            shown.add_column(name, overflow="fold")
        for damage in damages:
            style = "yellow" if damage.is_told_only else "red"
            shown.add_row(*(Text(printable(cell)) for cell in (damage.path,)), Text(printable(damage.what), style),
                          Text(printable(damage.remedy)))  # fmt: skip
        console.print(shown)
    bad = sum(not damage.is_told_only for damage in damages)
    words = f"{project}: {bad} damaged" if bad else f"{project}: whole"
    unknown = len(damages) - bad
    console.print(Text(words + (f"; {unknown} unknown files" if unknown else "") + ".", "red" if bad else "green"))


def as_json(results: Sequence[tuple[str, Sequence[Damage], Sequence[str]]]) -> bytes:
    """Return what was found of some projects: a list, an object a project.

    Args:
        results: Of each project its name, its damages, and what a repair said.
    """
    content: list[dict[str, Any]] = [
        {
            "project": project,
            "is_whole": all(damage.is_told_only for damage in damages),
            "damages": [damage._asdict() for damage in damages],
            "repaired": list(said),
        }
        for project, damages, said in results
    ]
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
