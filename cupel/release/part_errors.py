"""The errors of a release part by part: of each question, or each class of a set, where a label has several parts."""

from typing import Any

import numpy as np
import pyarrow.compute as pc

from cupel.certificate.part_bounds import bound_parts
from cupel.release.release_audit import ReleaseAudit


def part_errors(audit: ReleaseAudit) -> list[dict[str, Any]]:
    """Return what the audit shows of each part of the labels; see `bound_parts`.

    Args:
        audit: With its items, audit, adjudications and planted verdicts.

    Returns:
        Rows of part, audited, wrong, frozen_upper and left_upper, both a share of the frozen items. None where a label
        has one part, while answers are awaited, and where experts are not taken at their word: where planted items show
        that auditors may overlook errors, or adjudicators are audited, who may have made some.
    """
    kind, ontology = audit.kind, audit.terms.ontology
    may_err = audit.terms.planted_errors or audit.terms.adjudicators_audited
    if kind is None or not audit.items.num_rows or may_err:
        return []
    parts = kind.parts(ontology)
    if len(parts) < 2 or not audit.assay.is_audited:
        return []
    said = audit.verdicts["expert_label"].take(audit.verdict_of)
    is_judged = np.asarray(pc.is_valid(said), np.bool_)
    is_other = kind.split(audit.items["label"], ontology) != kind.split(said, ontology)
    size = audit.items.num_rows
    return [
        {
            "part": part.name,
            "audited": bound.audited,
            "wrong": bound.wrong,
            "frozen_upper": bound.frozen_upper / size,
            "left_upper": bound.left_upper / size,
        }
        for part, bound in zip(
            parts, bound_parts(audit.evidence, audit.terms, is_other & is_judged[:, None]), strict=True
        )
    ]
