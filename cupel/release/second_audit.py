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
from cupel.release.nonces import make_seed, seed_of

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


def count_to_draw(terms: FrozenTerms, adjudicated: pa.Table) -> int:
    """Return how many adjudicated items another expert judges again; none before all are decided."""
    declared = terms.adjudicators_audited
    if not declared or not adjudicated.num_rows or not pc.all(adjudicated["is_settled"]).as_py():
        return 0
    return min(declared, int(adjudicated.num_rows))


def draw_again(terms: FrozenTerms, adjudicated: pa.Table, nonce: str | None) -> Places:
    """Draw the adjudicated items that another expert judges again.

    The draw's seed is made of all verdicts and of a nonce that came after them, so nobody, who answers last either, can
    know beforehand which of them will be looked at, and anybody can repeat the draw from the evidence.

    Args:
        terms: Of the release.
        adjudicated: ADJUDICATIONS.
        nonce: Of the draw; None while there is none. Releases frozen by an older version have none: there the seed
            follows from the verdicts.

    Returns:
        Rows of ADJUDICATIONS, in the order of the draw.
    """
    size, is_older = count_to_draw(terms, adjudicated), terms.freeze_sha256 is None
    if not size or (nonce is None and not is_older):
        return np.empty(0, np.int64)
    digest = hash_adjudications(terms, adjudicated)
    seed = seed_of(digest) if nonce is None else make_seed(digest, nonce, "adjudicators")
    return np.array(draw(Names(adjudicated), size, seed), np.int64)


def hash_adjudications(terms: FrozenTerms, adjudicated: pa.Table) -> str:
    """Return the hash of the audit's seed, itself made of the frozen items, and of all adjudications."""
    digest = hashlib.sha256(f"adjudicators/{terms.seed}/".encode())
    rows = adjudicated.select(_VERDICT).sort_by([("batch", "ascending"), ("item_id", "ascending")])
    for batch, item, label in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        said = "null" if label is None else encoded(label)
        digest.update(f"[{encoded(batch)},{encoded(item)},{said}]".encode())
    return digest.hexdigest()
