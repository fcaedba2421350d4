"""The second audit: adjudicated items drawn at random once all are decided, judged again by another expert.

Their rows are in AUDIT beside those of the audit itself, and in ADJUDICATIONS with the first verdict.
"""

import hashlib
from json.encoder import encode_basestring_ascii as encoded

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.sample import draw
from cupel.contract.item_numbers import Places
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.names import Names

_VERDICT = ["batch", "item_id", "expert_label"]


def answers_for(terms: FrozenTerms, expert_answers: pa.Table, purpose: str) -> pa.Table:
    """Return the expert answers that count for a purpose.

    An expert's answer counts for whatever is asked, for it is paid already; only where adjudicators are audited
    are they kept apart: no adjudicator's answer may stand for an auditor's.

    Args:
        terms: Of the release.
        expert_answers: EXPERT_ANSWERS of the release.
        purpose: audit or expert; who decided items before the freeze is an adjudicator.
    """
    if not terms.adjudicators_audited:
        return expert_answers
    meant = pa.array(["round", "expert"] if purpose == "expert" else [purpose])
    return expert_answers.filter(pc.is_in(expert_answers["purpose"], value_set=meant))


def draw_again(terms: FrozenTerms, adjudicated: pa.Table) -> Places:
    """Draw the adjudicated items that another expert judges again; none before all are decided.

    The draw's seed is made of the frozen items and of all verdicts, so no adjudicator can know beforehand which
    of them will be looked at, and anybody can repeat the draw from the evidence.

    Args:
        terms: Of the release.
        adjudicated: ADJUDICATIONS.

    Returns:
        Rows of ADJUDICATIONS, in the order of the draw.
    """
    declared = terms.adjudicators_audited
    if not declared or not adjudicated.num_rows or not pc.all(adjudicated["is_settled"]).as_py():
        return np.empty(0, np.int64)
    size = min(declared, adjudicated.num_rows)
    return np.array(draw(Names(adjudicated), size, _seed(terms, adjudicated)), np.int64)


def _seed(terms: FrozenTerms, adjudicated: pa.Table) -> int:
    """Return 63 bits made of the audit's seed, itself made of the frozen items, and of all adjudications."""
    digest = hashlib.sha256(f"adjudicators/{terms.seed}/".encode())
    rows = adjudicated.select(_VERDICT).sort_by([("batch", "ascending"), ("item_id", "ascending")])
    for batch, item, label in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        said = "null" if label is None else encoded(label)
        digest.update(f"[{encoded(batch)},{encoded(item)},{said}]".encode())
    return int.from_bytes(digest.digest()[:8], "big") >> 1
