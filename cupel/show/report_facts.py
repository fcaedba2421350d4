"""Facts that only the report tells: the course of errors along the risk order, what to relabel, agreement."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.certificate.outlook import Outlook
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.contract.table import empty
from cupel.contract.tables.labeling import ANNOTATIONS
from cupel.lake.lake import Lake
from cupel.release.facts import ReleaseFacts, Row
from cupel.release.outlook import release_outlook
from cupel.release.relabel import RELABEL_SCHEMA, relabel_rows
from cupel.release.release_audit import ReleaseAudit, Verdicts, read_release_audit

_ANSWERED = ["item_id", "annotator", "label"]


class ReportFacts(NamedTuple):
    """What the report tells beyond `ReleaseFacts`.

    `curve` is as `audit_curve` returns it; `allowed_wrong` the wrong labels that the accepted part may hold;
    `relabel` as `relabel_rows` returns it; `agreement` has batch, statistic, value, lower, upper and items;
    `outlook` is what was to be expected of the audit.
    """

    curve: list[Row]
    allowed_wrong: int
    relabel: pa.Table
    agreement: list[Row]
    outlook: list[Outlook]

    @classmethod
    def nothing(cls) -> "ReportFacts":
        """Return what there is to tell when nothing was gathered."""
        return cls([], 0, RELABEL_SCHEMA.empty_table(), [], [])


def report_facts(lake: Lake, facts: ReleaseFacts) -> ReportFacts:
    """Gather them; tables that are not there yet count as empty."""
    audit = read_release_audit(
        lake, facts.release, "audit", "adjudications", "planted_verdicts", columns=["log_odds"],
        known=[facts.project.kind],
    )  # fmt: skip
    is_held = audit.audit.num_rows > 0
    kind, ontology = facts.project.kind, facts.project.labeling.ontology
    return ReportFacts(
        curve=audit_curve(audit) if is_held else [],
        allowed_wrong=audit.assay.allowed_wrong if is_held else 0,
        relabel=relabel_rows(lake, audit),
        agreement=[
            row
            for batch in facts.batches
            for row in agreement(batch.batch, _read_answers(lake, batch.batch), kind, ontology)
        ],
        outlook=_outlook(facts, audit),
    )


def agreement(batch: str, annotations: pa.Table, kind: Kind, ontology: Ontology) -> list[Row]:
    """Measure how far a delivery's annotators agree, by the statistics that go with the label kind.

    Args:
        batch: The delivery.
        annotations: ANNOTATIONS.
        kind: The label kind.
        ontology: What a label may say.

    Returns:
        Rows of batch, statistic, value, lower, upper (95%) and items; none without annotations.
    """
    if not annotations.num_rows:
        return []
    votes = annotations.group_by(["item_id", "label"]).aggregate([([], "count_all")])
    votes = votes.rename_columns(["item_id", "label", "votes"]).sort_by("item_id")
    return [{"batch": batch, "statistic": name, **found._asdict()} for name, found in kind.agreement(votes, ontology)]


def audit_curve(audit: ReleaseAudit) -> list[Row]:
    """Count audited and wrong labels along the risk order, of the random part of the audit.

    Args:
        audit: With its items, audit and planted verdicts.

    Returns:
        A row for each audited item whose verdict is settled, the safest first: risk_rank, and audited and
        wrong so far. Contested items count as audited and not as wrong, as in the test of the cuts.
    """
    is_settled, is_wrong, _ = Verdicts.of(audit.audit)
    judged = np.flatnonzero(audit.is_random & is_settled)
    judged = judged[np.argsort(audit.rows.audit[judged], kind="stable")]
    ranks = audit.items["risk_rank"].take(pa.array(audit.rows.audit[judged])).to_pylist()
    wrong = np.cumsum(is_wrong[judged]).tolist()
    return [
        {"risk_rank": rank, "audited": audited, "wrong": found}
        for audited, (rank, found) in enumerate(zip(ranks, wrong, strict=True), 1)
    ]


def wrong_left(curve: Sequence[Row], items: int, audited: int, seen_share: float) -> float | None:
    """Estimate the share of labels left wrong if experts saw no more than a share of the items.

    They see those drawn for the audit, which lie everywhere, and the riskiest of the others.

    Args:
        curve: As `audit_curve` returns it.
        items: Items of the release.
        audited: Items drawn for the audit.
        seen_share: Share of the items that experts would see.

    Returns:
        Wrong labels left as a share of all items; None where the audit alone is more than that share, or
        drew nothing from the part left.

    >>> curve = [{"risk_rank": 10, "audited": 1, "wrong": 1}, {"risk_rank": 50, "audited": 2, "wrong": 1}]
    >>> wrong_left(curve, 100, 2, 0.51)
    0.245
    """
    unseen = items * (1 - seen_share)
    if not audited <= items - unseen < items:
        return None
    inside = [row for row in curve if row["risk_rank"] <= unseen / (1 - audited / items)]
    return inside[-1]["wrong"] / inside[-1]["audited"] * unseen / items if inside else None


def _outlook(facts: ReleaseFacts, audit: ReleaseAudit) -> list[Outlook]:
    if not audit.items.num_rows:
        return []
    return release_outlook(facts.project, audit.items["log_odds"].to_numpy(), audit.terms.attempt, audit.terms.design)


def _read_answers(lake: Lake, batch: str) -> pa.Table:
    if lake.commit(ANNOTATIONS.name, batch) is None:
        return empty(ANNOTATIONS)
    return lake.read(ANNOTATIONS.name, batch, _ANSWERED)
