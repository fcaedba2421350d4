"""Runs a small project and kills it, again and again; started as a program of its own, so that it may fork.

    python harness.py FOLDER SEED KILLS      kill at random changes of the disk, resume, compare
    python harness.py FOLDER full_disk       let the disk be full, then not
    python harness.py FOLDER at_once         two runs at the same time

Prints one JSON object. A process that forks must have no threads, so nothing here computes before it forks.
"""

import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import dagster as dg
import great_expectations  # noqa: F401  (so that no child has to import it)
import sklearn.feature_extraction.text
import sklearn.linear_model  # noqa: F401

from cupel.errors import CupelError
from cupel.lake import Lake
from cupel.project import load_project
from cupel.release.verify import verify_release
from cupel.tables import TABLES
from expectations import judge
from orchestration.deployment import Deployment
from orchestration.rounds import Rounds
from small_project import write_project

WATCHED = ("replace", "link", "rename", "fsync", "unlink", "mkdir")
ORDER = (
    "locks", "raw", "gates", "cleaning", "labeling", "checking", "tasks", "answers", "gates", "labeling", "checking",
    "proposals", "release", "gates", "answers", "release", "releases", "reports", "run.json",
)  # fmt: skip
FINISHED, BROKEN, REFUSED = 0, 3, 4


def deploy(folder: Path) -> Deployment:
    return write_project(folder, items=90, release={"audit_size": 50, "error_budget": 0.12})


def in_child(work: Any) -> int:
    """Run something in a fork, and return how it ended: its exit code, or minus the signal that killed it."""
    child = os.fork()
    if child == 0:
        code = BROKEN
        try:
            code = work()
        except CupelError as error:
            os.write(2, f"{error}\n".encode())
            code = REFUSED
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def run(deployment: Deployment) -> int:
    with dg.DagsterInstance.ephemeral() as instance:
        done = Rounds(load_project(deployment.projects / "small.yaml"), deployment, instance).run()
    for broken in done.broken:
        os.write(2, f"{broken.error}\n".encode())
    return BROKEN if done.broken else FINISHED


Target = tuple[str, int]


def watch(deployment: Deployment, target: Target | None, note: int, after: bool) -> int:
    """Run, counting the changes of the disk in each place; die at one of them, before or after it; tell the pipe."""
    counts: Counter[str] = Counter()

    def watched(name: str, change: Any) -> Any:
        def changed(*arguments: Any, **named: Any) -> Any:
            path = next((str(a) for a in reversed(arguments) if isinstance(a, str | os.PathLike)), "")
            path = os.readlink(f"/proc/self/fd/{arguments[0]}") if name == "fsync" else path
            where = place(path) if deployment.lake in path else None
            counts.update([where] if where else [])
            is_last = where is not None and (where, counts[where]) == target
            if is_last:
                os.write(note, json.dumps([name, where]).encode())
            if is_last and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return change(*arguments, **named)
            finally:
                if is_last:
                    os.kill(os.getpid(), signal.SIGKILL)

        return changed

    for name in WATCHED:
        setattr(os, name, watched(name, getattr(os, name)))
    code = run(deployment)
    os.write(note, json.dumps(["finished", counts]).encode())
    return code


def attempt(deployment: Deployment, target: Target | None, after: bool = False) -> tuple[int, Any]:
    reader, writer = os.pipe()
    code = in_child(lambda: watch(deployment, target, writer, after))
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read()
    return code, json.loads(said) if said else None


def state(deployment: Deployment) -> dict[str, str]:
    """Return hashes of all that a run leaves for good: tables, answers, the release's files."""
    lake = Lake(deployment.lake, "small")
    found = {
        f"{table}/{partition}": lake.commit(table, partition).hash  # type: ignore[union-attr]
        for table in TABLES
        for partition in lake.partitions(table)
    }
    found["answers"] = json.dumps(lake.answers.verify())
    ids = lake.answers.read()["answer_id"].to_pylist()
    found["answers that stand twice"] = str(len(ids) - len(set(ids)))
    folder = Path(str(lake.folder)) / "releases"
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != "report.html":  # it tells how long the stages took
            found[str(path.relative_to(folder))] = hashlib.sha256(path.read_bytes()).hexdigest()
    for release in lake.partitions("manifest"):
        found[f"{release} verified"] = str(verify_release(folder / release).is_passed)
    return found


def state_in_child(deployment: Deployment) -> dict[str, str]:
    reader, writer = os.pipe()
    target = Path(deployment.lake).parent / "state.json"
    os.close(reader)
    os.close(writer)
    in_child(lambda: target.write_text(json.dumps(state(deployment))) and FINISHED)
    found: dict[str, str] = json.loads(target.read_text())
    return found


def place(path: str) -> str:
    """Return which part of the lake a path is in: a stage, or a folder or file beside the tables."""
    for table, about in TABLES.items():
        if f"/tables/{table}/" in path or path.endswith(f"/tables/{table}"):
            return about.stage
    parts = path.split("/lake/small/")
    return "lake" if len(parts) < 2 else parts[1].split("/")[0].split("-")[0]


def kills(folder: Path, seed: int, wanted: int) -> dict[str, Any]:
    rng = random.Random(seed)
    undisturbed = deploy(folder / "undisturbed")
    code, said = attempt(undisturbed, None)
    expected, changes = state_in_child(undisturbed), said[1]
    where: Counter[str] = Counter()
    how: Counter[str] = Counter()
    differing: list[str] = []
    lakes = 0
    while where.total() < wanted and not differing:
        deployment = deploy(folder / f"killed{lakes}")
        lakes += 1
        # Every place of the lake in turn, in the order in which a run comes to it, at one of its changes.
        for name in ORDER:
            target = (name, rng.randint(1, max(changes[name] // 3, 1)))
            code, said = attempt(deployment, target, rng.random() < 0.5)
            if code == FINISHED:
                break
            if code != -signal.SIGKILL:
                differing.append(f"a run ended with {code}")
                break
            where[said[1]] += 1
            how[said[0]] += 1
        code, _ = attempt(deployment, None)
        found = state_in_child(deployment)
        differing += [name for name in {*expected, *found} if expected.get(name) != found.get(name)]
    return {
        "changes": changes, "kills": where.total(), "where": where, "how": how, "lakes": lakes,
        "differing": differing, "tables": len(expected), "code": code,
    }  # fmt: skip


def full_disk(folder: Path) -> dict[str, Any]:
    undisturbed = deploy(folder / "undisturbed")
    in_child(lambda: run(undisturbed))
    expected = state_in_child(undisturbed)
    result: dict[str, Any] = {}
    limited = deploy(folder / "limited")

    def with_limit() -> int:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (9_000, 9_000))
        return run(limited)

    result["limited"] = [in_child(with_limit), in_child(lambda: run(limited)), state_in_child(limited) == expected]
    small = deploy(folder / "small")
    mount = Path(small.lake)
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", mount], capture_output=True).returncode:
        result["tmpfs"] = "may not be mounted here"
        return result
    try:
        codes = [in_child(lambda: run(small))]
        subprocess.run(["mount", "-o", "remount,size=50m", mount], check=True)
        result["tmpfs"] = [*codes, in_child(lambda: run(small)), state_in_child(small) == expected]
    finally:
        subprocess.run(["umount", mount], check=True)
    return result


def at_once(folder: Path) -> dict[str, Any]:
    undisturbed = deploy(folder / "undisturbed")
    in_child(lambda: run(undisturbed))
    shared = deploy(folder / "shared")
    first = os.fork()
    if first == 0:
        os._exit(in_child(lambda: run(shared)))
    while not (Path(shared.lake) / "small" / "tables").exists():
        os.sched_yield()
    second = in_child(lambda: run(shared))
    _, status = os.waitpid(first, 0)
    codes = [os.waitstatus_to_exitcode(status), second]
    return {"codes": codes, "same": state_in_child(shared) == state_in_child(undisturbed)}


if __name__ == "__main__":
    judge._context()  # made once here, not in every child
    place_of_work = Path(sys.argv[1])
    if sys.argv[2] == "full_disk":
        print(json.dumps(full_disk(place_of_work)))
    elif sys.argv[2] == "at_once":
        print(json.dumps(at_once(place_of_work)))
    else:
        print(json.dumps(kills(place_of_work, int(sys.argv[2]), int(sys.argv[3]))))
