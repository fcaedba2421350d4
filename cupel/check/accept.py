"""Accepting a loss: a person says that a file that cannot be restored is from now on as it is; kept as an event."""

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime

from cupel.check.aside import DAMAGED
from cupel.check.damage import Damage
from cupel.check.memory import Memory
from cupel.errors import LakeError
from cupel.lake.lake import Lake
from cupel.store.store import MissingError, Store, update

ACCEPTED = "accepted.jsonl"


def accept_losses(lake: Lake, damages: Iterable[Damage], paths: Iterable[str]) -> list[str]:
    """Take files that are written once, or tables of finished releases, as they are now; return a line for each.

    Args:
        lake: The project's lake.
        damages: What was found of it.
        paths: Files as the check names them.

    Raises:
        LakeError: A file is not damaged, or of a kind that decides too much to be accepted: a log, a release's folder.
    """
    found = {damage.path: damage for damage in damages}
    memory, lines = Memory(lake.store), []
    for path in paths:
        damage = found.get(path)
        if damage is None or damage.kind not in ("kept file", "frozen table"):
            why = "nothing is wrong with it" if damage is None else f"{damage.what}; {damage.remedy}"
            raise LakeError(f"--accept {path}: {why}")
        if damage.kind == "kept file":
            memory.forget(path)
            if lake.store.stat(path) is not None:
                memory.remember(path)
        event = {"path": path, "what": damage.what, "at": datetime.now(UTC).isoformat(timespec="seconds")}
        line = (json.dumps(event, sort_keys=True) + "\n").encode()
        update(lake.store, f"{DAMAGED}/{ACCEPTED}", lambda before, line=line: (before or b"") + line)  # type: ignore[misc]
        lines.append(f"{path}: accepted as it is; {DAMAGED}/{ACCEPTED} says so")
    memory.write()
    return lines


def read_accepted(store: Store) -> set[tuple[str, str]]:
    """Return the losses that were accepted: each file, and what was wrong with it."""
    found = set[tuple[str, str]]()
    try:
        content = store.read(f"{DAMAGED}/{ACCEPTED}").decode()
    except MissingError:
        return found
    for line in content.splitlines():
        with suppress(ValueError, LookupError, TypeError):  # a kill may have cut a line short: then it is asked again
            event = json.loads(line)
            found.add((event["path"], event["what"]))
    return found
