"""Tried attacks: each attack of docs/attacks.md, what that page says of it, and what happened when it was tried."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.attacks.__main__ import ATTACKS
from benchmarks.attacks.attack import Outcome
from cupel.errors import CupelError
from cupel.store.files import put_file

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "attacks.md"
# What the outcome of an attack hangs on: the code, and the packages that it runs on.
SOURCES = ("cupel", "assets", "expectations", "orchestration", "benchmarks/attacks")
WAIT_SECONDS = 5.0
ROW = re.compile(r"^\| `([a-z0-9-]+)` \| (passed|refused|counted|told|not caught) \| (.+) \|$", re.MULTILINE)
# How outcomes are called on the page.
VERDICTS = {
    Outcome.NOT_CAUGHT: "not caught",
    Outcome.TOLD: "told",
    Outcome.REFUSED: "caught",
    Outcome.COUNTED: "caught",
    Outcome.PASSED: "control",
}
UNKNOWN = "could not be tried"


class ShownAttack(NamedTuple):
    """An attack as the page shows it; `notes` are the page of attacks' further words, each with its heading."""

    name: str
    door: str
    done: str
    verdict: str
    words: str
    notes: tuple[tuple[str, str], ...]
    is_as_said: bool


def find_results(folder: Path) -> Path:
    """Return where the results of attacks on this very code are kept, or are to be."""
    digest = hashlib.sha256((ROOT / "requirements.lock").read_bytes())
    for source in SOURCES:
        for path in sorted((ROOT / source).rglob("*.py")):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return folder / f"attacks-{digest.hexdigest()[:12]}.json"


def start_attacks(results: Path) -> subprocess.Popen[bytes]:
    """Start trying all attacks in a process of its own, which writes the results when it is done."""
    _unfinished(results).unlink(missing_ok=True)
    command = [sys.executable, "-m", "benchmarks.attacks", "--json", str(_unfinished(results))]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish_attacks(process: subprocess.Popen[bytes], results: Path) -> None:
    """Wait for the attacks, and keep their results.

    Raises:
        CupelError: There are none.
    """
    _, said = process.communicate()
    try:
        put_file(results, _unfinished(results).read_bytes())
    except FileNotFoundError:
        last = (said.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
        raise CupelError(f"the attacks could not be tried: {last}; run `make attacks` to see why") from None
    _unfinished(results).unlink()


def end_attacks(process: "subprocess.Popen[bytes] | None") -> None:
    """End the attacks where they are still at work, because something else failed."""
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(WAIT_SECONDS)
    except subprocess.TimeoutExpired:  # a run of the chain holds signals back
        process.kill()
        process.wait()


def read_results(results: Path) -> list[dict[str, Any]]:
    """Return what happened, a row an attack."""
    found: list[dict[str, Any]] = json.loads(results.read_text())
    return found


def shown_attacks(results: list[dict[str, Any]]) -> list[ShownAttack]:
    """Return all attacks in the order of their doors.

    Args:
        results: Rows with attack, expected, error, outcome and words, as `benchmarks.attacks` writes them. An attack
            without a row, or with an error, could not be tried, whatever was expected.
    """
    rows, notes = {row["attack"]: row for row in results}, read_notes(PAGE.read_text(encoding="utf-8"))
    shown = []
    for attack in ATTACKS:
        row: Mapping[str, Any] = rows.get(attack.name, {"error": "there is no result of it"})
        outcome = row.get("outcome")
        verdict = UNKNOWN if outcome is None else VERDICTS[Outcome(outcome)]
        words = row["error"] if outcome is None else row["words"]
        is_as_said = outcome == attack.expected
        shown.append(ShownAttack(attack.name, attack.door, attack.done, verdict, words, notes[attack.name], is_as_said))
    return shown


def read_notes(page: str) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return what the page of attacks says of each beyond its outcome: cells under their headings."""
    found = {}
    for name, outcome, rest in ROW.findall(page):
        cells = rest.split(" | ")
        headings = {"not caught": ("why", "what helps"), "told": ("", "where it is told")}.get(outcome, ())
        found[name] = tuple((heading, cell) for heading, cell in zip(headings, cells, strict=False) if heading)
    return found


def _unfinished(results: Path) -> Path:
    return results.with_suffix(".unfinished")
