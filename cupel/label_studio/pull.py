"""The pull: the tasks of a project on the server that changed since the last time, each once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from cupel.errors import WorkforceError
from cupel.imports.annotation import as_time, entries
from cupel.label_studio.client import Client

PAGE_TASKS = 500
# So far behind the cursor a pull begins: clocks of one server may differ by it, and changes commit late.
OVERLAP = timedelta(minutes=5)
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


def changed_tasks(client: Client, project_id: int, cursor: str | None) -> Iterator[dict[str, Any]]:
    """Yield the tasks that changed, with their annotations, in the order of their ids.

    Each page begins behind the last id seen, so that a task that changes meanwhile shifts no other out of sight.

    Args:
        client: The server.
        project_id: The project there.
        cursor: The latest time of change that was read, by the server's clock; None: all tasks.

    Raises:
        WorkforceError: The server fails, or its pages do not go forward.
    """
    since = None if cursor is None else as_time(cursor)
    last = 0
    while True:
        items = [_filter("id", "greater", "Number", last)]
        if since is not None:
            items.append(_filter("updated_at", "greater", "Datetime", (since - OVERLAP).strftime(TIME_FORMAT)))
        query = {"filters": {"conjunction": "and", "items": items}, "ordering": ["tasks:id"]}
        page = client.get(
            "/api/tasks/", project=project_id, page=1, page_size=PAGE_TASKS, fields="all", query=json.dumps(query)
        )  # fmt: skip
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
