"""Bounds by part: how many labels may be wrong in each of their parts, all parts together, from the same audit."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.certificate.attempts import attempt_alpha
from cupel.certificate.evidence import Evidence
from cupel.certificate.result import Terms


class PartBound(NamedTuple):
    """What the audit shows of one part of the labels.

    `audited` and `wrong` are of the audit; `frozen_upper` bounds how many of all frozen labels are wrong in the part,
    `left_upper` how many still are after every one that experts found has been repaired.
    """

    audited: int
    wrong: int
    frozen_upper: int
    left_upper: int


def bound_parts(evidence: Evidence, terms: Terms, is_wrong: NDArray[np.bool_]) -> list[PartBound]:
    """Bound the wrong labels of each part, so that all bounds of all attempts hold together with 95% confidence.

    Each part is allowed its share of the attempt's chance to be wrong, by the design of the audit. What is left follows
    without further chance: so many were wrong at most, and those found were repaired. Contested items are held back,
    and count as not wrong. The bounds are no part of the certificate: they spend a chance of their own.

    Args:
        evidence: What experts have said, the audit being at its end; all of them are taken at their word.
        terms: Of the audit.
        is_wrong: Which labels experts found wrong in which part, shape items x parts, in risk order.
    """
    parts = is_wrong.shape[1]
    bounds = []
    for part in is_wrong.T:
        upper = min(terms.design.upper(evidence, part, attempt_alpha(terms.attempt) / parts, terms), evidence.size)
        audited = part & evidence.is_audited
        bounds.append(PartBound(evidence.drawn, int(audited.sum()), upper, max(0, upper - int(part.sum()))))
    return bounds
