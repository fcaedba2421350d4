"""Actions: what was done about an annotator, an event each, appended to a log in the lake and never changed."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple, get_args

from cupel.errors import AnswerError
from cupel.store.event_log import EventLog

ACTIONS = "annotator_actions"
Deed = Literal["warn", "weigh_down", "remove", "restore"]
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


class TimedAction(NamedTuple):
    """An action, and when it was appended, in UTC; null where that is not known."""

    action: Action
    at: datetime | None


class ActionsLog:
    """The actions of a project.

    Args:
        log: Their events.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def read(self, batch: str | None = None) -> list[Action]:
        """Return the actions, of one batch or of all, the earliest first.

        Raises:
            StoreError: The log was altered or cut short.
        """
        return [one.action for one in self.read_with_times() if batch in (None, one.action.batch)]

    def read_with_times(self) -> list[TimedAction]:
        """Return all actions and when each was appended, which is shown and decides nothing; see `read`."""
        return [
            TimedAction(
                Action(**{name: value for name, value in event.items() if name != "at"}),
                None if event["at"] is None else datetime.fromisoformat(event["at"]),
            )
            for event in self._log.read()
        ]

    def append(self, actions: Iterable[Action]) -> int:
        """Append actions; return how many.

        Raises:
            AnswerError: A deed is unknown.
            StoreError: The log was altered or cut short.
        """
        at = datetime.now(UTC).isoformat(timespec="seconds")
        events = [action._asdict() | {"at": at} for action in actions]
        if unknown := [event for event in events if event["deed"] not in get_args(Deed)]:
            deed, annotator = unknown[0]["deed"], unknown[0]["annotator"]
            raise AnswerError(f"action {deed!r} on {annotator!r}; allowed: {get_args(Deed)}")
        return len(self._log.append(lambda _: events))

    def in_force(self, batch: str) -> dict[str, Action]:
        """Return what holds for each annotator of a batch whose answers do not count whole; warnings change nothing."""
        last = {action.annotator: action for action in self.read(batch) if action.deed != "warn"}
        return {name: action for name, action in sorted(last.items()) if action.deed != "restore"}

    def version(self, batch: str) -> str:
        """Return what names the actions of a batch: how many, and a hash of them."""
        return version_of(self.read(batch))


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
