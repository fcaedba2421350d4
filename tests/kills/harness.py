"""Runs a small project and kills it, again and again; started as a program of its own, so that it may fork.

    python harness.py FOLDER kills SEED KILLS    kill at changes of the disk and at any time, resume, compare
    python harness.py FOLDER recorded SEED KILLS the same, with Dagster's record on disk and killed too
    python harness.py FOLDER full_disk           let the disk be full again and again, at another place each time
    python harness.py FOLDER at_once             two runs at the same time
    python harness.py FOLDER pruned SEED KILLS   kill prunes of a finished project, prune to the end, run

Prints one JSON object. A process that forks should have no threads, so nothing here computes before it forks.
"""

import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

# What a child would have to import.
import dagster as dg
import great_expectations  # noqa: F401
import jinja2  # noqa: F401
import matplotlib.backends.backend_svg
import matplotlib.figure  # noqa: F401
import pyarrow as pa
import sklearn.feature_extraction.text
import sklearn.linear_model  # noqa: F401
from dying import BROKEN, FINISHED, Aim, Ended, aims, in_child, watched

from cupel.contract.tables import TABLES
from cupel.contract.tables.answers import ANSWERS
from cupel.kinds.projects import load_project
from cupel.lake.answer_chain import GIVEN
from cupel.lake.lake import Lake
from cupel.release.verify import verify_release
from cupel.sources.register import Register
from expectations import judge
from orchestration.deployment import REPOSITORY, Deployment
from orchestration.prune import prune
from orchestration.rounds import Rounds
from orchestration.runs import IN_PROGRESS_RUN_STATUSES
from small_project import write_project

# How far kills at any time come in all, in whole runs: over one, for what they cut off is done again.
AHEAD = 1.6


class Trial(NamedTuple):
    """One deployment that is run, killed and run again; `home` is Dagster's record on disk, None for memory."""

    deployment: Deployment
    home: Path | None = None

    def run(self) -> int:
        """Do what `make run` does."""
        if self.home is None:
            with dg.DagsterInstance.ephemeral() as instance:
                return self._rounds(instance)
        with dg.DagsterInstance.from_config(str(self.home)) as instance:
            return self._rounds(instance)

    def _rounds(self, instance: dg.DagsterInstance) -> int:
        done = Rounds(load_project(self.deployment.projects / "small.yaml"), self.deployment, instance).run()
        for broken in done.broken:
            os.write(2, f"{broken.error}\n".encode())
        if done.broken:
            return BROKEN
        Lake(self.deployment.lake, "small").write_catalog()
        return FINISHED

    def end(self, aim: Aim | None = None, seconds: float | None = None) -> Ended:
        """Run in a child, until it has finished or is killed."""
        return watched(self.run, self.deployment.lake, aim, seconds)

    def state(self) -> dict[str, str]:
        """Return what is in the lake, found out by a child."""
        target = Path(self.deployment.lake).with_name("state.json")
        in_child(lambda: target.write_text(json.dumps(_state(self.deployment))) and FINISHED)
        found: dict[str, str] = json.loads(target.read_text())
        target.unlink()
        return found


def deploy(folder: Path, home: Path | None = None) -> Trial:
    """Write a project whose delivery and answers lie in its inbox."""
    deployment = write_project(
        folder, items=90, raw={"deliveries": {}, "inbox": {"licence": "CC0-1.0"}}, labeling={"answers": []},
        release={"audit_size": 50, "error_budget": 0.12},
    )._replace(inbox=folder / "inbox")  # fmt: skip
    inbox = folder / "inbox" / "small"
    (inbox / "answers").mkdir(parents=True)
    for source, target in (("one.jsonl", inbox / "one.jsonl"), ("answers.csv", inbox / "answers" / "crew.csv")):
        (deployment.data / "small" / source).rename(target)
        target.with_name(f"{target.name}.done").touch()
    if home is not None:
        shutil.copytree(home, folder / "home")
    return Trial(deployment, None if home is None else folder / "home")


def _state(deployment: Deployment) -> dict[str, str]:
    """Return hashes of all that a run leaves for good: deliveries, tables, answers, the release's files.

    It fails where something is half-written: a part is held against its hash, the log's chain and every
    release are verified.
    """
    lake, folder = Lake(deployment.lake, "small"), Path(deployment.lake) / "small"
    found: dict[str, str] = {}
    for table in TABLES:
        for partition in lake.partitions(table):
            rows = lake.read(table, partition).num_rows
            found[f"{table}/{partition}"] = f"{lake.version(f'{table}@{partition}')} {rows}"
    found["answers"] = json.dumps(lake.answers.verify(is_afresh=True))
    ids = lake.answers.read()["answer_id"].to_pylist()
    found["answers that stand twice"] = str(len(ids) - len(set(ids)))
    found["deliveries"] = json.dumps([entry._replace(registered_at="") for entry in Register(lake).entries()])
    for place in ("releases", "deliveries", "answer_files", "proposals"):
        for path in sorted((folder / place).rglob("*")):
            name = str(path.relative_to(folder))
            is_ours = path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
            if is_ours and path.name != "run.json":  # it tells how long the stages took
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    for release in lake.partitions("manifest"):
        found[f"{release} verified"] = str(verify_release(folder / "releases" / release).is_passed)
    return found


def differing(expected: dict[str, str], found: dict[str, str]) -> list[str]:
    """Return what is not as it would be undisturbed."""
    return sorted(name for name in {*expected, *found} if expected.get(name) != found.get(name))


def kills(folder: Path, seed: int, wanted: int, home: Path | None = None) -> dict[str, Any]:
    """Kill the runs of one lake at changes of the disk, in one place after the other, those of the next at any time."""
    rng = random.Random(seed)
    undisturbed = deploy(folder / "undisturbed", home)
    whole, expected, nothing = undisturbed.end(), undisturbed.state(), undisturbed.end()
    if (whole.code, nothing.code) != (FINISHED, FINISHED):
        raise SystemExit(f"undisturbed runs ended with {whole.code} and {nothing.code}")
    killed: list[tuple[str, str, str]] = []
    faults: list[str] = []
    lakes = 0
    while len(killed) < wanted and not faults:
        trial = deploy(folder / f"killed{lakes}", home)
        steps: Sequence[Aim | None]
        steps = [None] * (wanted - len(killed)) if lakes else _sample(aims(whole.counts, rng), wanted * 2 // 3, rng)
        lakes += 1
        for aim in steps:
            ahead = rng.uniform(0, AHEAD * whole.seconds / len(steps))
            ended = trial.end(aim, None if aim else nothing.seconds * rng.uniform(0.5, 1) + ahead)
            if ended.code != -signal.SIGKILL:
                faults += [] if ended.code == FINISHED else [f"a run ended with {ended.code}"]
                break
            killed.append((ended.place, ended.change, "aimed" if aim else "any time"))
            trial.state()  # what a reader finds now is whole
        last = trial.end()
        faults += differing(expected, trial.state()) + ([] if last.code == FINISHED else [f"ended with {last.code}"])
        faults += _unfinished(trial)
    return {
        "kills": len(killed), "where": Counter(place for place, _, _ in killed), "lakes": lakes,
        "how": Counter(change for _, change, how in killed if how == "aimed"), "faults": faults,
        "any time": sum(how == "any time" for _, _, how in killed), "compared": len(expected),
        "is_released": any(name.endswith("verified") for name in expected), "run_seconds": round(whole.seconds, 1),
    }  # fmt: skip


def _sample(found: list[Aim], most: int, rng: random.Random) -> Sequence[Aim | None]:
    """Return so many aims at most, in their order."""
    return [found[place] for place in sorted(rng.sample(range(len(found)), min(most, len(found))))]


def _unfinished(trial: Trial) -> list[str]:
    """Return runs that Dagster's record still holds to be going on."""
    if trial.home is None:
        return []

    def count() -> int:
        with dg.DagsterInstance.from_config(str(trial.home)) as instance:
            return len(instance.get_runs(dg.RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES)))

    found = in_child(count)
    return [f"{found} runs seem to be going on"] if found else []


def recorded(folder: Path, seed: int, wanted: int) -> dict[str, Any]:
    """Kill runs whose record is on disk, as that of `make run` is."""
    home = folder / "home"
    home.mkdir()
    shutil.copy(REPOSITORY / "orchestration" / "dagster.yaml", home)

    def make() -> int:
        with dg.DagsterInstance.from_config(str(home)) as instance:
            return len(instance.get_runs())

    in_child(make)
    return kills(folder, seed, wanted, home)


def full_disk(folder: Path) -> dict[str, Any]:
    """Let the disk be full, with room for a little more each time, until a run finishes."""
    undisturbed = deploy(folder / "undisturbed")
    expected = (undisturbed.end(), undisturbed.state())[1]
    result: dict[str, Any] = {"limited": [], "tmpfs": [], "written": []}
    limited = deploy(folder / "limited")
    for size in (2_000, 6_000, 9_000, 14_000, None):
        result["limited"].append(in_child(lambda size=size: _within(size, limited)))  # type: ignore[misc]
    result["limited_faults"] = differing(expected, limited.state())
    small = deploy(folder / "small")
    mount = Path(small.deployment.lake)
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60k", "tmpfs", mount], capture_output=True).returncode:
        return result | {"tmpfs": "may not be mounted here"}
    try:
        for size in (60, 120, 240, 360, 480, 600, 50_000):
            subprocess.run(["mount", "-o", f"remount,size={size}k", mount], check=True)
            result["tmpfs"].append(in_child(small.run))
            result["written"].append(len(list(mount.glob("small/tables/*/*/commit.json"))))
        result["tmpfs_faults"] = differing(expected, small.state())
    finally:
        subprocess.run(["umount", mount], check=True)
    return result


def pruned(folder: Path, seed: int, wanted: int) -> dict[str, Any]:
    """Kill prunes of a project that late answers came in to, as often as wanted; then prune to the end, and run."""
    home = folder / "home"
    home.mkdir()
    shutil.copy(REPOSITORY / "orchestration" / "dagster.yaml", home)
    finished, rng = deploy(folder / "finished", home), random.Random(seed)
    codes = [finished.end().code]
    for number in range(3):
        codes += [in_child(partial(_append_late, finished, number)), finished.end().code]
    expected, whole = finished.state(), _copy(finished, folder / "whole")
    undisturbed = watched(partial(_prune, whole), whole.deployment.lake)
    counts, faults, killed = _counts(whole), differing(expected, whole.state()), 0
    wanted_aims = _sample(aims(undisturbed.counts, rng), wanted, rng)
    trial = _copy(finished, folder / "killed")
    for number in range(wanted):
        if number % 3 == 0:
            shutil.rmtree(folder / "killed")
            trial = _copy(finished, folder / "killed")
        aim = wanted_aims[number % len(wanted_aims)] if number % 2 else None
        seconds = None if aim else undisturbed.seconds * rng.uniform(0.05, 1)
        killed += watched(partial(_prune, trial), trial.deployment.lake, aim, seconds).code == -signal.SIGKILL
        faults += differing(expected, trial.state())
        if number % 3 == 2:
            codes += [in_child(partial(_prune, trial)), trial.end().code]
            faults += differing(expected, trial.state()) + _unfinished(trial)
            faults += [] if _counts(trial) == counts else [f"{_counts(trial)} are left, not {counts}"]
    return {"kills": killed, "faults": faults, "codes": sorted(set(codes)), "left": counts, "all": _counts(finished)}


def _copy(trial: Trial, folder: Path) -> Trial:
    source = trial.deployment.projects.parent
    shutil.copytree(source, folder)
    places = Deployment(folder / "projects", folder / "data", str(folder / "lake"), folder / "inbox")
    return Trial(places, folder / "home")


def _append_late(trial: Trial, number: int) -> int:
    row = dict.fromkeys(GIVEN) | {
        "answer_id": f"late-{number}", "batch": "one", "item_id": f"i{number}", "purpose": "label", "source": "test",
        "annotator": f"late{number}", "label": "warm",
    }  # fmt: skip
    schema = pa.schema([ANSWERS.schema.field(name).with_nullable(True) for name in GIVEN])
    Lake(trial.deployment.lake, "small").answers.append(pa.Table.from_pylist([row], schema=schema))
    return FINISHED


def _prune(trial: Trial) -> int:
    """Do what `cupel prune --yes` does 40 days later."""
    real = time.time
    time.time = lambda: real() + 40 * 86_400
    project = load_project(trial.deployment.projects / "small.yaml")
    with dg.DagsterInstance.from_config(str(trial.home)) as instance:
        found = prune([project], Path(trial.deployment.lake), instance, Path(str(trial.home)))
    return BROKEN if found.notes else FINISHED


def _counts(trial: Trial) -> list[int]:
    """Return how many parts of tables there are, and how many files of runs."""
    parts = Path(trial.deployment.lake).glob("small/tables/*/*/*.parquet")
    return [len(list(parts)), len(list((Path(str(trial.home)) / "history" / "runs").glob("*.db")))]


def _within(size: int | None, trial: Trial) -> int:
    """Run with files of at most so many bytes."""
    if size is not None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return trial.run()


def at_once(folder: Path) -> dict[str, Any]:
    """Start two runs of a project together."""
    undisturbed = deploy(folder / "undisturbed")
    expected = (undisturbed.end(), undisturbed.state())[1]
    shared = deploy(folder / "shared")
    first = os.fork()
    if first == 0:
        os._exit(in_child(shared.run))
    second = in_child(shared.run)
    _, status = os.waitpid(first, 0)
    codes = [os.waitstatus_to_exitcode(status), second]
    return {"codes": sorted(codes), "faults": differing(expected, shared.state())}


if __name__ == "__main__":
    judge._context()  # made once here, not in every child
    place_of_work, name, *numbers = sys.argv[1:]
    modes: dict[str, Any] = {"kills": kills, "recorded": recorded, "full_disk": full_disk, "at_once": at_once}
    modes["pruned"] = pruned
    print(json.dumps(modes[name](Path(place_of_work), *map(int, numbers))))
