"""Events: what happened on the server that is no answer, such as a deletion; appended, never changed."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, NamedTuple

from cupel.errors import WorkforceError
from cupel.label_studio.record import FOLDER
from cupel.lake import Lake
from cupel.store.files import new_file

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
    """The events of a lake: a file for each collection that saw any, numbered, a line each.

    Args:
        lake: The project's lake.
    """

    def __init__(self, lake: Lake) -> None:
        self._folder = lake.folder / FOLDER / "events"

    def read(self) -> list[Event]:
        """Return all events, the earliest first.

        Raises:
            WorkforceError: A file is missing or damaged.
        """
        found: list[Event] = []
        for place, path in enumerate(self._files(), 1):
            if path.stem != f"{place:06d}":
                raise WorkforceError(f"{self._folder}: file {place:06d}.jsonl is missing; restore it from a copy")
            try:
                found += [Event(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
            except (ValueError, TypeError) as error:
                raise WorkforceError(f"{path}: not events: {error}; restore it from a copy") from None
        return found

    def append(self, events: Iterable[Event]) -> int:
        """Append those that were not told yet; return how many.

        Raises:
            WorkforceError: Another process appended at the same time.
        """
        told = {event.name for event in self.read()}
        new = [event for name, event in {event.name: event for event in events}.items() if name not in told]
        if not new:
            return 0
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{len(self._files()) + 1:06d}.jsonl"
        try:
            with new_file(path, is_only=True) as file:
                file.write("".join(json.dumps(event._asdict(), sort_keys=True) + "\n" for event in new).encode())
        except FileExistsError:
            raise WorkforceError(f"{path}: another process wrote it at the same time; run again") from None
        return len(new)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]*.jsonl")) if self._folder.is_dir() else []
