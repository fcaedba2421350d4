"""Try every attack on a small project, and print what happened.

    .venv/bin/python -m benchmarks.attacks [--only NAME] [--list] [--json FILE]

Exit codes: 0 all is as docs/attacks.md says; 1 an attack that it calls caught was not, one that it calls not caught
was, or one could not be tried.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.attacks import (
    accepted_files,
    deliveries,
    draws,
    experts,
    release_claims,
    released_files,
    signatures,
    witnesses,
)
from benchmarks.attacks.attack import Attack, Finding, Outcome
from benchmarks.attacks.target import Target, copy_target, make_target
from benchmarks.new_file import new_file

ATTACKS: tuple[Attack, ...] = (
    *released_files.ATTACKS, *release_claims.ATTACKS, *signatures.ATTACKS, *experts.ATTACKS, *draws.ATTACKS,
    *witnesses.ATTACKS, *deliveries.ATTACKS, *accepted_files.ATTACKS,
)  # fmt: skip
# These bring all that they need.
WITHOUT_RELEASE = (accepted_files.DOOR, witnesses.DOOR)
STYLES = {Outcome.PASSED: "dim", Outcome.REFUSED: "green", Outcome.COUNTED: "green", Outcome.TOLD: "yellow"}
MOST_WORDS, WIDTH = 160, 180


class Tried(NamedTuple):
    """An attack and what happened; a fault of the harness is an error, whatever was expected."""

    attack: Attack
    finding: Finding | None
    error: str = ""

    @property
    def is_as_said(self) -> bool:
        """Whether it came out as the documentation says."""
        return self.finding is not None and self.finding.outcome == self.attack.expected


def main() -> int:
    """Try the attacks, and print the table; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", metavar="NAME", help="Try this one; may be given several times.")
    parser.add_argument("--list", action="store_true", help="Print the names, and try nothing.")
    parser.add_argument("--target", type=Path, help="A folder with a project of an earlier call, or for a new one.")
    parser.add_argument("--json", type=new_file)
    options = parser.parse_args()
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=WIDTH)
    chosen = choose_attacks(options.only)
    if options.list:
        for attack in chosen:
            console.print(f"{attack.name}: {attack.done} [{attack.expected}]", markup=False, soft_wrap=True)
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.target or Path(scratch) / "target"
        if all(attack.door in WITHOUT_RELEASE for attack in chosen):
            folder.mkdir(parents=True, exist_ok=True)
            target = Target(folder)
        else:
            target = find_target(folder, console)
        if any(attack.door == deliveries.DOOR for attack in chosen):
            console.print("Delivering its items again, in other guises: some two minutes", style="dim")
            deliveries.deliver_all(target)
        tried = [try_attack(attack, target, Path(scratch)) for attack in chosen]
    print_outcomes(tried, time.monotonic() - began, console)
    if options.json:
        options.json.write_text(format_json(tried))
    return 0 if all(one.is_as_said for one in tried) else 1


def print_outcomes(tried: list[Tried], seconds: float, console: Console) -> None:
    """Print the table, what came out otherwise than the page says, and how many were caught."""
    console.print(format_table(tried))
    wrong = [one for one in tried if not one.is_as_said]
    for one in wrong:
        came = one.error if one.finding is None else f"{one.finding.outcome}: {one.finding.words}"
        console.print(f"{one.attack.name}: expected {one.attack.expected}; {came}", style="red", markup=False)
    caught = sum(one.attack.expected in (Outcome.REFUSED, Outcome.COUNTED) for one in tried if one.is_as_said)
    console.print(
        f"{len(tried)} tried in {seconds:.0f} s: {caught} caught, "
        f"{sum(one.attack.expected == Outcome.TOLD for one in tried if one.is_as_said)} told, "
        f"{sum(one.attack.expected == Outcome.NOT_CAUGHT for one in tried if one.is_as_said)} not caught, "
        f"{len(wrong)} not as docs/attacks.md says."
    )


def format_json(tried: Iterable[Tried]) -> str:
    """Return what happened as JSON: a row an attack."""
    rows = [
        {"attack": one.attack.name, "expected": one.attack.expected, "error": one.error}
        | ({} if one.finding is None else one.finding._asdict())
        for one in tried
    ]
    return json.dumps(rows, indent=1) + "\n"


def choose_attacks(names: list[str] | None) -> list[Attack]:
    """Return the attacks of these names; all where none is named.

    Raises:
        SystemExit: There is no attack of a name.
    """
    known = {attack.name: attack for attack in ATTACKS}
    if unknown := [name for name in names or [] if name not in known]:
        raise SystemExit(f"{', '.join(unknown)}: no such attack; `python -m benchmarks.attacks --list` prints them")
    return [known[name] for name in names] if names else list(ATTACKS)


def find_target(folder: Path, console: Console) -> Target:
    """Return the project in a folder, made anew where none is there."""
    if (folder / "lake").is_dir():
        return Target(folder)
    console.print("Making a small project with a certified release: some two minutes", style="dim")
    return make_target(folder)


def try_attack(attack: Attack, target: Target, scratch: Path) -> Tried:
    """Try an attack on a copy of the project."""
    with copy_target(target, scratch / attack.name) as copy:
        try:
            finding = attack.attempt(copy)
        except Exception as error:  # whatever it is, it is no attack that was caught
            return Tried(attack, None, f"could not be tried: {type(error).__name__}: {error}")
        finding = finding._replace(words=finding.words.replace(f"{copy.folder}/", ""))
    if attack.expected == Outcome.PASSED and finding.outcome == Outcome.NOT_CAUGHT:
        finding = finding._replace(outcome=Outcome.PASSED)  # nothing was done, and nothing was found
    return Tried(attack, finding)


def format_table(tried: Iterable[Tried]) -> Table:
    """Return what happened as a table."""
    table = Table(title="Attacks on the proof", title_justify="left")
    for name in ("attack", "what is done", "what happened"):
        table.add_column(name, overflow="fold")
    for one in tried:
        said = one.error if one.finding is None else f"{one.finding.outcome}: {one.finding.words}"
        style = "red" if not one.is_as_said else STYLES.get(one.attack.expected, "magenta")
        table.add_row(one.attack.name, one.attack.done, f"[{style}]{_escape(said[:MOST_WORDS])}[/{style}]")
    return table


def _escape(text: str) -> str:
    return text.replace("[", r"\[")


if __name__ == "__main__":
    sys.exit(main())
