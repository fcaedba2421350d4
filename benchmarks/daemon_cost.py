"""What the daemon costs beside `make run`: processor time of all its processes for the same deliveries.

Deliveries of a few hundred rows are dropped into an inbox at once, with recorded answers of a crew and of experts. Two
of every twelve batches are labelled badly and are refused, one by a gate and one by its audit. Answers that come late
are dropped when the first releases are finished: a fourth annotator's for batches that were released, and experts' for
batches that wait for them. `make run` does it in two runs, before and after these; then the daemon does the same alone
in a fresh lake, until nothing is out of date, asked or running, while the page is asked what its own pages ask. Counted
is the processor time of all processes that each started. The tables and the release files of both are compared.

    .venv/bin/python -m benchmarks.daemon_cost --json FILE [--deliveries 60] [--rows 200]
"""

import argparse
import ctypes
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from rich.console import Console

from benchmarks.new_file import new_file
from cupel.contract.stages import project_steps
from cupel.contract.tables import TABLES
from cupel.intake.alerts import read_alerts
from cupel.intake.collect_inputs import current_project, releases_of
from cupel.lake.gates import batch_state
from cupel.lake.lake import Lake
from cupel.release.plan import is_finished
from cupel.release.reported import is_reported
from cupel.sources.inbox import arrivals
from cupel.store.files import hash_file, put_file
from orchestration import service
from orchestration.deployment import REPOSITORY, Deployment
from orchestration.freshness import why_stale
from orchestration.service_health import ask_page

NAME = "small"
WORDS = {"warm": "sun fire summer ember desert lava toast candle", "cold": "ice snow winter glacier frost arctic hail"}
FILLER = "the of and a was near under over with some many few old new bright dark small large one two three"
CREW = ("ann", "bob", "cy")
# Of every twelve batches one is refused by the gate of labeling, and one by the audit of its release.
CREW_ERROR, BAD_CREW_ERRORS = 0.1, {5: 0.4, 11: 0.25}
SUBREAPER = 36
SECONDS_BETWEEN_LOOKS = 2
PAGE = {
    "assets": "{assetNodes {assetKey {path} groupName partitionDefinition {name}}}",
    "runs": "{runsOrError(limit: 50) {... on Runs {results {runId status jobName tags {key value} endTime}}}}",
    "partitions": '{assetNodeOrError(assetKey: {path: ["small", "labels"]}) {... on AssetNode '
    "{partitionKeys assetPartitionStatuses {__typename}}}}",
}


class Input(NamedTuple):
    """What is dropped: deliveries and answers at first, and answers that come late; the batches these are for."""

    first: dict[str, str]
    late: dict[str, str]
    released_before: list[str]


def main() -> None:
    """Measure, print, and write the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=new_file, help="a new file for the figures")
    parser.add_argument("--deliveries", type=int, default=60, help="how many are dropped at once (default: 60)")
    parser.add_argument("--rows", type=int, default=200, help="rows of each (default: 200)")
    parser.add_argument("--minutes", type=float, default=60, help="how long the daemon may take (default: 60)")
    parser.add_argument("--keep", type=Path, help="a folder to work in and to leave behind")
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)  # what a process that ends leaves behind is counted too
    inputs = make_input(options.deliveries, options.rows)
    with tempfile.TemporaryDirectory() as scratch:
        place = options.keep or Path(scratch)
        place.mkdir(exist_ok=True)
        run = measure_run(deploy(place / "run"), inputs)
        daemon = measure_daemon(deploy(place / "daemon"), inputs, options.minutes * 60)
        figures = {"deliveries": options.deliveries, "rows": options.rows, "run": run, "daemon": daemon}
        figures["daemon_to_run"] = round(daemon["cpu_seconds"] / run["cpu_seconds"], 2)
        figures |= compare(place / "run", place / "daemon")
    print(json.dumps(figures, indent=1))
    if options.json:
        put_file(options.json, (json.dumps(figures, indent=1) + "\n").encode())


def make_input(deliveries: int, rows: int, seed: int = 5) -> Input:
    """Make the deliveries and all answers; of every twelve batches one gets late labels, one late experts."""
    rng = random.Random(seed)
    head = "batch,item_id,purpose,annotator,label\n"
    first, answers, late = {}, [head], [head]
    names = [f"d{number:03d}" for number in range(deliveries)]
    relabelled, awaited = names[1::12], names[4::12]
    for number, name in enumerate(names):
        error = BAD_CREW_ERRORS.get(number % 12, CREW_ERROR)
        lines = []
        for row in range(rows):
            truth, wrong = rng.sample(sorted(WORDS), 2)
            words = [
                *rng.sample(WORDS[truth].split(), 2),
                *rng.sample(FILLER.split(), 8),
                *(f"w{rng.randrange(100_000)}" for _ in range(4)),
            ]
            rng.shuffle(words)
            lines.append(json.dumps({"id": f"i{row}", "text": " ".join(words)}))
            answers += [f"{name},i{row},label,{who},{wrong if rng.random() < error else truth}\n" for who in CREW]
            (late if name in awaited else answers).append(f"{name},i{row},expert,eve,{truth}\n")
            if name in relabelled and row % 10 == 0:
                late.append(f"{name},ghost{row},label,dora,{truth}\n")
        first[f"{name}.jsonl"] = "\n".join(lines) + "\n"
    first["answers/crew.csv"] = "".join(answers)
    return Input(first, {"answers/late.csv": "".join(late)}, relabelled)


def deploy(folder: Path) -> Deployment:
    """Write an empty deployment whose deliveries come through the inbox."""
    (folder / "projects").mkdir(parents=True)
    project = {
        "project": NAME, "title": "Warm or cold", "owner": "team@example.org",
        "raw": {"inbox": {"licence": "CC0-1.0"}},
        "labeling": {
            "question": "Warm or cold?", "classes": sorted(WORDS), "overlap": {"first": 2, "most": 3},
            "experts": {"answers": 1, "description": "one expert"},
        },
        "release": {"error_budget": 0.1, "audit_size": 60, "max_experts_seen_share": 0.6},
    }  # fmt: skip
    (folder / "projects" / f"{NAME}.yaml").write_text(yaml.safe_dump(project))
    (folder / "home").mkdir()
    (folder / "home" / "dagster.yaml").write_bytes((REPOSITORY / "orchestration" / "dagster.yaml").read_bytes())
    for name in ("data", "inbox"):
        (folder / name).mkdir()
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"), folder / "inbox")


def drop(deployment: Deployment, files: dict[str, str]) -> None:
    """Put files into the inbox, each whole."""
    inbox = Path(str(deployment.inbox)) / NAME
    for name, content in files.items():
        path = inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f".{path.name}").write_text(content)
        path.with_name(f".{path.name}").rename(path)
        path.with_name(f"{path.name}.done").touch()


def measure_run(deployment: Deployment, inputs: Input) -> dict[str, Any]:
    """Let `make run` do it, and return its processor time."""
    used, began = 0.0, time.monotonic()
    for files in (inputs.first, inputs.late):
        drop(deployment, files)
        process = subprocess.Popen(
            [sys.executable, "-m", "orchestration.run", NAME], env=environment(deployment), cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"make run ended with {os.waitstatus_to_exitcode(status)}")
        used += usage.ru_utime + usage.ru_stime
    return {"cpu_seconds": round(used, 1), "seconds": round(time.monotonic() - began, 1)}


def measure_daemon(deployment: Deployment, inputs: Input, seconds: float) -> dict[str, Any]:
    """Let the daemon do it, and return the processor time of it and of the page, and how long the page took."""
    os.environ.update(environment(deployment))
    home, port = Path(os.environ["DAGSTER_HOME"]), 3900 + os.getpid() % 90
    said = io.StringIO()
    if service.up(home, port, Console(file=said)):
        raise SystemExit(said.getvalue())
    sessions = {name: service._find_running(home, name).number for name in ("daemon", "page")}  # type: ignore[union-attr]
    meter = Meter(sessions)
    start, began = meter.read(), time.monotonic()
    watch = threading.Event()
    times: dict[str, list[float]] = {name: [] for name in PAGE}
    asking = threading.Thread(target=ask_again_and_again, args=(port, watch, times))
    asking.start()
    try:
        drop(deployment, inputs.first)
        is_late, end = False, began + seconds
        while not (is_late and is_done(deployment, home)):
            if not is_late and are_released(deployment, inputs.released_before):
                drop(deployment, inputs.late)
                is_late = True
            if time.monotonic() > end:
                raise SystemExit(f"the daemon is not done after {seconds:.0f} s")
            time.sleep(SECONDS_BETWEEN_LOOKS)
            meter.reap()
        used, took = meter.read(), time.monotonic() - began
        watch.set()
        asking.join()
        processes = meter.by_program()
    finally:
        watch.set()
        service.down(home, Console(file=said))
    daemon, page = (used[name] - start[name] for name in ("daemon", "page"))
    return {
        "cpu_seconds": round(daemon, 1), "page_cpu_seconds": round(page, 1), "seconds": round(took, 1),
        "before_cpu_seconds": {name: round(value, 1) for name, value in start.items()},
        "by_program": processes, "runs": count_runs(home), "alerts": len(read_alerts(Lake(deployment.lake, NAME))),
        "page_seconds": {
            name: {"asked": len(found), "median": round(statistics.median(found), 3), "most": round(max(found), 3)}
            for name, found in times.items()
        },
    }  # fmt: skip


class Meter:
    """Processor time of sessions: of all their processes that live, and of those that ended.

    Args:
        sessions: The sessions' numbers, by name.
    """

    def __init__(self, sessions: dict[str, int]) -> None:
        self._sessions = sessions
        self._ended = dict.fromkeys(sessions, 0.0)

    def read(self) -> dict[str, float]:
        """Return the seconds of each session so far, those of ended processes as told by who waited for them."""
        self.reap()
        found = dict(self._ended)
        for name, session in self._sessions.items():
            found[name] += sum(seconds for at, seconds, _, _ in self._processes() if at == session)
        return found

    def by_program(self) -> dict[str, float]:
        """Return the seconds of the processes that live now, with the children that they waited for."""
        found: dict[str, float] = {}
        for session, seconds, number, _ in self._processes():
            name = next((name for name, of in self._sessions.items() if of == session), None)
            if name is not None:
                words = Path(f"/proc/{number}/cmdline").read_bytes().decode().split("\0")
                program = " ".join([Path(words[1] if len(words) > 1 else words[0]).name, *words[2:5]])
                found[f"{name}: {program} {number}"] = round(seconds, 1)
        return found

    def reap(self) -> None:
        """Take in what ended and was left to us, because who had started it had ended before."""
        mine = set(self._sessions.values())
        for session, seconds, number, words in list(self._processes()):
            if words[0] == "Z" and int(words[1]) == os.getpid() and number not in mine:
                name = next((name for name, of in self._sessions.items() if of == session), None)
                os.waitpid(number, 0)
                if name is not None:
                    self._ended[name] += seconds

    @staticmethod
    def _processes() -> Iterator[tuple[int, float, int, list[str]]]:
        tick = os.sysconf("SC_CLK_TCK")
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                try:
                    words = (folder / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                yield int(words[3]), sum(map(int, words[11:15])) / tick, int(folder.name), words


def ask_again_and_again(port: int, end: threading.Event, times: dict[str, list[float]]) -> None:
    """Ask the page what its own pages ask, every few seconds."""
    while not end.is_set():
        for name, query in PAGE.items():
            began = time.perf_counter()
            ask_page(port, query)
            times[name].append(time.perf_counter() - began)
        end.wait(5)


def are_released(deployment: Deployment, batches: list[str]) -> bool:
    """Tell whether the first releases of some batches are finished."""
    lake = Lake(deployment.lake, NAME)
    return all(is_finished(lake, f"{batch}-r1") for batch in batches)


def is_done(deployment: Deployment, home: Path) -> bool:
    """Tell whether nothing is left: in the inbox, out of date, to report, or running."""
    lake = Lake(deployment.lake, NAME)
    if arrivals(Path(str(deployment.inbox)) / NAME) or count_runs(home)["unfinished"]:
        return False
    project = current_project(deployment.projects, lake)
    releases = releases_of(lake, project)
    batches, steps = list(project.raw.deliveries), project_steps(project, "batch")
    refused = {name for name in batches if batch_state(lake, name, project).outcome == "fail"}
    released = {name.rpartition("-r")[0] for name in releases}
    return (
        bool(releases)
        and released | refused == set(batches)
        and all(is_finished(lake, name) and is_reported(lake, name) for name in releases)
        and not any(why_stale(lake, project, deployment.data, name, steps) for name in batches)
    )


def count_runs(home: Path) -> dict[str, int]:
    """Return how many runs there were, by job and status."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(home / "history" / "runs.db", timeout=30)) as connection:
        rows = connection.execute("SELECT pipeline_name, status, count(*) FROM runs GROUP BY 1, 2").fetchall()
    found = {f"{job} {status}": count for job, status, count in rows}
    ended = ("SUCCESS", "FAILURE", "CANCELED")
    found["unfinished"] = sum(count for _, status, count in rows if status not in ended)
    return found


def environment(deployment: Deployment) -> dict[str, str]:
    """Return the environment of a deployment's processes."""
    places = {
        "CUPEL_PROJECTS": deployment.projects, "CUPEL_DATA": deployment.data, "CUPEL_LAKE": deployment.lake,
        "CUPEL_INBOX": deployment.inbox, "DAGSTER_HOME": deployment.projects.parent / "home",
        "DAGSTER_DISABLE_TELEMETRY": "1", "GX_ANALYTICS_ENABLED": "false",
    }  # fmt: skip
    return {**os.environ, **{name: str(place) for name, place in places.items()}}


def compare(one: Path, other: Path) -> dict[str, Any]:
    """Compare the tables of two lakes by their hashes, and the data of their releases by their bytes."""
    lakes = [Lake(str(folder / "lake"), NAME) for folder in (one, other)]
    tables = [
        {
            f"{table}@{name}": commit.hash
            for table in TABLES for name in lake.partitions(table) if (commit := lake.commit(table, name))
        }
        for lake in lakes
    ]  # fmt: skip
    roots = [Path(str(lake.folder)) / "releases" for lake in lakes]
    files = [
        {str(path.relative_to(root)): hash_file(path) for path in sorted(root.glob("*/data/*")) if path.is_file()}
        for root in roots
    ]
    different = sorted(name for name in {**tables[0], **tables[1]} if tables[0].get(name) != tables[1].get(name))
    return {
        "tables": len(tables[0]), "different_tables": len(different),
        "kinds_of_different_tables": sorted({name.partition("@")[0] for name in different}),
        "release_files": len(files[0]), "are_release_files_the_same": files[0] == files[1],
    }  # fmt: skip


if __name__ == "__main__":
    main()
