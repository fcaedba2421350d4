"""Actions: what was done about an annotator, an event each, appended to a log in the lake and never changed."""

import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from cupel.contract.format_numbers import ACTIONS_LOG
from cupel.errors import AnswerError
from cupel.formats import read_number, write_number
from cupel.store.local import LocalStore

Deed = Literal["warn", "weigh_down", "remove", "restore"]
GENESIS = "0" * 64
WHY_CHARACTERS = 200


class Action(NamedTuple):
    """Something done about an annotator of a batch.

    `finding` and what follows say why: for a policy the finding with its evidence, for a person the reason in
    `evidence`. `weight` is what answers count for from now on: 1 whole, 0 not at all. `answers_until` is the
    answer in the log up to which was looked. Of `p_value` and `log10_ratio` one is told where a finding says why;
    logs from before there were ratios tell none, and hold 1 / ratio as the chance.
    """

    batch: str
    annotator: str
    deed: Deed
    weight: float
    finding: str
    evidence: str
    value: float | None
    p_value: float | None
    items: int
    asked_by: str
    answers_until: int
    log10_ratio: float | None = None

    @property
    def why(self) -> str:
        """What says so, as evidence beside a rejected answer."""
        return f"{self.finding}: {self.evidence}"[:WHY_CHARACTERS]


class ActionsLog:
    """The actions of a project, a file each, numbered; each names the hash of the one before.

    A file is created only where none of its number is, so that of two writers one wins and the other is told.

    Args:
        folder: Where the files lie; made on the first append.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, batch: str | None = None) -> list[Action]:
        """Return the actions, of one batch or of all, the earliest first.

        Raises:
            AnswerError: One is missing, unreadable, or was altered after the next was written.
        """
        return [action for action in self._all() if batch in (None, action.batch)]

    def append(self, actions: Iterable[Action]) -> int:
        """Append actions; return how many.

        Raises:
            AnswerError: A deed is unknown, or another process appended at the same time.
        """
        written = 0
        for action in actions:
            if action.deed not in get_args(Deed):
                raise AnswerError(f"action {action.deed!r} on {action.annotator!r}; allowed: {get_args(Deed)}")
            files = self._files()
            previous = hashlib.sha256(files[-1].read_bytes()).hexdigest() if files else GENESIS
            content = {"sequence": len(files) + 1, "previous": previous, **action._asdict()}
            write_number(LocalStore(self.folder), "", ACTIONS_LOG)
            path = self.folder / f"{len(files) + 1:06d}.json"
            _create(path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())
            written += 1
        return written

    def in_force(self, batch: str) -> dict[str, Action]:
        """Return what holds for each annotator of a batch whose answers do not count whole; warnings change nothing."""
        last = {action.annotator: action for action in self.read(batch) if action.deed != "warn"}
        return {name: action for name, action in sorted(last.items()) if action.deed != "restore"}

    def version(self, batch: str) -> str:
        """Return what names the actions of a batch: how many, and a hash of them."""
        return version_of(self.read(batch))

    def _files(self) -> list[Path]:
        read_number(LocalStore(self.folder), "", ACTIONS_LOG)
        return sorted(self.folder.glob("[0-9]*.json")) if self.folder.is_dir() else []

    def _all(self) -> list[Action]:
        found, previous = [], GENESIS
        for place, path in enumerate(self._files(), 1):
            try:
                raw = path.read_bytes()
                content = json.loads(raw)
                sequence, before = content.pop("sequence"), content.pop("previous")
                found.append(Action(**content))
            except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
                raise AnswerError(f"{path}: not an action: {error}; restore it from a copy") from error
            if (sequence, before) != (place, previous):
                raise AnswerError(
                    f"{path}: action {place} is missing, or one before it was altered; restore both from a copy"
                )
            previous = hashlib.sha256(raw).hexdigest()
        return found


def version_of(actions: Sequence[Action]) -> str:
    """Return what names some actions: how many, and a hash of them."""
    return _version([action._asdict() for action in actions])


def earlier_version_of(actions: Sequence[Action]) -> str:
    """Return what named some actions before there were ratios: tables of then have it among their inputs."""
    contents = [action._asdict() for action in actions]
    return _version([{name: value for name, value in one.items() if name != "log10_ratio"} for one in contents])


def _version(contents: list[dict[str, Any]]) -> str:
    digest = hashlib.sha256(json.dumps(contents, sort_keys=True).encode())
    return f"{len(contents)}:{digest.hexdigest()}"


def _create(path: Path, content: bytes) -> None:
    """Put a file in place whole, only where none of its name is."""
    temporary = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise AnswerError(f"{path}: another process wrote it at the same time; run again") from None
    finally:
        temporary.unlink()
