"""The outbox: which questions are put to whom. Asking twice is asking once."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from json.encoder import encode_basestring_ascii as encoded

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT
from cupel.contract.item_numbers import Places, places
from cupel.contract.table import Table, conform
from cupel.contract.tables.contamination import CONTAMINATION_TASKS
from cupel.contract.tables.release import RELEASE_TASKS
from cupel.contract.tables.tasks import TASKS
from cupel.people.answers.sent_back import Rework

# How an item is used (`use` of CONTAMINATION_ITEMS): purpose, asked_of and reason of the question.
USES = {
    "pilot": ("contamination", "expert", "drawn at random, to learn what is unwanted"),
    "train": ("contamination", "expert", "the model is in doubt"),
    "audit": ("contamination_audit", "auditor", "drawn for the audit of what is kept"),
}
# What experts answer for: before the freeze, in the audit, behind the cut.
OF_EXPERTS = ("round", "audit", "expert")
# Ids are made for so many tasks at a time, so that few are held as Python strings.
PIECE_TASKS = 65_536


def task_id(project: str, batch: str, item_id: str, purpose: str, slot: int) -> str:
    """Return the id of a task: 32 hexadecimal digits made of all that names it.

    >>> task_id("sentiment", "movies", "17", "label", 1) == task_id("sentiment", "movies", "17", "label", 1)
    True
    """
    # A JSON list, written by hand: it is ten times as fast.
    name = f"[{encoded(project)}, {encoded(batch)}, {encoded(item_id)}, {encoded(purpose)}, {slot}]"
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def label_tasks(
    project: str, batch: str, routes: pa.Table, annotations: pa.Table, rejected: pa.Table, first: int,
    guideline: str = "", sent_back: Mapping[str, Rework] | None = None,
) -> pa.Table:  # fmt: skip
    """Return all questions to annotators so far: those answered, and those that the routes ask for.

    An answer that does not count (undecided, outside the ontology) is asked for again in a new slot.

    Args:
        project: The project's name.
        batch: The batch.
        routes: ROUTES of the batch.
        annotations: ANNOTATIONS of the batch.
        rejected: REJECTED_ANSWERS of the batch.
        first: Annotations that every item gets before it is judged.
        guideline: What the ids end with; see `cupel.people.answers.guidelines.task_suffix`.
        sent_back: The items that were sent back: questions behind the answers of then say so, and why. Where there are
            any, `annotations` and `rejected` have the column sequence.

    Returns:
        TASKS; open ones have `is_answered` false.
    """
    asked, *answers = places(routes, annotations, rejected, names=("item_id",))
    answered = np.bincount(np.concatenate(answers), minlength=asked.max(initial=-1) + 1)
    done = answered[asked].astype(np.int64)
    is_wanted = pc.equal(routes["route"], "annotator").to_numpy()
    wanted = np.where(is_wanted, np.maximum(first - routes["votes"].to_numpy(), 1), 0)
    item, slot = _slots(done + wanted)
    why = routes["reason"].combine_chunks().dictionary_encode()
    reasons = pa.concat_arrays([pa.array(["every item is asked", "asked once more"], TEXT), why.dictionary])
    later = np.where(slot > done[item], why.indices.to_numpy()[item] + 2, 1)
    columns = {
        "batch": pa.repeat(pa.scalar(batch, TEXT), len(item)),
        "item_id": routes["item_id"].take(pa.array(item)),
        "purpose": pa.repeat(pa.scalar("label", TEXT), len(item)),
        "slot": pa.array(slot),
        "asked_of": pa.repeat(pa.scalar("annotator", TEXT), len(item)),
        "reason": reasons.take(pa.array(np.where(slot <= first, 0, later))),
        "is_answered": pa.array(slot <= done[item]),
    }
    if sent_back:
        answers_then = _count_answers_then(routes["item_id"], (annotations, rejected), sent_back)
        again = [sent_back[name].asked if name in sent_back else None for name in routes["item_id"].to_pylist()]
        told = pc.if_else(pa.array(slot > answers_then[item]), pa.array(again, TEXT).take(pa.array(item)), None)
        columns["reason"] = pc.coalesce(told, columns["reason"])
    return conform(_with_ids(project, pa.table(columns), guideline), TASKS)


def _count_answers_then(items: pa.ChunkedArray, answers: Iterable[pa.Table], sent_back: Mapping[str, Rework]) -> Places:
    """Return how many answers each item had when it was last sent back."""
    counted = Counter(
        name
        for table in answers
        for name, sequence in zip(table["item_id"].to_pylist(), table["sequence"].to_pylist(), strict=True)
        if name in sent_back and sequence <= sent_back[name].answers_until
    )
    return np.array([counted[name] for name in items.to_pylist()], np.int64)


def expert_tasks(
    project: str,
    audit: pa.Table,
    adjudications: pa.Table,
    rejected: pa.Table,
    answers_asked: int,
    guideline: str = "",
) -> pa.Table:
    """Return all questions to auditors and experts so far, answered and open.

    An answer that does not count is asked for again in a new slot.

    Args:
        project: The project's name.
        audit: AUDIT of the release, and of planted items that it has not drawn PLANTED_VERDICTS, whose columns are
            the same; nothing tells their questions from others.
        adjudications: ADJUDICATIONS of the release; empty while the audit is open.
        rejected: REJECTED_EXPERT_ANSWERS of the release; with a column `purpose`, each counts for its own only.
        answers_asked: See `cupel.people.answers.experts.verdict`.
        guideline: See `label_tasks`.

    Returns:
        RELEASE_TASKS.
    """
    to_auditors = ("audit", "auditor", "drawn for the audit")
    parts = [
        _put_to_experts(project, audit, rejected, answers_asked, to_auditors, guideline=guideline),
        _put_to_experts(
            project,
            adjudications,
            rejected,
            answers_asked,
            ("expert", "expert", "not accepted by the audit"),
            guideline=guideline,
        ),
    ]
    return pa.concat_tables(parts)


def round_tasks(
    project: str, batch: str, items: pa.Table, rejected: pa.Table, answers_asked: int, is_ready: bool,
    guideline: str = "",
) -> pa.Table:  # fmt: skip
    """Return all questions to experts before the freeze so far, answered and open.

    Args:
        project: The project's name.
        batch: The batch.
        items: ROUND_ITEMS of the batch.
        rejected: REJECTED_ROUND_ANSWERS of the batch: what does not count is asked again in a new slot.
        answers_asked: See `cupel.people.answers.experts.verdict`.
        is_ready: Annotators have answered all that they are asked; before that experts are asked nothing.
        guideline: See `label_tasks`.

    Returns:
        TASKS.
    """
    items = items.append_column("batch", pa.repeat(pa.scalar(batch, TEXT), items.num_rows))
    terms = ("round", "expert", "among the riskiest, before labels are frozen")
    tasks = _put_to_experts(project, items, rejected, answers_asked, terms, TASKS, guideline)
    return tasks if is_ready else tasks.filter(tasks["is_answered"])


def contamination_tasks(project: str, items: pa.Table, answers: pa.Table, rejected: pa.Table) -> pa.Table:
    """Return all questions whether an item is wanted, answered and open; one answer that counts is enough.

    Args:
        project: The project's name.
        items: CONTAMINATION_ITEMS of a batch.
        answers: CONTAMINATION_ANSWERS of the batch.
        rejected: REJECTED_CONTAMINATION_ANSWERS of the batch: what does not count is asked again in a new slot.

    Returns:
        CONTAMINATION_TASKS.
    """
    parts = [CONTAMINATION_TASKS.schema.empty_table()]
    for use, terms in USES.items():
        own = items.filter(pc.equal(items["use"], use))
        asked, given, lost = places(own, answers, rejected, names=("item_id",))
        most = max(part.max(initial=-1) for part in (asked, given, lost)) + 1
        is_answered = np.bincount(given, minlength=most)[asked] > 0
        done = (np.bincount(given, minlength=most) + np.bincount(lost, minlength=most))[asked].astype(np.int64)
        item, slot = _slots(done + np.where(is_answered, 0, 1))
        columns = {name: own[name].take(pa.array(item)) for name in ("batch", "item_id")} | {
            name: pa.repeat(pa.scalar(value, TEXT), len(item))
            for name, value in zip(("purpose", "asked_of", "reason"), terms, strict=True)
        }
        columns |= {"slot": pa.array(slot), "is_answered": pa.array(slot <= done[item])}
        parts.append(conform(_with_ids(project, pa.table(columns)), CONTAMINATION_TASKS))
    return pa.concat_tables(parts)


def _put_to_experts(
    project: str,
    items: pa.Table,
    rejected: pa.Table,
    answers_asked: int,
    terms: tuple[str, str, str],
    table: Table = RELEASE_TASKS,
    guideline: str = "",
) -> pa.Table:
    """Return the questions about items with their answers so far; `terms` are purpose, asked_of and reason."""
    if "purpose" in rejected.column_names:
        rejected = rejected.filter(pc.equal(rejected["purpose"], terms[0]))
    asked, lost = places(items, rejected)
    answers = items["answers"].to_numpy()
    done = answers + np.bincount(lost, minlength=asked.max(initial=-1) + 1)[asked]
    # Two experts differ: ask the third. Fewer than asked: ask for the rest.
    wanted = np.where(items["is_settled"].to_numpy(), 0, np.maximum(answers_asked - answers, 1))
    item, slot = _slots(done + wanted)
    names = [column.name for column in table.columns if column.name in ("release", "batch", "item_id")]
    columns = {name: items[name].take(pa.array(item)) for name in names} | {
        name: pa.repeat(pa.scalar(value, TEXT), len(item))
        for name, value in zip(("purpose", "asked_of", "reason"), terms, strict=True)
    }
    columns |= {"slot": pa.array(slot), "is_answered": pa.array(slot <= done[item])}
    return conform(_with_ids(project, pa.table(columns), guideline), table)


def _slots(sizes: Places) -> tuple[Places, Places]:
    """Return item and slot of every question, the items having so many questions each."""
    item = np.repeat(np.arange(len(sizes)), sizes)
    return item, np.arange(len(item)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1


def _with_ids(project: str, tasks: pa.Table, guideline: str = "") -> pa.Table:
    """Return the tasks with the column `task_id`, which ends with the guideline that they are put under."""
    names = [tasks[name] for name in ("batch", "item_id", "purpose", "slot")]
    pieces = [pa.array([], TEXT)]
    for start in range(0, tasks.num_rows, PIECE_TASKS):
        rows = zip(*(column.slice(start, PIECE_TASKS).to_pylist() for column in names), strict=True)
        pieces.append(pa.array([task_id(project, *row) + guideline for row in rows], TEXT))
    return tasks.append_column("task_id", pa.chunked_array(pieces))
