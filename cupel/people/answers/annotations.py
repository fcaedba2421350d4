"""Annotations: the answers of annotators that count, and those that do not, with the reason."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.consensus.coding import ItemIds, id_array
from cupel.contract.columns import TEXT
from cupel.contract.table import Table, conform
from cupel.contract.tables.labeling import ANNOTATIONS, REJECTED_ANSWERS
from cupel.contract.tables.release import EXPERT_ANSWERS, REJECTED_EXPERT_ANSWERS
from cupel.people.answers.guidelines import OF_MODEL, RECORDED
from cupel.people.answers.guidelines import REASONS as GUIDELINE_REASONS
from cupel.people.answers.item_fit import IsMisfit
from cupel.people.answers.sent_back import REASONS as SEND_BACK_REASONS
from cupel.people.answers.sent_back import Marked

Flags = NDArray[np.bool_]
Parse = Callable[[pa.ChunkedArray], pa.Array]

REASONS = {
    "unknown_item": "The item is not in the delivery, or cleaning dropped it.",
    "unknown_label": "The label is none that the project knows.",
    "outside_item": "A mark of the answer lies outside the item, as behind the end of its text.",
    "undecided": "The annotator could not decide.",
    "annotator_removed": "The annotator was removed; the question is put to another one.",
    "answered_twice": "The annotator had answered this item before; the first answer counts.",
    "not_asked": "Nobody asked for it: the item had all answers that were wanted, or it is a later version of one.",
    "not_calibrated": "The annotator had not passed the calibration when it was given.",
    "task_changed": "Somebody had changed what the task shows.",
    "unknown_annotator": "The project says annotators are known here, and the answer names none.",
    "is_a_model": "A model of the crew gave it; it is no expert and no auditor.",
    **GUIDELINE_REASONS,
    **SEND_BACK_REASONS,
}
EVIDENCE_CHARACTERS = 200
# Of an answer that does not count for these, the evidence is what it said.
QUOTED = ("unknown_label", "outside_item", "answered_twice", "not_asked")
# Answers of this source come from people who can answer unasked.
LIVE = "label_studio"
# Why such an answer counts for nothing whatever is asked: it ends the source.
UNFIT = ("not_calibrated", "task_changed")
NEEDED = {column.name for table in (ANNOTATIONS, EXPERT_ANSWERS) for column in table.columns}


def keep_classes(labels: "pa.Array | pa.ChunkedArray", classes: Sequence[str]) -> pa.Array:
    """Return the labels that are one of some classes, null where one is none.

    >>> keep_classes(pa.array(["a", "z"]), ("a", "b")).to_pylist()
    ['a', None]
    """
    labels = id_array(labels)
    return pc.if_else(pc.is_in(labels, value_set=id_array(classes)), labels, pa.scalar(None, TEXT))


def annotations(
    answers: pa.Table,
    item_ids: ItemIds,
    parse: Parse,
    are_annotators_known: bool,
    removed: Mapping[str, str] | None = None,
    *,
    may_be_unasked: bool = False,
    sent_back: Marked | None = None,
    is_misfit: IsMisfit | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Sort annotators' answers into those that count and those that do not.

    Args:
        answers: ANSWERS of one batch with the purpose `label`, any order.
        item_ids: The items that may be answered.
        parse: Returns the canonical text of answers, null where one is no label.
        are_annotators_known: Whether every answer must name its annotator.
        removed: Annotators whose answers do not count any more, and what says so.
        may_be_unasked: Answers count that no task asked for, as those of the crew's models do.
        sent_back: Which of them do not count because their items were sent back; None: none was.
        is_misfit: Tells which cannot be of their items, see `find_misfits`; None: all can.

    Returns:
        ANNOTATIONS and REJECTED_ANSWERS; every answer is in exactly one of them.
    """
    kept, rejected = _sort(
        answers, item_ids, parse, are_annotators_known, removed, may_be_undecided=False,
        may_be_unasked=may_be_unasked, sent_back=sent_back, is_misfit=is_misfit,
    )  # fmt: skip
    return _table(kept, ANNOTATIONS), _table(rejected, REJECTED_ANSWERS)


def expert_answers(
    answers: pa.Table, item_ids: ItemIds, parse: Parse, is_misfit: IsMisfit | None = None
) -> tuple[pa.Table, pa.Table]:
    """Sort experts' and auditors' answers of one batch into those that count and those that do not.

    An expert may say that an item cannot be decided: the label is null and the answer counts. An
    expert who answers an item again, for whatever purpose, is not a second opinion.

    Args:
        answers: ANSWERS of one batch with the purposes `audit` and `expert`, any order.
        item_ids: The items that may be answered.
        parse: Returns the canonical text of answers, null where one is no label.
        is_misfit: Tells which cannot be of their items, see `find_misfits`; None: all can.

    Returns:
        EXPERT_ANSWERS without their release, and REJECTED_EXPERT_ANSWERS likewise.
    """
    kept, rejected = _sort(
        answers, item_ids, parse, are_annotators_known=True, removed=None, may_be_undecided=True, may_be_unasked=True,
        is_misfit=is_misfit,
    )  # fmt: skip
    return _table(kept, EXPERT_ANSWERS), _table(rejected, REJECTED_EXPERT_ANSWERS)


def _sort(
    answers: pa.Table,
    items: ItemIds,
    parse: Parse,
    are_annotators_known: bool,
    removed: Mapping[str, str] | None,
    *,
    may_be_undecided: bool,
    may_be_unasked: bool,
    sent_back: Marked | None = None,
    is_misfit: IsMisfit | None = None,
) -> tuple[pa.Table, pa.Table]:
    """Return the answers that count, and those that do not with `reason` and `evidence`, both in sequence."""
    if sent_back is not None:
        answers = answers.append_column("marked", sent_back.evidence)
        for reason, flags in sent_back.flags.items():
            answers = answers.append_column(reason, pa.array(flags))
    answers = _in_sequence(answers)
    marked = [] if sent_back is None else [(reason, _flags(answers[reason])) for reason in sent_back.flags]
    why = answers["marked"] if sent_back is not None else pa.nulls(answers.num_rows, TEXT)
    was_unasked = np.zeros(answers.num_rows, np.bool_) if may_be_unasked else _was_unasked(answers)
    unfit = [(reason, _is_unfit(answers, reason)) for reason in UNFIT]
    answers = answers.select([name for name in answers.column_names if name in NEEDED])
    label, annotator = answers["label"], answers["annotator"]
    parsed = parse(label)
    gone = pa.array(sorted(removed or {}), TEXT)
    # Of the reasons that hold for an answer, the first counts.
    reasons = [
        ("unknown_item", _flags(pc.invert(pc.is_in(answers["item_id"], value_set=id_array(items))))),
        # Whose answers do not count have no say in whether an item can be decided.
        ("unknown_annotator", _flags(pc.is_null(annotator)) & are_annotators_known),
        ("annotator_removed", _flags(pc.is_in(annotator, value_set=gone))),
        *unfit,
        # Before all that is said of labels: who could not decide then is asked anew.
        *((reason, flags & ~was_unasked) for reason, flags in marked),
        ("undecided", _flags(pc.is_null(label)) & (not may_be_undecided)),
        ("unknown_label", _flags(pc.is_valid(label)) & ~_flags(pc.is_valid(parsed))),
    ]
    if is_misfit is not None:
        reasons += [("outside_item", is_misfit(answers))]
    reasons += [("not_asked", was_unasked)]
    is_bad = np.any([holds for _, holds in reasons], axis=0)
    reasons += [("answered_twice", _is_again(answers, ~is_bad & _flags(pc.is_valid(annotator))))]
    holds = np.stack([flags for _, flags in reasons])
    is_rejected = holds.any(axis=0)
    rejected = answers.filter(pa.array(is_rejected))
    first = pa.array(holds[:, is_rejected].argmax(axis=0))
    reason = pa.array([name for name, _ in reasons], TEXT).take(first)
    quoted = pc.is_in(reason, value_set=pa.array(QUOTED, TEXT))
    shortened = pc.utf8_slice_codeunits(rejected["label"], 0, EVIDENCE_CHARACTERS)
    evidence = pc.if_else(quoted, shortened, pa.scalar(None, TEXT))
    said = pa.array([(removed or {})[name] for name in gone.to_pylist()], TEXT)
    by_removal = said.take(pc.index_in(rejected["annotator"], value_set=gone))
    evidence = pc.if_else(pc.equal(reason, "annotator_removed"), by_removal, evidence)
    is_marked = pc.is_in(reason, value_set=pa.array(list(SEND_BACK_REASONS), TEXT))
    evidence = pc.if_else(is_marked, why.filter(pa.array(is_rejected)), evidence)
    rejected = rejected.append_column("reason", reason).append_column("evidence", evidence)
    counted = answers.set_column(answers.column_names.index("label"), "label", parsed).filter(pa.array(~is_rejected))
    return counted, rejected


def _was_unasked(answers: pa.Table) -> Flags:
    """Tell which answers came that no task asks for.

    A tool lets anybody answer, as often as he likes. What a model of the crew said, by its source, is not what a person
    said, when it is of the crew no more. A person's recorded answer about an item that was not there counts once it is.
    """
    if not {"task_id", "source"} <= set(answers.column_names):
        return np.zeros(answers.num_rows, np.bool_)
    source = answers["source"]
    is_of_model = pc.and_(pc.starts_with(source, f"{RECORDED}:"), pc.match_substring(source, OF_MODEL))
    is_meant = pc.or_(pc.starts_with(source, f"{LIVE}:"), is_of_model)
    return _flags(pc.and_(pc.is_null(answers["task_id"]), is_meant))


def _is_unfit(answers: pa.Table, reason: str) -> Flags:
    if "source" not in answers.column_names:
        return np.zeros(answers.num_rows, np.bool_)
    source = answers["source"]
    return _flags(pc.and_(pc.starts_with(source, f"{LIVE}:"), pc.ends_with(source, f":{reason}")))


def _in_sequence(answers: pa.Table) -> pa.Table:
    sequence = answers["sequence"].to_numpy()
    return answers if bool((sequence[1:] > sequence[:-1]).all()) else answers.sort_by("sequence")


def _is_again(answers: pa.Table, may_count: Flags) -> Flags:
    """Tell which answers come after one of the same annotator on the same item, of those that may count."""
    rows = np.flatnonzero(may_count)
    item, annotator = (
        answers[name].combine_chunks().dictionary_encode().indices.fill_null(-1).to_numpy().astype(np.int64)[rows]
        for name in ("item_id", "annotator")
    )
    _, first = np.unique(item * (annotator.max(initial=0) + 1) + annotator, return_index=True)
    is_again = may_count.copy()
    is_again[rows[first]] = False
    return is_again


def _flags(values: pa.Array | pa.ChunkedArray) -> Flags:
    return np.asarray(values, dtype=np.bool_)


def _table(answers: pa.Table, table: Table) -> pa.Table:
    return conform(answers.select([column.name for column in table.columns]), table)
