"""The second audit: adjudicated items drawn at random once all are decided, judged again by another expert.

Their rows are in AUDIT beside those of the audit itself, and in ADJUDICATIONS with the first verdict.
"""

import hashlib
from collections.abc import Mapping
from json.encoder import encode_basestring_ascii as encoded
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cupel.answers.places import places
from cupel.certificate.auditors import SecondAudit
from cupel.certificate.sample import draw
from cupel.release.audit_design import terms_of
from cupel.release.names import Names

_VERDICT = ["batch", "item_id", "expert_label"]


def answers_for(plan: Mapping[str, Any], expert_answers: pa.Table, purpose: str) -> pa.Table:
    """Return the expert answers that count for a purpose.

    An expert's answer counts for whatever is asked, for it is paid already; only where adjudicators are audited
    are they kept apart: no adjudicator's answer may stand for an auditor's.

    Args:
        plan: Row of RELEASE_PLAN.
        expert_answers: EXPERT_ANSWERS of the release.
        purpose: audit or expert; who decided items before the freeze is an adjudicator.
    """
    if not terms_of(plan).adjudicators_audited:
        return expert_answers
    meant = pa.array(["round", "expert"] if purpose == "expert" else [purpose])
    return expert_answers.filter(pc.is_in(expert_answers["purpose"], value_set=meant))


def drawn_again(plan: Mapping[str, Any], adjudicated: pa.Table) -> pa.Table:
    """Return the adjudicated items that another expert judges again; none before all are decided.

    The draw's seed is made of the frozen items and of all verdicts, so no adjudicator can know beforehand which
    of them will be looked at, and anybody can repeat the draw from the evidence.

    Args:
        plan: Row of RELEASE_PLAN.
        adjudicated: ADJUDICATIONS.

    Returns:
        Rows of ADJUDICATIONS.
    """
    declared = terms_of(plan).adjudicators_audited
    if not declared or not adjudicated.num_rows or not pc.all(adjudicated["is_settled"]).as_py():
        return adjudicated.slice(0, 0)
    size = min(declared, adjudicated.num_rows)
    return adjudicated.take(pa.array(draw(Names(adjudicated), size, _seed(plan, adjudicated))))


def second_audit(plan: Mapping[str, Any], audit: pa.Table, adjudicated: pa.Table) -> SecondAudit:
    """Count what another expert made of adjudicated items; a verdict is wrong where the label or contested differs.

    Args:
        plan: Row of RELEASE_PLAN.
        audit: AUDIT.
        adjudicated: ADJUDICATIONS.
    """
    drawn = drawn_again(plan, adjudicated)
    again = rows_of_items(audit.filter(audit["is_settled"]), drawn)
    one, other = places(again, drawn)
    before = drawn["expert_label"].take(pc.index_in(pa.array(one), value_set=pa.array(other)))
    is_same = pc.equal(again["expert_label"].fill_null(""), before.fill_null(""))
    return SecondAudit(drawn.num_rows, again.num_rows, again.num_rows - (pc.sum(is_same).as_py() or 0))


def rows_of_items(table: pa.Table, items: pa.Table) -> pa.Table:
    """Return the rows of a table that speak of some items, both by batch and item_id."""
    one, other = places(items, table)
    return table.filter(pc.is_in(pa.array(other), value_set=pa.array(one)))


def _seed(plan: Mapping[str, Any], adjudicated: pa.Table) -> int:
    """Return 63 bits made of the audit's seed, itself made of the frozen items, and of all adjudications."""
    digest = hashlib.sha256(f"adjudicators/{plan['seed']}/".encode())
    rows = adjudicated.select(_VERDICT).sort_by([("batch", "ascending"), ("item_id", "ascending")])
    for batch, item, label in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        said = "null" if label is None else encoded(label)
        digest.update(f"[{encoded(batch)},{encoded(item)},{said}]".encode())
    return int.from_bytes(digest.digest()[:8], "big") >> 1
