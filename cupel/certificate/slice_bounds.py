"""Bounds by class and slice: what may be wrong or missed in each, all of them and the certificate together at 95%."""

from typing import NamedTuple

import numpy as np

from cupel.certificate.evidence import Evidence
from cupel.certificate.hypergeometric import Integers
from cupel.certificate.result import AuditResult, Terms, upper_of_all
from cupel.certificate.sequence import Flags

# Parts of the risk order, from the safest on, of which each count is bounded; the cut lies in one of them, and what is
# behind the cut is known.
PARTS = (0.5, 0.75, 0.875, 0.9375, 1.0)


class LeftBound(NamedTuple):
    """What an audit shows of one count.

    `audited` items may count and were judged in the audit, `found` of them did. `frozen_upper` bounds how many of all
    frozen items count, `left_upper` how many still do after all that experts found is repaired: None while the
    audit is not at its end, or refused.
    """

    audited: int
    found: int
    frozen_upper: int
    left_upper: int | None


def bound_left(
    evidence: Evidence, terms: Terms, result: AuditResult, items: Flags, is_counted: Flags, alpha: float,
    verdicts_left: int = 0,
) -> LeftBound:  # fmt: skip
    """Bound how many of some items count, as they were frozen and as they are left.

    The whole alpha is divided among `PARTS`. In the smallest part that holds all that nobody adjudicated, so many count
    at most, and those found in it are known and repaired: the difference is left. Nobody need have said beforehand
    where the cut would be.

    Args:
        evidence: What experts have said, the audit being at its end.
        terms: Of the audit.
        result: What it came to.
        items: The items that may count, in risk order.
        is_counted: Those that experts found to, audited or adjudicated.
        alpha: Chance that the bound is below the truth.
        verdicts_left: How many verdicts of adjudicators may be wrong.
    """
    size, level = evidence.size, alpha / len(PARTS)
    counted = is_counted & items
    audited = evidence.is_audited & items
    everything = upper_of_all(evidence, terms, counted, level)
    found = LeftBound(int(audited.sum()), int((counted & audited).sum()), min(everything, int(items.sum())), None)
    if result.status != "certified":
        return found
    unseen = int((items & ~evidence.is_settled).sum())
    lefts = [unseen if not terms.planted_errors else int(items.sum())]
    for end in _ends(size):
        if end < result.accepted:
            continue
        is_before = np.arange(size) < end
        upper = everything if end == size else upper_of_all(evidence, terms, counted & is_before, level)
        if terms.planted_errors:
            # A repair may have been of a right label, and what auditors called right behind the end may be wrong.
            lefts.append(upper + int((audited & ~counted & ~is_before).sum()))
        else:
            # A wrong verdict of an adjudicator may have called bad what was right.
            repaired = int((counted & is_before & ~evidence.is_audited).sum())
            lefts.append(upper - int((counted & audited & is_before).sum()) - max(0, repaired - verdicts_left))
    return found._replace(left_upper=max(0, min(lefts)) + verdicts_left)


def _ends(size: int) -> Integers:
    return np.unique(np.ceil(np.array(PARTS) * size).astype(np.int64))
