"""The outbox: which questions are put to whom. Asking twice is asking once."""

import hashlib
import json
from collections import Counter
from typing import Any

import pyarrow as pa

from cupel.tables import RELEASE_TASKS, TASKS, from_rows


def task_id(project: str, batch: str, item_id: str, purpose: str, slot: int) -> str:
    """Return the id of a task: 32 hexadecimal digits made of all that names it.

    >>> task_id("sentiment", "movies", "17", "label", 1) == task_id("sentiment", "movies", "17", "label", 1)
    True
    """
    name = json.dumps([project, batch, item_id, purpose, slot])
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def label_tasks(
    project: str, batch: str, routes: pa.Table, annotations: pa.Table, rejected: pa.Table, first: int
) -> pa.Table:
    """Return all questions to annotators so far: those answered, and those that the routes ask for.

    An answer that does not count (undecided, outside the ontology) is asked for again in a new slot.

    Args:
        project: The project's name.
        batch: The batch.
        routes: ROUTES of the batch.
        annotations: ANNOTATIONS of the batch.
        rejected: REJECTED_ANSWERS of the batch.
        first: Annotations that every item gets before it is judged.

    Returns:
        TASKS; open ones have `is_answered` false.
    """
    answered = Counter(annotations["item_id"].to_pylist()) + Counter(rejected["item_id"].to_pylist())
    rows = []
    for item in routes.select(["item_id", "route", "reason", "votes"]).to_pylist():
        done = answered[item["item_id"]]
        wanted = max(first - item["votes"], 1) if item["route"] == "annotator" else 0
        for slot in range(1, done + wanted + 1):
            reason = "every item is asked" if slot <= first else item["reason"] if slot > done else "asked once more"
            rows.append(_task(project, batch, item["item_id"], "label", slot, "annotator", reason, slot <= done))
    return from_rows(rows, TASKS)


def expert_tasks(
    project: str, audit: pa.Table, adjudications: pa.Table, rejected: pa.Table, answers_asked: int
) -> pa.Table:
    """Return all questions to auditors and experts so far, answered and open.

    An answer that does not count is asked for again in a new slot.

    Args:
        project: The project's name.
        audit: AUDIT of the release.
        adjudications: ADJUDICATIONS of the release; empty before the cut is known.
        rejected: REJECTED_EXPERT_ANSWERS of the release.
        answers_asked: See `cupel.answers.experts.verdict`.

    Returns:
        RELEASE_TASKS.
    """
    rows: list[dict[str, Any]] = []
    names = rejected.select(["batch", "item_id"]).to_pylist()
    lost = Counter((row["batch"], row["item_id"]) for row in names)
    for table, purpose, asked_of, reason in (
        (audit, "audit", "auditor", "drawn for the audit"),
        (adjudications, "expert", "expert", "behind the cut"),
    ):
        for item in table.to_pylist():
            done = item["answers"] + lost[item["batch"], item["item_id"]]
            # Two experts differ: ask the third. Fewer than asked: ask for the rest.
            wanted = 0 if item["is_settled"] else max(answers_asked - item["answers"], 1)
            for slot in range(1, done + wanted + 1):
                task = _task(
                    project, item["batch"], item["item_id"], purpose, slot, asked_of, reason, slot <= done
                )  # fmt: skip
                rows.append({"release": item["release"], **task})
    return from_rows(rows, RELEASE_TASKS)


def _task(
    project: str, batch: str, item_id: str, purpose: str, slot: int, asked_of: str, reason: str, is_answered: bool
) -> dict[str, Any]:
    return {
        "task_id": task_id(project, batch, item_id, purpose, slot),
        "batch": batch,
        "item_id": item_id,
        "purpose": purpose,
        "slot": slot,
        "asked_of": asked_of,
        "reason": reason,
        "is_answered": is_answered,
    }
