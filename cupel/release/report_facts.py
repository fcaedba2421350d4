"""Facts that only the report tells: the course of errors along the risk order, what to relabel, agreement."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.answers.places import places
from cupel.certificate.outlook import Outlook
from cupel.consensus.agreement import gwet_ac1, krippendorff_alpha
from cupel.consensus.coding import code, vote_counts
from cupel.contract.tables import TABLES
from cupel.contract.tables.labeling import ANNOTATIONS
from cupel.contract.tables.release import AUDIT, PLANTED_VERDICTS, RELEASE_ITEMS
from cupel.lake import Lake
from cupel.release.audit_design import terms_of
from cupel.release.facts import ReleaseFacts, Row
from cupel.release.outlook import release_outlook
from cupel.release.proof import NEEDED_ITEMS, allowed_wrong, random_audit
from cupel.release.relabel import RELABEL_SCHEMA, relabel_rows

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
    items = _read(lake, RELEASE_ITEMS.name, facts.release, [*NEEDED_ITEMS, "log_odds"])
    audit = _read(lake, AUDIT.name, facts.release, [column.name for column in AUDIT.columns])
    plan, planted = lake.read("release_plan", facts.release), None
    if facts.plan["status"] == "frozen" and terms_of(facts.plan).planted_errors:
        planted = _read(lake, PLANTED_VERDICTS.name, facts.release, PLANTED_VERDICTS.schema.names)
    is_held = items.num_rows > 0 and audit.num_rows > 0
    classes = facts.project.labeling.classes
    return ReportFacts(
        curve=audit_curve(items, random_audit(plan, items, audit, planted) if is_held else audit),
        allowed_wrong=allowed_wrong(plan, items, audit, planted) if is_held else 0,
        relabel=relabel_rows(lake, facts.release),
        agreement=[
            row
            for batch in facts.batches
            for row in agreement(batch.batch, _read(lake, ANNOTATIONS.name, batch.batch, _ANSWERED), classes)
        ],
        outlook=_outlook(facts, items),
    )


def agreement(batch: str, annotations: pa.Table, classes: Sequence[str]) -> list[Row]:
    """Measure how far a delivery's annotators agree, by two statistics, which differ where one class is rare.

    Args:
        batch: The delivery.
        annotations: ANNOTATIONS.
        classes: The ontology.

    Returns:
        Rows of batch, statistic, value, lower, upper (95%) and items; none without annotations.
    """
    if not annotations.num_rows:
        return []
    counts = vote_counts(code(annotations, None, classes))
    statistics = (("Krippendorff's alpha", krippendorff_alpha(counts)), ("Gwet's AC1", gwet_ac1(counts)))
    return [{"batch": batch, "statistic": name, **found._asdict()} for name, found in statistics]


def audit_curve(items: pa.Table, audit: pa.Table) -> list[Row]:
    """Count audited and wrong labels along the risk order.

    Args:
        items: RELEASE_ITEMS; columns batch, item_id, risk_rank.
        audit: AUDIT of the release; columns batch, item_id, is_settled, is_wrong.

    Returns:
        A row for each audited item whose verdict is settled, the safest first: risk_rank, and audited and
        wrong so far. Contested items count as audited and not as wrong, as in the test of the cuts.
    """
    settled = audit.filter(audit["is_settled"])
    item, judged = places(items, settled)
    rank = items["risk_rank"].take(pc.index_in(pa.array(judged), value_set=pa.array(item))).to_numpy()
    order = np.argsort(rank, kind="stable")
    wrong = np.cumsum(pc.fill_null(settled["is_wrong"], False).to_numpy()[order])
    return [
        {"risk_rank": int(rank[place]), "audited": audited, "wrong": int(wrong[audited - 1])}
        for audited, place in enumerate(order, 1)
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


def _outlook(facts: ReleaseFacts, items: pa.Table) -> list[Outlook]:
    if not items.num_rows:
        return []
    design = terms_of(facts.plan).design
    return release_outlook(facts.project, items["log_odds"].to_numpy(), facts.plan["attempt"], design)


def _read(lake: Lake, table: str, partition: str, columns: list[str]) -> pa.Table:
    if lake.commit(table, partition) is None:
        return TABLES[table].schema.empty_table().select(columns)
    return lake.read(table, partition, columns)
