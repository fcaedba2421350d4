"""Matching: which open task an annotation answers, and as what it enters the answers log."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import pyarrow as pa

from cupel.contract.tables.answers import ANSWERS
from cupel.lake.answer_chain import GIVEN
from cupel.people.answers.annotations import LIVE
from cupel.people.answers.guidelines import version_of_task
from cupel.people.label_studio.groups import Group
from cupel.people.label_studio.versions import Version

SOURCE = LIVE


class Arrived(NamedTuple):
    """A version that is not in the log yet: of which item, by whom (null: nobody of the group), in which project.

    `unfit` says why it answers no task, whatever is asked; it ends the answer's source, where `annotations` reads it.
    `guideline` is the version that it was put under, "" where none has versions: it answers tasks of that version.
    """

    batch: str
    item_id: str
    annotator: str | None
    project_id: int
    version: Version
    unfit: str | None = None
    guideline: str = ""


def matched(
    group: Group,
    tasks: Iterable[dict[str, Any]],
    arrived: Iterable[Arrived],
    answered: Collection[tuple[str, str]],
    labels: Collection[str],
    removed: Collection[str] = (),
) -> list[tuple[dict[str, Any], Arrived]]:
    """Return the open tasks that an arrived version answers, each with the version.

    Of an item's versions the earliest comes to its lowest slot. A person answers an item once; a skip, and an
    annotator's answer outside the ontology, do not count as having answered.

    Args:
        group: Who was asked.
        tasks: Open tasks of one batch, columns of `cupel.people.answers.outbox`.
        arrived: Versions of this group and batch, in the order of their time.
        answered: Item and annotator of answers in the log that may count.
        labels: Those of the versions' labels that the project knows.
        removed: Annotators whose answers do not count any more.
    """
    waiting: dict[str, list[Arrived]] = {}
    for one in arrived:
        waiting.setdefault(one.item_id, []).append(one)
    done, found = set(answered), []
    for task in sorted(tasks, key=lambda task: int(task["slot"])):
        queue = waiting.get(task["item_id"], [])
        for one in queue:
            who = one.annotator
            if who is None or one.unfit or who in removed or (one.item_id, who) in done:
                continue
            if one.guideline != (version_of_task(task["task_id"]) or ""):
                continue
            if one.version.label in labels or (one.version.label is None and group.may_be_undecided):
                done.add((one.item_id, who))
            queue.remove(one)
            found.append((task, one))
            break
    return found


def answers_of(found: Iterable[tuple[str | None, str, Arrived]]) -> pa.Table:
    """Return versions as ANSWERS without `sequence` and `hash`, in the order of their time.

    Args:
        found: The task that each answers (null: none asks for it), its purpose, and the version.
    """
    rows = [
        {
            "answer_id": one.version.answer_id,
            "task_id": task_id,
            "batch": one.batch,
            "item_id": one.item_id,
            "purpose": purpose,
            "annotator": one.annotator,
            "label": one.version.label,
            "seconds_spent": one.version.seconds_spent,
            "answered_at": one.version.answered_at,
            "source": _source(one),
        }
        for task_id, purpose, one in sorted(found, key=lambda entry: by_time(entry[2]))
    ]
    schema = pa.schema([ANSWERS.schema.field(name) for name in GIVEN])
    return pa.Table.from_pylist(rows, schema=schema)


def _source(one: Arrived) -> str:
    place = f"{SOURCE}:{one.project_id}:{one.version.tool_task}:{one.version.annotation_id}"
    return f"{place}:{one.unfit}" if one.unfit else place


def by_time(one: Arrived) -> tuple[str, int]:
    """Return what versions are put in order by: the time of change, where it is told, and the annotation's id."""
    at = one.version.answered_at
    return ("" if at is None else at.isoformat(timespec="microseconds"), one.version.annotation_id)
