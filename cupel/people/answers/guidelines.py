"""Answers under older guidelines: which stay, and as what label, and which are asked again. The log is never edited."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.config.guideline import SHOWN_DIGITS, Change
from cupel.config.project import Project
from cupel.contract.columns import TEXT
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.lake.guideline_log import GUIDELINES, GuidelineVersion, read_versions
from cupel.lake.lake import Lake

Places = NDArray[np.int64]

OLDER = "older_guideline"
UNKNOWN = "unknown_guideline"
REASONS = {
    OLDER: "It was given under an older guideline, and does not count under the present one; the evidence says why.",
    UNKNOWN: "Its file names a guideline that is no version of the project's.",
}
# Of a task's id, what stands before the version; of a recorded answer's source, likewise.
OF_TASK, OF_SOURCE = "@", "@guideline-"
RECORDED = "recorded"
# Behind the file in the source of an answer that a model of the crew gave.
OF_MODEL = "@model"
_UNKNOWN_PLACE = -1
# Purposes of which only answers under the release's own guideline count: an audit judges labels by what it says.
OWN_GUIDELINE = {"audit": "an audit counts only under the guideline of its release,"}


class Translated(NamedTuple):
    """Answers as they read under the guideline in force, and those that are not asked what they say, with the reason.

    Both have the columns given; `rejected` also `reason` and `evidence`.
    """

    answers: pa.Table
    rejected: pa.Table


class Fate(NamedTuple):
    """What becomes of an answer: its label now, or why it is asked again (the change, in words)."""

    label: str | None
    why: str | None


def versions_of(lake: Lake, project: Project) -> list[GuidelineVersion]:
    """Return the versions of a project's guideline, the last in force; none of a project without one."""
    return [] if project.labeling.guideline is None else read_versions(lake.log(GUIDELINES))


def versions_until(versions: Sequence[GuidelineVersion], frozen: str | None) -> list[GuidelineVersion]:
    """Return the versions up to the one that a release was frozen under; none where it was frozen under none."""
    place = next((place for place, one in enumerate(versions) if one.version == frozen), None)
    return [] if place is None else list(versions[: place + 1])


def task_suffix(versions: Sequence[GuidelineVersion]) -> str:
    """Return what the ids of tasks end with that are put now: the version in force; "" without a guideline."""
    return f"{OF_TASK}{versions[-1].shown}" if versions else ""


def version_of_task(task_id: str | None) -> str | None:
    """Return which version a task was put under, as its id ends; None of one that knows none.

    >>> version_of_task("0123@abcdefabcdef"), version_of_task("0123"), version_of_task(None)
    ('abcdefabcdef', None, None)
    """
    return None if task_id is None else task_id.partition(OF_TASK)[2] or None


def translate_answers(
    answers: pa.Table, versions: Sequence[GuidelineVersion], kind: Kind, strict: Mapping[str, str] | None = None
) -> Translated:
    """Read answers under the guideline in force.

    Args:
        answers: ANSWERS, any row order.
        versions: The versions of the project's guideline, the last in force; none: every answer is as it is.
        kind: The kind of the labels: it knows which classes one names.
        strict: Purposes whose answers count only if they were given under the version in force, and in which words to
            say so.

    Returns:
        The answers that stay, each with the label that it has now; and the others.
    """
    none = pa.nulls(0, TEXT)
    if not versions:
        return Translated(answers, answers.slice(0, 0).append_column("reason", none).append_column("evidence", none))
    place = places_of(answers, versions)
    label, purpose = answers["label"].to_pylist(), answers["purpose"].to_pylist()
    source = answers["source"].to_pylist()
    last, known = len(versions) - 1, dict[tuple[int, str | None], Fate]()
    labels, reasons, evidence = [], [], []
    for at, said, meant, whence in zip(place.tolist(), label, purpose, source, strict=True):
        fate, reason = Fate(said, None), OLDER
        if at == _UNKNOWN_PLACE:
            fate, reason = Fate(None, _explain_unknown(whence, versions)), UNKNOWN
        elif at < last and strict and meant in strict:
            fate = Fate(None, f"{strict[meant]} {versions[last].shown}; it was given under {versions[at].shown}")
        elif at < last:
            if (at, said) not in known:
                known[at, said] = trace_label(said, versions[at:], kind)
            fate = known[at, said]
        labels.append(fate.label)
        reasons.append(None if fate.why is None else reason)
        evidence.append(fate.why)
    is_lost = pa.array([why is not None for why in evidence], pa.bool_())
    column = answers.column_names.index("label")
    read = answers.set_column(column, "label", pa.array(labels, TEXT)).filter(pc.invert(is_lost))
    lost = answers.append_column("reason", pa.array(reasons, TEXT)).append_column("evidence", pa.array(evidence, TEXT))
    return Translated(read, lost.filter(is_lost))


def translate_known(rows: pa.Table, versions: Sequence[GuidelineVersion], kind: Kind) -> pa.Table:
    """Return known labels as they read under the guideline in force; what would be asked again is known no more.

    Args:
        rows: Columns label and guideline, the version that a label was given under; null: the first.
        versions: See `translate_answers`.
        kind: Likewise.
    """
    if len(versions) < 2:
        return rows
    shown = {version.shown: place for place, version in enumerate(versions)}
    fates = [
        trace_label(label, versions[at:], kind)
        if (at := shown.get((named or versions[0].shown)[:SHOWN_DIGITS], _UNKNOWN_PLACE)) != _UNKNOWN_PLACE
        else Fate(None, "unknown")
        for label, named in zip(rows["label"].to_pylist(), rows["guideline"].to_pylist(), strict=True)
    ]
    labels = pa.array([fate.label for fate in fates], TEXT)
    read = rows.set_column(rows.column_names.index("label"), "label", labels)
    return read.filter(pa.array([fate.why is None for fate in fates], pa.bool_()))


def with_older(rejected: pa.Table, older: pa.Table) -> pa.Table:
    """Return rejected answers of both kinds in one table: those that were sorted out, and those asked again.

    Args:
        rejected: REJECTED_ANSWERS, or a table of experts' likewise.
        older: `Translated.rejected` of the same answers.
    """
    if not older.num_rows:
        return rejected
    return pa.concat_tables([rejected, older.select(rejected.column_names).cast(rejected.schema)])


def trace_label(label: str | None, versions: Sequence[GuidelineVersion], kind: Kind) -> Fate:
    """Return what a label is after some changes, or at which of them its answer is asked again.

    Args:
        label: The label, or None of who could not decide.
        versions: The version that the answer was given under, and all behind it.
        kind: The kind of the labels.
    """
    first, *later = versions
    before, given = first.shown, label
    label = _parse(label, first, kind)
    if label is None and given is not None:
        # What it says is a class now, perhaps; but then it was not given under that guideline.
        return Fate(None, f"{given!r:.200} is no label of {first.shown}, which it was given under")
    known = next(one.ontology for one in reversed(versions) if one.ontology is not None)
    under = first.ontology or known
    for version in later:
        if version.change is not None:
            fate = _change_label(label, version.change, kind, under, version.ontology or known)
            if fate.why is not None:
                return Fate(None, f"{given!r} of {first.shown}: {fate.why} from {before} to {version.shown}")
            label = fate.label
        before, under = version.shown, version.ontology or known
    if label is not None and _parse(label, versions[-1], kind) is None:
        return Fate(None, f"{given!r} of {first.shown}: says too little, or too much, for {versions[-1].shown}")
    return Fate(label, None)


def _parse(label: str | None, version: GuidelineVersion, kind: Kind) -> str | None:
    """Return a label as it reads under a version, None where it is none; as it is where the classes are not known."""
    if label is None or version.ontology is None:
        return label
    found: str | None = kind.parse(pa.array([label], TEXT), version.ontology)[0].as_py()
    return found


def _change_label(label: str | None, change: Change, kind: Kind, before: Ontology, after: Ontology) -> Fate:
    """Return what one change makes of a label: of every class that it names."""
    if label is None or change.answers == "ask_again":
        return apply_change(label, change)
    own = kind.classes_of(label, before)
    fates = [apply_change(name, change) for name in own]
    if why := next((fate.why for fate in fates if fate.why is not None), None):
        return Fate(None, why)
    names = tuple(dict.fromkeys(str(fate.label) for fate in fates))
    if names == own:
        return Fate(label, None)
    try:
        return Fate(kind.label_of(names, after), None)
    except ValueError:
        return Fate(None, f"no label says {', '.join(names) or 'nothing'}")


def apply_change(label: str | None, change: Change) -> Fate:
    """Return what one change makes of a class, or of an answer that names none.

    >>> change = Change(from_version="0" * 12, classes={"glad": "happy", "odd": None, "good": ("good", "great")})
    >>> apply_change("glad", change).label, apply_change("odd", change).why, apply_change("good", change).why
    ('happy', 'dropped', 'split into good, great')
    >>> apply_change("sad", change).label
    'sad'
    """
    if label in change.classes:
        new = change.classes[label]
        if new is None:
            return Fate(None, "dropped")
        return Fate(new, None) if isinstance(new, str) else Fate(None, f"split into {', '.join(new)}")
    if change.answers == "ask_again" or label in change.classes_asked_again:
        return Fate(None, "asked again")
    return Fate(label, None)


def places_of(answers: pa.Table, versions: Sequence[GuidelineVersion]) -> Places:
    """Return under which version each answer was given, as its place; -1 where its file names none of them.

    A recorded answer's file may say so, else it is of the first. An answer to a task is of the task's; one that nobody
    asked for is of the version that was in force when it came.

    Args:
        answers: Columns sequence, source, task_id of ANSWERS.
        versions: The versions of the project's guideline, at least one.
    """
    shown = {version.shown: place for place, version in enumerate(versions)}
    begins = np.array([version.answers_from for version in versions])
    arrived = np.searchsorted(begins, answers["sequence"].to_numpy(), side="right") - 1
    found = []
    columns = (answers[name].to_pylist() for name in ("source", "task_id"))
    for source, task_id, by_time in zip(*columns, arrived.tolist(), strict=True):
        if source.startswith(f"{RECORDED}:"):
            named = source.rpartition(OF_SOURCE)[2] if OF_SOURCE in source else ""
            found.append(shown.get(named[:SHOWN_DIGITS], _UNKNOWN_PLACE) if named else 0)
        elif task_id is None:
            found.append(max(by_time, 0))
        else:
            # Tasks from before there was a guideline name none; a task of a version that is not here was never put.
            named = version_of_task(task_id) or ""
            found.append(shown.get(named, _UNKNOWN_PLACE) if named else 0)
    return np.array(found, np.int64)


def _explain_unknown(source: str, versions: Sequence[GuidelineVersion]) -> str:
    named = source.rpartition(OF_SOURCE)[2]
    return f"guideline {named!r:.40} is none of {', '.join(version.shown for version in versions)}"
