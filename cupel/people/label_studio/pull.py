"""The pull: the tasks of a project on the server that changed since the last time, each once."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from cupel.errors import WorkforceError
from cupel.people.label_studio.client import Client
from cupel.people.tool_annotation import as_time, entries

PAGE_TASKS = 500
# So far before the cursor changes may still turn up: clocks of one server may differ by it, and changes commit late.
OVERLAP = timedelta(minutes=5)
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Read(NamedTuple):
    """A task as it was read: when it had changed, by the server's clock, and how many answers it held."""

    changed_at: str
    answers: int


def read_as(task: dict[str, Any]) -> Read:
    """Return how a task was read; skips are no answers, as the server counts them."""
    notes = entries(task.get("annotations"))
    return Read(str(task.get("updated_at")), sum(not note.get("was_cancelled") for note in notes))


def unread_tasks(
    client: Client, project_id: int, cursor: str | None, recent: dict[int, Read]
) -> Iterator[dict[str, Any]]:
    """Yield the tasks that changed after they were read, or were never read, with their annotations.

    Those that changed after the cursor are read. Of those shortly before it the server is asked how many they are, and
    how many answers they hold: where these are other numbers than were read, a change was committed late, or something
    is gone, and those tasks are read once more. (An edit or a skip that is committed late waits for the snapshot.)

    Args:
        client: The server.
        project_id: The project there.
        cursor: The latest time of change that was read, by the server's clock; None: none was.
        recent: What was read of the tasks that changed in OVERLAP before the cursor, by id; what is in doubt is taken
            out, and whoever reads the tasks puts it in again.

    Raises:
        WorkforceError: The server fails, or its pages do not go forward.
    """
    at = None if cursor is None else as_time(cursor)
    if at is None:
        yield from changed_tasks(client, project_id, None)
        return
    begin, end = (at - OVERLAP).strftime(TIME_FORMAT), at.strftime(TIME_FORMAT)
    newer = set()
    for task in changed_tasks(client, project_id, end):
        newer.add(task["id"])
        yield task
    before = {one: read for one, read in recent.items() if one not in newer}
    window = [_changed("greater", begin), _changed("less_or_equal", end)]
    there = _page(client, project_id, window, 1)
    if (there["total"], there.get("total_annotations")) != (len(before), sum(read.answers for read in before.values())):
        for one in before:
            del recent[one]
        yield from _paged(client, project_id, window)


def still_recent(recent: Mapping[int, Read], cursor: str | None) -> dict[int, Read]:
    """Return those of the tasks that changed in OVERLAP before the cursor."""
    at = None if cursor is None else as_time(cursor)
    times = {one: as_time(read.changed_at) for one, read in recent.items()}
    return {one: recent[one] for one, time in times.items() if at and time and time > at - OVERLAP}


def changed_tasks(client: Client, project_id: int, since: str | None) -> Iterator[dict[str, Any]]:
    """Yield the tasks that changed after a time, with their annotations, in the order of their ids.

    Args:
        client: The server.
        project_id: The project there.
        since: The time, by the server's clock; None: all tasks.

    Raises:
        WorkforceError: The server fails, or its pages do not go forward.
    """
    return _paged(client, project_id, [] if since is None else [_changed("greater", since)])


def _paged(client: Client, project_id: int, filters: list[dict[str, object]]) -> Iterator[dict[str, Any]]:
    """Yield tasks; a page begins behind the last id seen, so that a task that changes shifts no other out of sight."""
    last = 0
    while True:
        page = _page(client, project_id, [_filter("id", "greater", "Number", last), *filters], PAGE_TASKS)
        tasks = _tasks(page, project_id)
        for task in tasks:
            # A server that repeats a page, or does not know the filter, would be asked for ever.
            if task["id"] <= last:
                raise WorkforceError(
                    f"Label Studio project {project_id}: a page gives task {task['id']} again, after task {last}; "
                    "nothing of it is recorded; run again"
                )
            last = task["id"]
            yield task
        if len(tasks) >= page["total"]:
            return
        if not tasks:
            raise WorkforceError(
                f"Label Studio project {project_id}: {page['total']} tasks are told behind task {last}, and none "
                "given; run again"
            )


def _page(client: Client, project_id: int, filters: list[dict[str, object]], size: int) -> Any:
    query = {"filters": {"conjunction": "and", "items": filters}, "ordering": ["tasks:id"]}
    page = client.get(
        "/api/tasks/", project=project_id, page=1, page_size=size, fields="all", query=json.dumps(query)
    )  # fmt: skip
    _tasks(page, project_id)
    return page


def latest(cursor: str | None, task: dict[str, Any]) -> str | None:
    """Return the cursor moved on to a task's time of change, if that is later."""
    changed, before = as_time(task.get("updated_at")), None if cursor is None else as_time(cursor)
    if changed is None or (before is not None and changed <= before):
        return cursor
    return changed.astimezone(UTC).strftime(TIME_FORMAT)


def is_due(snapshot_at: str | None, hours: float, now: datetime) -> bool:
    """Tell whether everything is to be read once more; also where the clock was turned back meanwhile."""
    before = None if snapshot_at is None else as_time(snapshot_at)
    return before is None or not before <= now < before + timedelta(hours=hours)


def _changed(operator: str, time: str) -> dict[str, object]:
    return _filter("updated_at", operator, "Datetime", time)


def _filter(name: str, operator: str, kind: str, value: object) -> dict[str, object]:
    return {"filter": f"filter:tasks:{name}", "operator": operator, "type": kind, "value": value}


def _tasks(page: Any, project_id: int) -> list[dict[str, Any]]:
    tasks = entries(page.get("tasks")) if isinstance(page, dict) else []
    is_whole = isinstance(page, dict) and isinstance(page.get("tasks"), list) and isinstance(page.get("total"), int)
    if not is_whole or not all(isinstance(task.get("id"), int) for task in tasks) or len(tasks) != len(page["tasks"]):
        raise WorkforceError(
            f"Label Studio project {project_id}: the list of tasks is not what the server promises; "
            "is label_studio.url a Label Studio server?"
        )
    return tasks
