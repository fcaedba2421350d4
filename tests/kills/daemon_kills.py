"""Kills page, daemon, code servers, run worker and runs of a real deployment, again and again; a program of its own.

    python daemon_kills.py FOLDER SEED KILLS BATCHES

Deliveries, answers and late answers come into the inbox while everything is killed; whatever is dead is started again
as `make up` does, three times after a `make down`. At the end the lake is compared with one that `make run` made of the
same deliveries. Prints one JSON object.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import pyarrow as pa

from cupel.config.project import load_project
from cupel.lake import Lake
from cupel.release.verify import verify_release
from cupel.sources.inbox import arrivals
from cupel.sources.register import with_registered
from cupel.world import releases_of
from dagster_programs import free_port
from orchestration.deployment import REPOSITORY
from small_project import write_project

NAME = "small"
ITEMS = 40
SECONDS_TO_FINISH = 1_500
SECONDS_BETWEEN_KILLS = (0.3, 4.0)
SECONDS_FOR_A_WRITE = 3.0
FRESH_STARTS = 3
# How often each kind of process is aimed at. "database": whatever runs, while a database of Dagster's is written.
WEIGHTS = {"run": 6, "worker": 2, "database": 3, "code server": 2, "daemon": 2, "page": 1}


class Trial:
    """A deployment in a folder of its own, run by hand or by page and daemon."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home, self.port = folder, folder / "home", free_port()
        self.deployment = write_project(
            folder, NAME, items=ITEMS, raw={"deliveries": {}, "inbox": {"licence": "CC0-1.0"}},
            labeling={"answers": []}, release={"audit_size": 25, "error_budget": 0.2},
        )._replace(inbox=folder / "inbox")  # fmt: skip
        self.inbox = folder / "inbox" / NAME
        (self.inbox / "answers").mkdir(parents=True)
        self.home.mkdir()
        shutil.copy(REPOSITORY / "orchestration" / "dagster.yaml", self.home)
        source = self.deployment.data / NAME
        self._items = (source / "one.jsonl").read_text()
        self._answers = (source / "answers.csv").read_text()

    @property
    def environment(self) -> dict[str, str]:
        """What every program of the deployment is started with."""
        places = {
            "CUPEL_PROJECTS": self.deployment.projects, "CUPEL_DATA": self.deployment.data,
            "CUPEL_LAKE": self.deployment.lake, "CUPEL_INBOX": self.folder / "inbox", "DAGSTER_HOME": self.home,
        }  # fmt: skip
        return {**os.environ, **{name: str(place) for name, place in places.items()}, "PORT": str(self.port),
                "DAGSTER_DISABLE_TELEMETRY": "1", "GX_ANALYTICS_ENABLED": "false"}  # fmt: skip

    def deliver(self, batch: str) -> None:
        """Bring a delivery and its answers, those of experts among them."""
        self._put(self.inbox / f"{batch}.jsonl", self._items.replace(" w", f" {batch}w"))
        self._put(self.inbox / "answers" / f"{batch}.csv", self._answers.replace("one,", f"{batch},"))

    def answer_late(self, batch: str) -> None:
        """Bring another person's answers to a batch that is released already."""
        rows = [
            line.replace(",label,ann,", ",label,dan,") for line in self._answers.splitlines()[1:] if ",ann," in line
        ]
        header = self._answers.splitlines()[0]
        self._put(
            self.inbox / "answers" / f"{batch}-late.csv", "\n".join([header, *rows, ""]).replace("one,", f"{batch},")
        )

    def _put(self, path: Path, content: str) -> None:
        path.write_text(content)
        path.with_name(f"{path.name}.done").touch()

    def run(self) -> None:
        """Do what `make run` does."""
        self._command("orchestration.run", NAME)

    def up(self) -> None:
        self._command("orchestration.service", "up")

    def down(self) -> None:
        self._command("orchestration.service", "down")

    def _command(self, module: str, *arguments: str) -> None:
        command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{module} {' '.join(arguments)} ended with {done.returncode}: {done.stdout[-3000:]}")

    def is_released(self, batch: str) -> bool:
        """Tell whether a batch's first release has its manifest."""
        return Lake(self.deployment.lake, NAME).commit("manifest", f"{batch}-r1") is not None

    def processes(self) -> dict[str, list[int]]:
        """Return the processes of page and daemon, by what they are."""
        found: dict[str, list[int]] = {kind: [] for kind in WEIGHTS}
        mark = f"DAGSTER_HOME={self.home}".encode()
        workers = {}
        for number in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()):
            if number == os.getpid() or mark not in _read(number, "environ").split(b"\0"):
                continue
            command = _read(number, "cmdline").replace(b"\0", b" ")
            if b"webserver" in command:
                found["page"].append(number)
            elif b"run_worker" in command:
                workers[number] = int(_read(number, "stat").rpartition(b")")[2].split()[1] or 0)
            elif b"grpc" in command:
                found["code server"].append(number)
            elif b"daemon" in command:
                found["daemon"].append(number)
            elif b"execute_run" in command or b"multiprocessing" in command:
                found["run"].append(number)
        for number, parent in workers.items():
            found["run" if parent in workers else "worker"].append(number)
        return found

    def wait_for_write(self) -> None:
        """Return while a database of Dagster's is being written, or when nothing was for a while."""
        end, before = time.monotonic() + SECONDS_FOR_A_WRITE, self._journals()
        while time.monotonic() < end and self._journals() == before:
            time.sleep(0.001)

    def _journals(self) -> list[tuple[str, int]]:
        found = []
        for ending in ("-wal", "-journal"):
            for path in self.home.rglob(f"*{ending}"):
                try:
                    found.append((path.name, path.stat().st_mtime_ns))
                except FileNotFoundError:
                    continue
        return sorted(found)


def _read(number: int, name: str) -> bytes:
    try:
        return (Path("/proc") / str(number) / name).read_bytes()
    except OSError:
        return b""


def work(trial: Trial, batches: list[str]) -> Iterator[None]:
    """Bring work, one delivery after the other, late answers to every second; yield while something is going on."""
    for number, batch in enumerate(batches):
        trial.deliver(batch)
        while not trial.is_released(batch):
            yield
        if number % 2:
            trial.answer_late(batch)
    while not is_finished(trial, batches):
        yield


def is_finished(trial: Trial, batches: list[str]) -> bool:
    """Tell whether all that was brought is worked in: nothing in the inbox, no table behind the log."""
    lake = Lake(trial.deployment.lake, NAME)
    if arrivals(trial.inbox):
        return False
    return all(
        (commit := lake.commit("annotations", batch)) is not None
        and all(lake.version(name) == hash_ for name, hash_ in commit.inputs.items() if name.startswith("answers:"))
        and lake.is_fresh("tasks", batch, _code(lake, "tasks", batch))
        and lake.commit("manifest", f"{batch}-r1") is not None
        for batch in batches
    )


def _code(lake: Lake, table: str, batch: str) -> str:
    commit = lake.commit(table, batch)
    return "" if commit is None else commit.code_version


def state(trial: Trial, batches: list[str]) -> dict[str, str]:
    """Return what is in the lake for good, the same however it came about: releases, labels, who said what."""
    lake = Lake(trial.deployment.lake, NAME)
    folder = Path(trial.deployment.lake) / NAME
    lake.answers.verify(is_afresh=True)
    answers = lake.answers.read()
    ids = answers["answer_id"].to_pylist()
    found = {"answers that stand twice": str(len(ids) - len(set(ids)))}
    found["answers"] = hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
    project = with_registered(load_project(trial.deployment.projects / f"{NAME}.yaml"), lake)
    found["releases"] = " ".join(sorted(releases_of(lake, project)))
    for batch in batches:
        for table in ("raw_items", "clean_items", "labels"):
            rows = lake.read(table, batch)
            found[f"{table}/{batch}"] = f"{lake.version(f'{table}@{batch}')} {rows.num_rows}"
        release = folder / "releases" / f"{batch}-r1"
        found[f"{batch}-r1 verified"] = str(verify_release(release).is_passed)
        for path in sorted((release / "data").rglob("*.parquet")):
            found[f"{batch}-r1 {path.name}"] = hashlib.sha256(path.read_bytes()).hexdigest()
    assert isinstance(answers, pa.Table)
    return found


def run_undisturbed(folder: Path, batches: list[str]) -> dict[str, str]:
    """Return the state that `make run` leaves, the same things brought in the same order."""
    trial = Trial(folder)
    for _ in work(trial, batches):
        trial.run()
    return state(trial, batches)


def kill(trial: Trial, kind: str, rng: random.Random) -> str | None:
    """Kill a process of a kind; return what it was, None where there is none now."""
    if kind == "database":
        trial.wait_for_write()
    found = trial.processes()
    choice = [number for each in found.values() for number in each] if kind == "database" else found[kind]
    if not choice:
        return None
    number = rng.choice(choice)
    try:
        os.kill(number, signal.SIGKILL)
    except ProcessLookupError:
        return None
    return kind


def kills(folder: Path, seed: int, wanted: int, batches: int) -> dict[str, Any]:
    """Kill until there were so many kills, then let everything finish; compare."""
    rng, names = random.Random(seed), [f"b{number:02}" for number in range(batches)]
    expected = run_undisturbed(folder / "undisturbed", names)
    trial = Trial(folder / "killed")
    killed: Counter[str] = Counter()
    starts = 0
    began = time.monotonic()
    try:
        trial.up()
        going = work(trial, names)
        while killed.total() < wanted:
            time.sleep(rng.uniform(*SECONDS_BETWEEN_KILLS))
            if next(going, "finished") == "finished":
                break
            kind = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            if (what := kill(trial, kind, rng)) is not None:
                killed[what] += 1
            if starts < FRESH_STARTS and killed.total() > (starts + 1) * wanted / (FRESH_STARTS + 1):
                trial.down()
                starts += 1
            if (left := trial.processes()) and not (left["page"] and left["daemon"]):
                trial.up()
        faults = _wait(going)
    finally:
        trial.down()
    remains = [number for each in trial.processes().values() for number in each]
    found = state(trial, names)
    faults += sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    faults += [f"{len(remains)} processes run after make down"] if remains else []
    return {
        "kills": killed.total(), "what": killed, "fresh starts": starts, "faults": faults,
        "compared": len(expected), "seconds": round(time.monotonic() - began),
    }  # fmt: skip


def _wait(going: Iterator[None]) -> list[str]:
    end = time.monotonic() + SECONDS_TO_FINISH
    for _ in going:
        if time.monotonic() > end:
            return [f"not finished {SECONDS_TO_FINISH} s after the last kill"]
        time.sleep(1)
    return []


if __name__ == "__main__":
    place, *numbers = sys.argv[1:]
    modes: Callable[..., dict[str, Any]] = kills
    print(json.dumps(modes(Path(place), *map(int, numbers))))
