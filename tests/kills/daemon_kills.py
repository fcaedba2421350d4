"""Kills page, daemon, code servers, run worker and runs of a real deployment, again and again; a program of its own.

    python daemon_kills.py FOLDER SEED KILLS BATCHES

Deliveries come into the inbox, and experts' answers when an audit waits for them, while everything is killed; what is
dead is started again as `make up` does, three times after a `make down`. At the end the lake is compared with one that
`make run` made of the same deliveries. Prints one JSON object.
"""

import hashlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from daemon_place import WORDS, Place

from cupel.intake.collect_inputs import releases_of
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.release.verify import verify_release
from cupel.sources.inbox import arrivals
from cupel.sources.register import with_registered
from small_project import write_project

NAME = "small"
ITEMS = 40
SECONDS_TO_FINISH = 1_500
SECONDS_BETWEEN_KILLS = (0.3, 4.0)
SECONDS_FOR_A_WRITE = 3.0
FRESH_STARTS = 3
# How often each kind of process is aimed at. "database": whatever runs, while a database of Dagster's is written.
WEIGHTS = {"run": 6, "worker": 2, "database": 3, "code server": 2, "daemon": 2, "page": 1}


class Trial(Place):
    """A deployment whose deliveries and answers come one after the other."""

    def __init__(self, folder: Path) -> None:
        deployment = write_project(
            folder, NAME, items=ITEMS, raw={"deliveries": {}, "inbox": {"licence": "CC0-1.0"}},
            labeling={"answers": []}, release={"audit_size": 25, "error_budget": 0.2},
        )._replace(inbox=folder / "inbox")  # fmt: skip
        super().__init__(deployment, folder / "home")
        self.inbox = folder / "inbox" / NAME
        (self.inbox / "answers").mkdir(parents=True)
        source = deployment.data / NAME
        self._items = (source / "one.jsonl").read_text()
        self._answers = (source / "answers.csv").read_text()

    def deliver(self, batch: str) -> None:
        """Bring a delivery and the answers of annotators."""
        self._put(self.inbox / f"{batch}.jsonl", self._items.replace(" w", f" {batch}w"))
        self._answer(batch, "label")

    def answer_as_experts(self, batch: str) -> None:
        """Bring the answers of experts, which an audit waits for."""
        self._answer(batch, "expert")

    def _answer(self, batch: str, purpose: str) -> None:
        header, *rows = self._answers.splitlines()
        chosen = [row for row in rows if f",{purpose}," in row]
        content = "\n".join([header, *chosen, ""]).replace("one,", f"{batch},")
        self._put(self.inbox / "answers" / f"{batch}-{purpose}.csv", content)

    def _put(self, path: Path, content: str) -> None:
        path.write_text(content)
        path.with_name(f"{path.name}.done").touch()

    def has(self, table: str, batch: str) -> bool:
        """Tell whether a batch's first release has a table."""
        return Lake(self.deployment.lake, NAME).commit(table, f"{batch}-r1") is not None

    def wait_for_write(self) -> None:
        """Return while a database of Dagster's is being written, or when nothing was for a while."""
        end, before = time.monotonic() + SECONDS_FOR_A_WRITE, self._journals()
        while time.monotonic() < end and self._journals() == before:
            time.sleep(0.001)

    def _journals(self) -> list[tuple[str, int]]:
        found = []
        for ending in ("-wal", "-journal"):
            for path in self.home.rglob(f"*{ending}"):
                with suppress(FileNotFoundError):
                    found.append((path.name, path.stat().st_mtime_ns))
        return sorted(found)


def work(trial: Trial, batches: list[str]) -> Iterator[None]:
    """Bring work, one delivery after the other; yield while something is going on."""
    for batch in batches:
        trial.deliver(batch)
        while not trial.has("release_plan", batch):
            yield
        trial.answer_as_experts(batch)
        while not trial.has("manifest", batch):
            yield
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
    return found


def run_undisturbed(folder: Path, batches: list[str]) -> dict[str, str]:
    """Return the state that `make run` leaves, the same things brought in the same order."""
    trial = Trial(folder)
    for _ in work(trial, batches):
        trial.command("orchestration.run", NAME)
    return state(trial, batches)


def find_faults(trial: Trial, batches: list[str], expected: dict[str, str]) -> list[str]:
    """Return what differs from the expected state after `make down`, and whether anything still runs."""
    remains, found = trial.processes(), state(trial, batches)
    faults = sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))
    return faults + ([f"{len(remains)} processes run after make down"] if remains else [])


def kill(trial: Trial, kind: str, rng: random.Random) -> bool:
    """Kill a process of a kind, or whatever runs while a database is written; tell whether there was one."""
    if kind == "database":
        trial.wait_for_write()
        return trial.kill(rng.choice([what for what in WORDS if trial.find(what)] or ["daemon"]), rng)
    return trial.kill(kind, rng)


def kills(folder: Path, seed: int, wanted: int, batches: int) -> dict[str, Any]:
    """Kill until there were so many kills, then let everything finish; compare."""
    rng, names = random.Random(seed), [f"b{number:02}" for number in range(batches)]
    expected = run_undisturbed(folder / "undisturbed", names)
    trial = Trial(folder / "killed")
    killed: Counter[str] = Counter()
    starts = 0
    began = time.monotonic()
    try:
        trial.serve("up")
        going = work(trial, names)
        while killed.total() < wanted:
            time.sleep(rng.uniform(*SECONDS_BETWEEN_KILLS))
            if next(going, "finished") == "finished":
                break
            kind = rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            killed[kind] += kill(trial, kind, rng)
            if starts < FRESH_STARTS and killed.total() > (starts + 1) * wanted / (FRESH_STARTS + 1):
                trial.serve("down")
                starts += 1
            if not (trial.find("page") and trial.find("daemon")):
                trial.serve("up")
        faults = _wait(going)
    finally:
        trial.serve("down")
    faults += find_faults(trial, names, expected)
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
    seed, wanted, batches = map(int, numbers)
    print(json.dumps(kills(Path(place), seed, wanted, batches), indent=1))
