"""Events: what happened on the server that is no answer, such as a deletion; appended, never changed."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from cupel.lake.lake import Lake
from cupel.people.label_studio.record import FOLDER
from cupel.store.event_log import Event as LoggedEvent

EVENTS = f"{FOLDER}/events"
Kind = Literal["deleted", "stranger", "unknown_task", "second_task", "flagged", "task_changed", "task_deleted"]
Item = tuple[str, str]
MEANING: dict[Kind, str] = {
    "deleted": "An annotation that was collected is gone from the server; the answer stays in the log and counts.",
    "stranger": "Somebody answered who is not in the group; the answer is in the log, names nobody, and is rejected.",
    "unknown_task": "A task with annotations that Cupel did not publish; they are not collected.",
    "flagged": "Somebody ticked that something is wrong with a task; the answer in the log is a skip.",
    "task_changed": "Somebody changed what a task shows; what was answered since then does not count.",
    "task_deleted": "A task is gone from the server; it is put there anew while it has open questions.",
    "second_task": "An item was on the server twice, after an import whose reply was lost; the second is closed.",
}


class Event(NamedTuple):
    """Something that happened; `name` tells it from all others, so that it is told once; `said` is what was said."""

    name: str
    kind: Kind
    group: str
    project_id: int
    tool_task: int | None
    annotation_id: int | None
    batch: str | None
    item_id: str | None
    said: str | None = None


def event(
    group: str, kind: Kind, project_id: int, tool_task: int | None, annotation_id: int | None, item: Item | None,
    said: str | None = None,
) -> Event:  # fmt: skip
    """Return an event under the name that all this gives it; `item` is batch and item, None where they are unknown."""
    name = f"{kind}/{group}/{project_id}/{tool_task}/{annotation_id}"
    if kind == "task_changed":
        name += f"/{said}"
    batch, item_id = item or (None, None)
    return Event(name, kind, group, project_id, tool_task, annotation_id, batch, item_id, said)


class Events:
    """The events of a lake.

    Args:
        lake: The project's lake.
    """

    def __init__(self, lake: Lake) -> None:
        self._log = lake.log(EVENTS)

    def read(self) -> list[Event]:
        """Return all events, the earliest first.

        Raises:
            StoreError: The log was altered or cut short.
        """
        return [Event(**one) for one in self._log.read()]

    def append(self, events: Iterable[Event]) -> int:
        """Append those that were not told yet; return how many."""
        by_name = {event.name: event._asdict() for event in events}

        def decide(there: list[LoggedEvent]) -> list[LoggedEvent]:
            told = {one["name"] for one in there}
            return [event for name, event in by_name.items() if name not in told]

        return len(self._log.append(decide))
