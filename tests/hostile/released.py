"""A release whose every free text can be chosen, as the facts that report, card and funnel are made of."""

from typing import Any

import pyarrow as pa

from cupel.config.project import Project
from cupel.kinds.projects import make_project
from cupel.lake.send_back_log import SendBack
from cupel.release.facts import BatchFacts, Cost, ReleaseFacts
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.relabel import RELABEL_SCHEMA
from cupel.release.rework import ReworkCount
from cupel.show.report_facts import ReportFacts

PLACES = (
    "title", "description", "question", "experts", "citation", "owner", "class", "licence", "source_file", "reason",
    "check", "item_id", "text", "annotator", "wording", "lost", "currency", "seconds",
)  # fmt: skip


def chosen(said: dict[str, str], is_certified: bool, with_plots: bool = False) -> tuple[ReleaseFacts, ReportFacts]:
    """Return the facts of a release, certified or refused; each place of PLACES says what is given."""
    project = _project(said)
    gate = {
        "stage": "release", "partition": "one-r1", "check": said["check"], "outcome": "fail", "severity": "warning",
        "observed": 0.5, "bound": None, "threshold": 0.4, "comparison": "at most", "reason": said["reason"],
        "table_name": "labels", "table_hash": "ab", "item_ids": [said["item_id"]] * 6,
    }  # fmt: skip
    item = {
        "batch": "one", "item_id": said["item_id"], "text": said["text"], "label": said["class"], "risk_rank": 3,
        "expert_label": said["class"], "majority_label": said["class"], "predicted_label": said["class"],
    }  # fmt: skip
    facts = ReleaseFacts(
        project=project, release="one-r1", batches=[_batch(said, gate, with_plots)], terms=_terms(said),
        result=_result(said, is_certified),
        certificate={"wording": said["wording"], "are_auditors_independent": False} if is_certified else None,
        cuts=[], stage_errors=_errors() if with_plots else [], gates=[gate], splits={"train": 5},
        labels={said["class"]: 5}, released=5 if is_certified else 0, withheld=1,
        cost=Cost(9, 4, 0.1, 3.0, said["currency"]), worst=[item],
        licences={said["licence"]: 7},
    )  # fmt: skip
    relabel = {name: said["reason"] if name == "reason" else item[name] for name in RELABEL_SCHEMA.names}
    return facts, ReportFacts([], 1, pa.Table.from_pylist([relabel], schema=RELABEL_SCHEMA), [], [])


def _project(said: dict[str, str]) -> Project:
    project = make_project(
        {
            "project": "small", "title": "t", "owner": "team:x",
            "raw": {"deliveries": {"one": {"files": ["one.jsonl"], "licence": "MIT"}}},
            "labeling": {"question": "q", "classes": ["a", "b"], "experts": {"description": "d"}},
            "release": {"error_budget": 0.05, "audit_size": 10, "max_experts_seen_share": 0.5},
        }
    )  # fmt: skip
    experts = project.labeling.experts.model_copy(update={"description": said["experts"]})
    labeling = project.labeling.model_copy(
        update={"question": said["question"], "classes": (said["class"], "other"), "experts": experts}
    )
    release = project.release.model_copy(update={"description": said["description"], "citation": said["citation"]})
    prices = project.prices.model_copy(update={"currency": said["currency"], "expert_answer": 1.0})
    update = {
        "title": said["title"],
        "owner": said["owner"],
        "labeling": labeling,
        "release": release,
        "prices": prices,
    }
    return project.model_copy(update=update)


def _batch(said: dict[str, str], gate: dict[str, Any], with_plots: bool) -> BatchFacts:
    delivery = {"batch": "one", "licence": said["licence"], "source_file": said["source_file"], "rows_in": 9}
    annotator = {
        "annotator": said["annotator"], "answers": 12, "answer_share": 0.5, "agreement_share": 0.5, "quality": 0.9,
        "quality_low": 0.8, "quality_high": 0.95,
    }  # fmt: skip
    finding = {"annotator": said["annotator"], "finding": "guessing", "p_value": None, "log10_ratio": 2.0,
               "items": 9, "evidence": said["annotator"]}  # fmt: skip
    action = {"annotator": said["annotator"], "deed": "remove", "finding": "guessing", "evidence": said["annotator"],
              "asked_by": said["annotator"]}  # fmt: skip
    vendor = {
        "vendor": "north", "annotators": 1, "answers": 9, "standard_share": 0.9, "standard_low": 0.8,
        "standard_high": 0.95, "difference": None, "difference_low": None, "difference_high": None, "gold_answers": 4,
        "gold_right": 3, "gold_low": 0.2, "gold_high": 0.9, "found_annotators": 1,
    }  # fmt: skip
    sent_back = SendBack(
        "one", (said["item_id"],), said["reason"], said["annotator"], said["source_file"], (said["annotator"],),
        (said["annotator"],), 9, ("one-r1",), "2026-11-30T09:00:00+00:00",
    )  # fmt: skip
    rework = [
        ReworkCount(who, said["annotator"], 2, 2, 1, 1, 1, 4, 3, 0.2, 0.99, 1, 0) for who in ("annotator", "vendor")
    ]
    return BatchFacts(
        rework=rework, send_backs=[sent_back], annotator_findings=[finding], actions=[action],
        vendors=[vendor] if with_plots else [],
        batch="one", rows_in=9, rejected={said["lost"]: 2}, items_clean=7, items_labelled=7, annotations=9,
        rejected_answers={said["lost"]: 1}, deliveries=[delivery], annotators=[annotator] if with_plots else [],
        routes={}, tasks_open=0, gates=[{**gate, "stage": "cleaning", "partition": "one"}],
    )  # fmt: skip


def _terms(said: dict[str, str]) -> FrozenTerms:
    return FrozenTerms.from_plan(
        {
            "release": "one-r1", "batches": ["one"], "status": "frozen", "reason": None, "attempt": 1, "alpha": 0.04,
            "error_budget": 0.05, "audit_size": 4, "seed": 1, "answers_until": 9, "items": 7, "items_sha256": "ab" * 32,
            "classes": [said["class"], "other"], "expert_answers": 1, "experts_description": said["experts"],
            "max_experts_seen_share": 0.5, "are_auditors_independent": False,
        }
    )  # fmt: skip


def _result(said: dict[str, str], is_certified: bool) -> dict[str, Any]:
    return {
        "release": "one-r1", "status": "certified" if is_certified else "refused", "reason": said["reason"], "items": 7,
        "attempt": 1, "alpha": 0.04, "confidence": 0.95, "error_budget": 0.05, "audited": 4, "audit_wrong": 1,
        "audit_contested": 1, "accepted": 4, "to_adjudicate": 2, "adjudicated": 1, "repaired": 1, "contested": 1,
        "experts_seen": 5, "experts_seen_share": 0.7, "error_bound": 0.04, "error_bound_with_contested": 0.05,
    }  # fmt: skip


def _errors() -> list[dict[str, Any]]:
    return [
        {"release": "one-r1", "decided_by": "one annotator", "error": 0.1, "error_low": 0.05, "error_high": 0.2,
         "audited": 4, "wrong": 1},
    ]  # fmt: skip
