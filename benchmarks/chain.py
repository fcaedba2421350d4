"""How the chain grows: a made-up project of each size through all stages; seconds, memory, bytes, and exponents.

`python -m benchmarks.chain --rows 10000,100000 --json FILE` writes a list `sizes`, one entry a size:

- `rows`, `deliveries`; `seconds`, `cpu_seconds`, `peak_bytes` of the whole run in a process of its own;
- `stages`: of each stage `seconds`, `cpu_seconds`, `peak_bytes` and `rows_per_second`. Stages of the chain count the
  work of their steps, `gates` that of all gates; `answers`, `staleness`, `proposals` and `workforce` are what the
  rounds do between runs, `start` is imports, `dagster` what runs took beyond their steps, `other` the rest;
- `steps`: the same of each step;
- `shares`: of all processor time, what Dagster, Great Expectations (with its import) and the gates (with Great
  Expectations) took;
- `bytes`: of the deliveries, the recorded answers, and the lake by table;
- `rounds`, `runs`, `tasks_open`, `releases` with their status, `errors`;
- `stopped`: why a run did not come to its end (all above is then what it had used by then, `under_way` what it was
  at, and the last five are missing), else null; `load`: processes that wanted a processor, on average over the last
  quarter of an hour: with more of them than processors, `seconds` say little and `cpu_seconds` a little too much;

`growth`, for each two finished sizes that follow each other, by stage: the exponent of rows with which processor
seconds grow; and `machine`: processors, bytes of memory, system, and the versions of Python and Cupel.
"""

import argparse
import json
import math
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import cupel
from benchmarks.new_file import new_file
from benchmarks.synthetic import NAME
from cupel.store.files import put_file
from orchestration.deployment import REPOSITORY

ROWS_PER_DELIVERY = 1_000_000
STAGES = (
    "start", "workforce", "raw", "cleaning", "labeling", "checking", "tasks", "release", "report", "gates", "answers",
    "staleness", "proposals", "dagster", "other",
)  # fmt: skip
ENDED = ("rounds", "runs", "tasks_open", "releases", "errors")
ZERO = {"seconds": 0.0, "cpu_seconds": 0.0, "peak_bytes": 0}

Entry = dict[str, Any]


def measure(
    rows: int, rows_per_delivery: int, work: Path, console: Console, minutes: float | None = None,
    last_stage: str | None = None,
) -> Entry:  # fmt: skip
    """Write a project of so many rows, take it through the chain in a process of its own, and say what it used.

    Args:
        rows: Rows of all deliveries.
        rows_per_delivery: Most rows of one delivery.
        work: A folder for it; what an earlier run of this size left there is removed first.
        console: Where progress is shown.
        minutes: A run that takes longer is stopped; None: never.
        last_stage: The stage to end with, "raw" or "cleaning"; None for rounds of them all.
    """
    folder = work / str(rows)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "dagster").mkdir(parents=True)
    shutil.copy(REPOSITORY / "orchestration" / "dagster.yaml", folder / "dagster")
    console.print(f"{rows:,} rows: writing deliveries and answers")
    _child(folder, "benchmarks.synthetic", str(folder), str(rows), str(rows_per_delivery))
    console.print(f"{rows:,} rows: running the chain")
    told = folder / "found.json"
    last = [] if last_stage is None else [last_stage]
    stopped = _child(folder, "benchmarks.chain_run", str(folder), NAME, str(told), *last, minutes=minutes)
    found = json.loads(told.read_text(encoding="utf-8"))
    measured = entry(rows, math.ceil(rows / rows_per_delivery), found, stopped)
    return measured | {"load": os.getloadavg()[2], "bytes": sizes_of(folder)}


def entry(rows: int, deliveries: int, found: Entry, stopped: str | None = None) -> Entry:
    """Return what was measured of one size, by stage and step; `found` is what `chain_run.run` told."""
    parts = found["parts"]
    steps = {name.removeprefix("step:"): used for name, used in parts.items() if name.startswith("step:")}
    own = [name for name in parts if name in STAGES]
    stages = {name: parts[name] for name in own}
    for name, used in steps.items():
        stage = name.partition(":")[0]
        stages[stage] = _sum([stages.get(stage, ZERO), used])
    in_steps = _sum(steps.values())
    stages["dagster"] = _less(parts.get("runs", ZERO), in_steps)
    whole = _sum([parts["start"], parts.get("all", ZERO)])
    stages["other"] = _less(whole, _sum(stages.values()))
    cpu = whole["cpu_seconds"]
    taken = {
        "dagster": stages["dagster"]["cpu_seconds"],
        "great_expectations": parts.get("great expectations", ZERO)["cpu_seconds"],
        "gates": stages.get("gates", ZERO)["cpu_seconds"],
    }
    return {
        "rows": rows,
        "deliveries": deliveries,
        "seconds": whole["seconds"],
        "cpu_seconds": cpu,
        "peak_bytes": found["peak_bytes"],
        "stages": {name: _with_speed(stages[name], rows) for name in STAGES if name in stages},
        "steps": {name: _with_speed(used, rows) for name, used in steps.items()},
        "shares": {name: seconds / cpu for name, seconds in taken.items()},
        **{name: found[name] for name in ENDED if name in found},
        "stopped": stopped,
        "under_way": found["under_way"],
    }


def growth(entries: list[Entry]) -> list[Entry]:
    """Return, for each two sizes that follow each other, the exponent of rows with which each stage's seconds grow.

    1 is in proportion to the rows, 2 with their square; a stage under a tenth of a second says nothing.
    """
    found = []
    finished = [one for one in entries if one["stopped"] is None]
    for small, large in pairwise(sorted(finished, key=lambda one: int(one["rows"]))):
        ratio = math.log(large["rows"] / small["rows"])
        pairs = {
            name: (small["stages"][name], used) for name, used in large["stages"].items() if name in small["stages"]
        }
        exponents = {
            name: math.log(after["cpu_seconds"] / before["cpu_seconds"]) / ratio
            for name, (before, after) in pairs.items()
            if min(before["cpu_seconds"], after["cpu_seconds"]) >= 0.1
        }
        found.append({"from": small["rows"], "to": large["rows"], "exponents": exponents})
    return found


def sizes_of(folder: Path) -> Entry:
    """Return the bytes of the deliveries, of the recorded answers, and of the lake by table."""
    data, lake = folder / "data" / NAME, folder / "lake" / NAME
    tables = {path.name: _bytes(path) for path in sorted((lake / "tables").glob("*"))}
    return {
        "delivered": sum(path.stat().st_size for path in data.glob("*.jsonl")),
        "recorded_answers": sum(path.stat().st_size for path in data.glob("*.parquet")),
        "lake": _bytes(lake),
        "answers_log": _bytes(lake / "answers"),
        "releases": _bytes(lake / "releases"),
        "tables": tables,
    }


def main() -> int:
    """Measure each size, print a table, write the file; 1 when a run broke or was stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=_numbers, required=True, help="rows, or several numbers with commas")
    parser.add_argument("--json", type=new_file, required=True, help="file to write")
    parser.add_argument("--rows-per-delivery", type=int, default=ROWS_PER_DELIVERY)
    parser.add_argument("--minutes", type=float, help="stop a run that takes longer, and say how far it came")
    parser.add_argument("--until", choices=["raw", "cleaning"], help="stop after this stage: one round, no labels")
    parser.add_argument("--work", type=Path, help="folder to work in, which is kept; a temporary one by default")
    arguments = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 150)
    entries: list[Entry] = []
    with tempfile.TemporaryDirectory() as temporary:
        for rows in arguments.rows:
            work = arguments.work or Path(temporary)
            entries.append(
                measure(rows, arguments.rows_per_delivery, work.resolve(), console, arguments.minutes, arguments.until)
            )
            content = {"sizes": entries, "growth": growth(entries), "machine": machine()}
            put_file(arguments.json, (json.dumps(content, indent=1) + "\n").encode())
    _print(console, entries)
    return 1 if any(one["stopped"] or one["errors"] for one in entries) else 0


def machine() -> Entry:
    """Return what the figures were measured on."""
    return {
        "processors": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cupel": cupel.__version__,
    }


def _child(folder: Path, module: str, *arguments: str, minutes: float | None = None) -> str | None:
    """Run a module in a process of its own, whose memory is its own; return why it was stopped, else None."""
    environment = {**os.environ, "DAGSTER_HOME": str(folder / "dagster"), "DAGSTER_DISABLE_TELEMETRY": "1"}
    command, limit = [sys.executable, "-m", module, *arguments], None if minutes is None else 60 * minutes
    try:
        code = subprocess.run(command, check=False, cwd=REPOSITORY, env=environment, timeout=limit).returncode
    except subprocess.TimeoutExpired:
        return f"after {minutes:g} minutes"
    if code > 0:
        raise subprocess.CalledProcessError(code, command)
    return f"by {signal.Signals(-code).name}" if code else None


def _numbers(text: str) -> list[int]:
    return sorted({int(part) for part in text.split(",")})


def _sum(parts: Iterable[Entry]) -> Entry:
    found = dict(ZERO)
    for part in parts:
        found = {
            name: max(found[name], part[name]) if name == "peak_bytes" else found[name] + part[name] for name in ZERO
        }
    return found


def _less(whole: Entry, part: Entry) -> Entry:
    times = {name: max(0.0, whole[name] - part[name]) for name in ("seconds", "cpu_seconds")}
    return {**times, "peak_bytes": whole["peak_bytes"]}


def _with_speed(used: Entry, rows: int) -> Entry:
    return used | {"rows_per_second": rows / used["seconds"] if used["seconds"] else None}


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _print(console: Console, entries: list[Entry]) -> None:
    exponents = {found["to"]: found["exponents"] for found in growth(entries)}
    for one in entries:
        title = f"{one['rows']:,} rows in {one['deliveries']} deliveries"
        table = Table(title=title, caption=_caption(one))
        table.add_column("stage")
        for name in ("seconds", "processor s", "largest memory MB", "rows per second", "exponent"):
            table.add_column(name, justify="right")
        for name, used in one["stages"].items():
            exponent = exponents.get(one["rows"], {}).get(name)
            speed = "" if used["rows_per_second"] is None else f"{used['rows_per_second']:,.0f}"
            table.add_row(
                name, f"{used['seconds']:.1f}", f"{used['cpu_seconds']:.1f}", f"{used['peak_bytes'] / 1e6:,.0f}",
                speed, "" if exponent is None else f"{exponent:.2f}",
            )  # fmt: skip
        table.add_section()
        table.add_row("all", f"{one['seconds']:.1f}", f"{one['cpu_seconds']:.1f}", f"{one['peak_bytes'] / 1e6:,.0f}")
        console.print(table)
        if one["stopped"]:
            console.print(f"stopped {one['stopped']}, at {' > '.join(one['under_way'])}", style="red", markup=False)
        for error in one.get("errors", []):
            console.print(error, style="red", markup=False)


def _caption(one: Entry) -> str:
    shares = ", ".join(f"{name.replace('_', ' ')} {100 * share:.1f}%" for name, share in one["shares"].items())
    releases = ", ".join(f"{release} {status}" for release, status in one.get("releases", {}).items())
    lake, delivered = one["bytes"]["lake"] / 1e6, one["bytes"]["delivered"] / 1e6
    said = [f"of all processor time: {shares}", f"lake {lake:,.0f} MB of {delivered:,.0f} MB delivered"]
    return "\n".join([*said, releases or "no release"])


if __name__ == "__main__":
    sys.exit(main())
