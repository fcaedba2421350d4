"""Annotations: the answers of annotators that count, and those that do not, with the reason."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from cupel.tables import ANNOTATIONS, EXPERT_ANSWERS, REJECTED_ANSWERS, REJECTED_EXPERT_ANSWERS, Table, from_rows

REASONS = {
    "unknown_item": "The item is not in the delivery, or cleaning dropped it.",
    "unknown_label": "The label is not one of the project's classes.",
    "undecided": "The annotator could not decide.",
    "answered_twice": "The annotator had answered this item before; the first answer counts.",
    "unknown_annotator": "The project says annotators are known here, and the answer names none.",
}
EVIDENCE_CHARACTERS = 200


def annotations(
    answers: pa.Table, item_ids: Sequence[str], classes: Sequence[str], are_annotators_known: bool
) -> tuple[pa.Table, pa.Table]:
    """Sort annotators' answers into those that count and those that do not.

    Args:
        answers: ANSWERS of one batch with the purpose `label`, any order.
        item_ids: The items that may be answered.
        classes: The ontology.
        are_annotators_known: Whether every answer must name its annotator.

    Returns:
        ANNOTATIONS and REJECTED_ANSWERS; every answer is in exactly one of them.
    """
    kept, rejected = _sort(answers, set(item_ids), set(classes), are_annotators_known, may_be_undecided=False)
    return _table(kept, ANNOTATIONS), _table(rejected, REJECTED_ANSWERS)


def expert_answers(answers: pa.Table, item_ids: Sequence[str], classes: Sequence[str]) -> tuple[pa.Table, pa.Table]:
    """Sort experts' and auditors' answers of one batch into those that count and those that do not.

    An expert may say that an item cannot be decided: the label is null and the answer counts. An
    expert who answers an item again, for whatever purpose, is not a second opinion.

    Args:
        answers: ANSWERS of one batch with the purposes `audit` and `expert`, any order.
        item_ids: The items that may be answered.
        classes: The ontology.

    Returns:
        EXPERT_ANSWERS without their release, and REJECTED_EXPERT_ANSWERS likewise.
    """
    kept, rejected = _sort(answers, set(item_ids), set(classes), are_annotators_known=True, may_be_undecided=True)
    return _table(kept, EXPERT_ANSWERS), _table(rejected, REJECTED_EXPERT_ANSWERS)


def _sort(
    answers: pa.Table, items: set[str], classes: set[str], are_annotators_known: bool, *, may_be_undecided: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    kept: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    seen: Counter[tuple[str, str]] = Counter()
    for answer in answers.sort_by("sequence").to_pylist():
        reason, evidence = None, None
        if answer["item_id"] not in items:
            reason = "unknown_item"
        elif answer["label"] is None and not may_be_undecided:
            reason = "undecided"
        elif answer["label"] is not None and answer["label"] not in classes:
            reason, evidence = "unknown_label", answer["label"][:EVIDENCE_CHARACTERS]
        elif answer["annotator"] is None and are_annotators_known:
            reason = "unknown_annotator"
        elif answer["annotator"] is not None and seen[answer["item_id"], answer["annotator"]]:
            reason, evidence = "answered_twice", answer["label"]
        if reason:
            rejected.append({**answer, "reason": reason, "evidence": evidence})
            continue
        if answer["annotator"] is not None:
            seen[answer["item_id"], answer["annotator"]] += 1
        kept.append(answer)
    return kept, rejected


def _table(rows: list[dict[str, Any]], table: Table) -> pa.Table:
    names = [column.name for column in table.columns]
    return from_rows([{name: row.get(name) for name in names} for row in rows], table)
