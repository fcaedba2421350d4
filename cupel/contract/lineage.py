"""Lineage: which columns of other tables a column comes from.

A column that a table shares with one that it is made from, the same `Column`, passes through unchanged. What is derived
is declared here: of each column, or of all others of a table as `*`, the main columns that decide its values. A column
declared with nothing comes from no table: it is measured on files, drawn, fixed by the project file, or the partition.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from cupel.contract.columns import BATCH, RELEASE, Column
from cupel.contract.tables import TABLES

REST = "*"
Declared: TypeAlias = Mapping[str, tuple[str, ...]]

_TEXTS = ("item_signals.text", "raw_items.text")
_GIVEN = {name: (f"answers.{name}",) for name in ("sequence", "label")}
_ANSWERS = {**_GIVEN, **{name: (f"answers.{name}",) for name in ("purpose", "annotator")}}
_REJECTED = {"sequence": ("answers.sequence",), REST: ("answers.label", "answers.item_id")}
_GRADED = ("annotations.label", "annotations.annotator")
_FREEZE = ("labels.label", "labels.log_odds")
_FOUND = ("audit.is_wrong", "audit.is_settled", "adjudications.is_wrong", "release_items.label")
_WORDS = ("expert_answers.label", "expert_answers.annotator")
_UNWANTED = ("contamination_items.rank", "contamination_items.score", "contamination_answers.label")
_SHOWN = ("predictions.predicted_label", "model_answers.label")
_VERDICT = {"answers": _WORDS, "is_settled": _WORDS, "is_contested": _WORDS, "expert_label": _WORDS}
_ASKED = ("routes.route", "round_items.is_settled", "annotations.item_id", "rejected_answers.reason")
_SIFTED = (
    "raw_items.licence", "item_signals.language", "item_signals.characters", "item_signals.overlap_share",
    "similar_items.similarity",
)  # fmt: skip
_WHY_REJECTED = (
    *_SIFTED, "image_files.problem", "image_signals.sharpness", "sifted_items.reason", "contamination_items.score",
    "contamination_result.cut",
)  # fmt: skip
_OPEN = ("audit.is_settled", "adjudications.is_settled", "planted_verdicts.is_settled")

DERIVED: dict[str, Declared] = {
    "item_signals": {
        "language": ("raw_items.text",), "is_declared_language": ("raw_items.text", "raw_items.declared_language"),
        REST: ("raw_items.text",),
    },
    "signatures": {REST: _TEXTS},
    "similar_items": {
        "earlier_batch": ("signatures.batch", "raw_items.batch"),
        "earlier_item_id": ("signatures.item_id", "image_signals.item_id"),
        REST: ("signatures.bands", "signatures.shingles", "image_signals.perceptual_hash"),
    },
    "clean_items": {
        "text": _TEXTS, "language": ("item_signals.language",),
        "group_id": ("sifted_items.group_id", "raw_items.group_id", "similar_items.earlier_item_id"),
    },
    "sifted_items": {"group_id": ("raw_items.group_id", "similar_items.earlier_item_id"), REST: _SIFTED},
    "rejected_items": {REST: _WHY_REJECTED},
    "image_files": {REST: ("raw_items.text",)},
    "image_signals": {REST: ("raw_items.text",)},
    "contamination_answers": _ANSWERS,
    "rejected_contamination_answers": _REJECTED,
    "contamination_plan": {
        **dict.fromkeys(("alpha", "confidence", "at_most", "good", "what", "description", "project_seed"), ()),
        REST: ("sifted_items.item_id", "contamination_answers.label"),
    },
    "contamination_items": {REST: ("item_signals.text", "contamination_answers.label")},
    "contamination_tasks": {REST: ("contamination_items.use", "contamination_answers.sequence")},
    "contamination_cuts": {"alpha": ("contamination_plan.alpha",), REST: _UNWANTED},
    "contamination_result": {
        **{name: (f"contamination_plan.{name}",) for name in (
            "alpha", "attempt", "at_most", "confidence", "candidates"
        )},
        REST: _UNWANTED,
    },
    "contamination_sources": {REST: _UNWANTED},
    "annotations": _GIVEN,
    "rejected_answers": _REJECTED,
    "consensus": {REST: (*_GRADED, "people_consensus.posterior", "model_answers.label")},
    "people_consensus": {REST: _GRADED},
    "responses": {
        "response_id": ("clean_items.text",), "prompt_id": ("clean_items.text",),
        REST: ("annotations.label", "clean_items.text"),
    },
    "habits": {"annotator": ("annotations.annotator",), REST: _GRADED},
    "annotators": {
        "annotator": ("annotations.annotator",), "seconds_spent": ("annotations.seconds_spent",),
        "time_ratio": ("annotations.seconds_spent",), "vendor": ("annotations.annotator",), REST: _GRADED,
    },
    "annotator_findings": {
        "annotator": ("annotations.annotator",),
        REST: (*_GRADED, "annotations.seconds_spent", "annotations.answered_at"),
    },
    "vendors": {"seconds_spent": ("annotations.seconds_spent",), REST: _GRADED},
    "model_answers": {**_GIVEN, "model": ("answers.annotator",), "model_version": ()},
    "rejected_model_answers": {**_REJECTED, "model": ("answers.annotator",)},
    "models": {"price": (), REST: ("model_answers.label", "annotations.label", "people_consensus.posterior")},
    "shown_answers": {"label": ("annotations.label",), "known_label": (), REST: _SHOWN},
    "anchoring": {REST: ("annotations.label", *_SHOWN)},
    "predictions": {
        "model": (), "model_version": (), "fold": ("clean_items.group_id", "clean_items.item_id"),
        REST: ("clean_items.text", "image_signals.features", "consensus.posterior", "people_consensus.posterior",
               "round_answers.label"),
    },
    "round_answers": _ANSWERS,
    "rejected_round_answers": _REJECTED,
    "round_items": {REST: ("round_answers.label", "round_answers.annotator")},
    "routes": {
        "votes": ("consensus.votes", "annotations.item_id"),
        REST: ("consensus.posterior", "people_consensus.posterior", "predictions.posterior", "round_items.expert_label",
               "rejected_answers.reason"),
    },
    "labels": {
        "label": ("routes.label", "consensus.posterior", "predictions.posterior", "round_items.expert_label"),
        "log_odds": ("routes.log_odds", "consensus.posterior", "predictions.posterior"),
        "decided_by": ("consensus.consensus_label", "predictions.predicted_label"),
        "route": ("routes.route",), "reason": ("routes.reason",), "majority_label": ("consensus.majority_label",),
        "consensus_label": ("consensus.consensus_label",), "predicted_label": ("predictions.predicted_label",),
    },
    "tasks": {REST: _ASKED},
    "release_plan": {
        "items": ("labels.item_id",), "items_sha256": ("clean_items.text", *_FREEZE),
        "freeze_sha256": ("clean_items.text", *_FREEZE), "seed": ("clean_items.text", *_FREEZE),
        "attempt": ("signatures.text_sha256",), "audited_before": ("signatures.text_sha256",), REST: (),
    },
    "release_items": {
        **{name: (f"labels.{name}",) for name in (
            "label", "log_odds", "decided_by", "majority_label", "consensus_label", "predicted_label"
        )},
        "group_id": ("clean_items.group_id", "similar_items.earlier_item_id"), "split": ("clean_items.group_id",),
        "risk_rank": ("labels.log_odds",), "is_audited": ("labels.log_odds",), "content_sha256": ("clean_items.text",),
        "text_sha256": ("signatures.text_sha256",),
    },
    "left_out_items": {REST: ("similar_items.earlier_item_id", "clean_items.licence")},
    "planted_items": {"known_label": (), REST: _FREEZE},
    "expert_answers": _ANSWERS,
    "rejected_expert_answers": _REJECTED,
    "planted_verdicts": {
        **_VERDICT, "label": ("planted_items.known_label",), "is_wrong": ("planted_items.known_label", *_WORDS)
    },
    "audit": {**_VERDICT, "label": ("release_items.label",), "is_wrong": ("release_items.label", *_WORDS)},
    "adjudications": {**_VERDICT, "label": ("release_items.label",), "is_wrong": ("release_items.label", *_WORDS)},
    "cuts": {
        "alpha": ("release_plan.alpha",), "accepted": ("release_items.risk_rank",),
        REST: ("audit.is_wrong", "release_items.risk_rank", "planted_verdicts.is_wrong"),
    },
    "release_tasks": {REST: _OPEN},
    "stage_errors": {
        "position": (), "decided_by": (),
        REST: ("audit.expert_label", "annotations.label", "release_items.majority_label",
               "release_items.consensus_label", "release_items.predicted_label"),
    },
    "audit_result": {
        **{name: (f"release_plan.{name}",) for name in ("alpha", "attempt", "items", "error_budget")},
        "confidence": (),
        "accepted": ("cuts.accepted", "cuts.is_passed"),
        "planted": ("planted_verdicts.item_id",), "planted_caught": ("planted_verdicts.is_wrong",),
        "sensitivity_bound": ("planted_verdicts.is_wrong",), REST: (*_FOUND, "cuts.accepted"),
    },
    "slice_bounds": {
        "by": (), "wrong_budget": (), "missed_budget": (), "value": ("release_items.label",),
        "items": ("release_items.label",), REST: _FOUND,
    },
    "release_languages": {
        "language": ("release_items.language",), "items_in": ("item_signals.language", "image_files.item_id"),
        "items": ("release_items.language",), "promised_items": (), "promised_error": (), REST: _FOUND,
    },
    "release_overlaps": {
        **dict.fromkeys(("reference_set", "source_file", "sha256", "references", "not_looked_for", "most_share"), ()),
        REST: ("release_items.text",),
    },
    "certificate": {
        **{name: (f"audit_result.{name}",) for name in (
            "status", "items", "confidence", "error_bound", "error_bound_with_contested", "experts_seen_share"
        )},
        "are_auditors_independent": ("release_plan.are_auditors_independent", "expert_answers.annotator"),
        "wording": ("audit_result.status", "audit_result.error_bound", "slice_bounds.wrong_upper",
                    "release_overlaps.items_over", "release_languages.error_high"),
    },
    "training_set": {
        "label": ("release_items.label", "audit.expert_label", "adjudications.expert_label"),
        "decided_by": ("release_items.decided_by", "audit.is_wrong", "adjudications.is_wrong"),
        "probability": ("release_items.log_odds", "audit.expert_label", "adjudications.expert_label"),
        "split": ("release_items.split",), "group_id": ("release_items.group_id",),
        "terms": ("release_plan.licences", "release_items.licence"),
    },
    "withheld_items": {"reason": ("audit.is_contested", "adjudications.is_contested")},
    "manifest": {REST: ()},
}  # fmt: skip


class ColumnSource(NamedTuple):
    """A column that another one comes from."""

    table: str
    column: str


def trace_columns(table: str, made_from: Iterable[str]) -> dict[str, tuple[ColumnSource, ...]]:
    """Return of each column of a table the columns that it comes from; of those that come from none, nothing.

    Args:
        table: The table.
        made_from: Tables that a project makes it from; others that are declared are left out.

    >>> trace_columns("annotations", ["clean_items", "answers"])["label"]
    (ColumnSource(table='answers', column='label'),)
    """
    others = [name for name in made_from if name in TABLES]
    found = {column.name: _sources(table, column, others) for column in TABLES[table].columns}
    return {name: sources for name, sources in found.items() if sources}


def is_explained(table: str, column: Column, made_from: Iterable[str]) -> bool:
    """Tell whether it is known of a column where it comes from, or that it comes from no table."""
    others = list(made_from)
    declared = DERIVED.get(table, {})
    is_new = not others or column in (BATCH, RELEASE) or column.name in declared or REST in declared
    return is_new or bool(_sources(table, column, others))


def _sources(table: str, column: Column, made_from: list[str]) -> tuple[ColumnSource, ...]:
    """Return where a column comes from: as declared, else the first table that has the same column."""
    declared = DERIVED.get(table, {})
    if column.name not in declared:
        same = next((name for name in made_from if column in TABLES[name].columns), None)
        if same is not None:
            return (ColumnSource(same, column.name),)
    named = (ColumnSource(*source.split(".")) for source in declared.get(column.name, declared.get(REST, ())))
    return tuple(source for source in named if source.table in made_from)
