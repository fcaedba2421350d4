"""Locks: one `make run` of a project, one run on a batch or release, and one that lets the world in, at a time."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cupel.errors import LakeError


@contextmanager
def project_lock(folder: Path, doing: str) -> Iterator[None]:
    """Hold a project for as long as the block lasts; the kernel frees it when the process dies.

    Args:
        folder: The project's folder in the lake; made if need be.
        doing: What holds it, for who comes second.

    Raises:
        LakeError: Another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "run.lock"
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise LakeError(
                f"project {folder.name}: {holder} is at work on it; wait until it has ended, or stop it"
            ) from None
        _put(file.fileno(), f"{doing} (process {os.getpid()})")
        yield


@contextmanager
def claim(folder: Path, partition: str, run_id: str) -> Iterator[None]:
    """Hold a batch or release for one step of a run; steps of the same run hold it together.

    Args:
        folder: The project's folder in the lake.
        partition: Batch or release.
        run_id: The run that the step belongs to.

    Raises:
        LakeError: A step of another run is at work on it now.
    """
    path = folder / "locks" / f"{partition}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        # A lock that is changed from exclusive to shared is free for a moment: nobody may look then.
        with turn(path.parent / ".claiming"):
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _put(file.fileno(), json.dumps({"run": run_id}))
            except BlockingIOError:
                file.seek(0)
                holder = json.loads(file.read() or "{}").get("run")
                if holder != run_id:
                    raise LakeError(
                        f"{partition}: run {holder} is at work on it; this one stops, and nothing is lost: "
                        "run again when the other has ended, if anything is left to do"
                    ) from None
            fcntl.flock(file, fcntl.LOCK_SH)
        yield


def is_at_work(folder: Path, partition: str) -> bool:
    """Tell whether a step is at work on a batch or release now; see `claim`.

    Args:
        folder: The project's folder in the lake.
        partition: Batch or release.
    """
    path = folder / "locks" / f"{partition}.lock"
    if not path.is_file():
        return False
    try:
        # A step that comes meanwhile waits, and so is not told that somebody holds what it claims.
        with turn(path.parent / ".claiming"), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # who may not write there has no step at work either
    return False


@contextmanager
def pause(folder: Path, partition: str) -> Iterator[bool]:
    """Let no step begin for as long as the block lasts: steps that come wait; yield whether none is on a partition.

    Args:
        folder: The project's folder in the lake.
        partition: Batch or release.
    """
    path = folder / "locks" / f"{partition}.lock"
    with turn(path.parent / ".claiming"), path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


@contextmanager
def turn(path: Path) -> Iterator[None]:
    """Wait until no other process is in such a block, and hold it; the kernel frees it when the process dies.

    Args:
        path: A file that stands for what is done; made if need be.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _put(descriptor: int, words: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, words.encode(), 0)
