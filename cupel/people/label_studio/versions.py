"""Versions: what annotations on the server say, one each time that somebody saved one."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from cupel.config.project import Project
from cupel.people.label_studio.choices import flagged, label_of
from cupel.people.tool_annotation import as_id, as_seconds, as_time, entries

Users = Mapping[int, str]


class Version(NamedTuple):
    """One version of an annotation.

    `answer_id` is made of all that tells it from others: annotation, person, label, time of the change. `person` is
    null where the server does not know who it was; `label` where the task was skipped or flagged: then `flagged` is
    the label that was chosen all the same.
    """

    answer_id: str
    annotation_id: int
    tool_task: int
    person: str | None
    label: str | None
    seconds_spent: float | None
    answered_at: datetime | None
    flagged: str | None = None


def versions(lake_id: str, task: Mapping[str, Any], users: Users, project: Project) -> Iterator[Version]:
    """Yield the versions that a task on the server holds now, the earliest annotation first.

    Args:
        lake_id: The lake's own id.
        task: A task with its annotations, as the server lists it.
        users: E-mail addresses by the server's ids, in lower case.
        project: Says what a label is.
    """
    for note in sorted(_annotations(task), key=lambda note: int(note["id"])):
        person = user_of(note, users)
        is_flagged = not note.get("was_cancelled") and flagged(note.get("result"))
        chosen = None if note.get("was_cancelled") else label_of(note.get("result"), project)
        label = None if is_flagged else chosen
        changed = note.get("updated_at") or note.get("created_at")
        name = json.dumps([lake_id, note["id"], str(note.get("completed_by")), label, str(changed)])
        yield Version(
            hashlib.sha256(name.encode()).hexdigest()[:32], note["id"], task["id"], person, label,
            as_seconds(note.get("lead_time")), as_time(changed), chosen if is_flagged else None,
        )  # fmt: skip


def people(task: Mapping[str, Any]) -> int:
    """Return how many people annotated a task and did not skip it, as the server counts them."""
    return len({str(note.get("completed_by")) for note in _annotations(task) if not note.get("was_cancelled")})


def user_of(note: Mapping[str, Any], users: Users) -> str | None:
    """Return the e-mail address of who made an annotation; null where the server knows none."""
    who = note.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    if isinstance(who, str):
        return who.lower()
    return users.get(who) if isinstance(who, int) else None


def users_of(listed: Iterable[Mapping[str, Any]]) -> Users:
    """Return e-mail addresses by id, of what the server lists as its users."""
    return {one["id"]: as_id(one.get("email")).lower() for one in listed if as_id(one.get("email")) and "id" in one}  # type: ignore[union-attr]


def _annotations(task: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = entries(task.get("annotations"))
    return [note for note in found if isinstance(note.get("id"), int) and not isinstance(note["id"], bool)]
