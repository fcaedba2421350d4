"""Locks on a project: one `make run`, one run on a batch or release, and one that collects inputs, at a time."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from os import getpid

from cupel.errors import LakeError
from cupel.store.store import Store

RUN = "run.lock"
COLLECTING = "locks/.collecting"
# Who claims, or looks whether somebody does, holds this meanwhile: a claim is free for a moment when it becomes shared.
_CLAIMING = "locks/.claiming"


@contextmanager
def project_lock(store: Store, project: str, doing: str) -> Iterator[None]:
    """Hold a project for as long as the block lasts; it is freed when the process dies.

    Args:
        store: The project's store.
        project: Its name.
        doing: What holds it, for who comes second.

    Raises:
        LakeError: Another process holds it.
    """
    with store.lock(RUN, is_waiting=False, holder=f"{doing} (process {getpid()})") as is_held:
        if not is_held:
            holder = store.read(RUN).decode(errors="replace").strip() or "another process"
            raise LakeError(f"project {project}: {holder} is at work on it; wait until it has ended, or stop it")
        yield


@contextmanager
def claim(store: Store, partition: str, run_id: str) -> Iterator[None]:
    """Hold a batch or release for one step of a run; steps of the same run hold it together.

    Args:
        store: The project's store.
        partition: Batch or release.
        run_id: The run that the step belongs to.

    Raises:
        LakeError: A step of another run is at work on it now.
    """
    name = _name(partition)
    with ExitStack() as held:
        with store.lock(_CLAIMING):
            with store.lock(name, is_waiting=False, holder=json.dumps({"run": run_id})) as is_free:
                holder = run_id if is_free else json.loads(store.read(name) or b"{}").get("run")
            if holder != run_id:
                raise LakeError(
                    f"{partition}: run {holder} is at work on it; this one stops, and nothing is lost: "
                    "run again when the other has ended, if anything is left to do"
                )
            held.enter_context(store.lock(name, is_shared=True))
        yield


def is_at_work(store: Store, partition: str) -> bool:
    """Tell whether a step is at work on a batch or release now; see `claim`.

    Args:
        store: The project's store.
        partition: Batch or release.
    """
    if store.stat(_name(partition)) is None:
        return False
    try:
        # A step that comes meanwhile waits, and so is not told that somebody holds what it claims.
        with pause(store, partition) as is_free:
            return not is_free
    except OSError:
        return False  # who may not write there has no step at work either


@contextmanager
def pause(store: Store, partition: str) -> Iterator[bool]:
    """Let no step begin for as long as the block lasts: steps that come wait; yield whether none is on a partition.

    Args:
        store: The project's store.
        partition: Batch or release.
    """
    with store.lock(_CLAIMING), store.lock(_name(partition), is_waiting=False) as is_free:
        yield is_free


def _name(partition: str) -> str:
    return f"locks/{partition}.lock"
