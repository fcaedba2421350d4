"""Undecided items: how many of all items experts may leave undecided, by what an audit proves and what is known."""

import numpy as np

from cupel.certificate.evidence import Evidence, Limits
from cupel.certificate.sequence import floor_share


def undecided_upper(evidence: Evidence, accepted: int, contested_upper: int, verdicts_left: int = 0) -> int:
    """Return the exact upper bound of the contested items among all, from a complete audit and what is adjudicated.

    Those that experts were asked about are counted, not bounded: of all items, at most so many are contested as were
    found, and all that nobody was asked about. The smaller of this and the audit's bound holds wherever the audit's
    does, so it spends no chance of its own. While adjudications are awaited the bound only rises: what is found
    contested among them is added to it.

    Args:
        evidence: Verdicts so far.
        accepted: Items before the cut.
        contested_upper: Bound of the contested items among all, from the audit alone; see `Cutting`.
        verdicts_left: Verdicts behind the cut that may be wrong.

    Returns:
        A number of items; never less than were found.
    """
    is_asked = evidence.is_audited | evidence.behind(accepted)
    found = int(np.count_nonzero(evidence.is_contested & is_asked))
    unseen = int(np.count_nonzero(~is_asked))
    return max(found, min(contested_upper, found + unseen + verdicts_left))


def undecided_least(evidence: Evidence, contested_upper: int, limits: Limits) -> int:
    """Return what the bound is at least in the end, however many items experts see, up to the most they may see."""
    found = int(np.count_nonzero(evidence.audit_contested))
    unseen = evidence.size - floor_share(limits.max_experts_seen_share, evidence.size)
    return max(found, min(contested_upper, found + unseen))


def undecided_most(limits: Limits, size: int) -> int | None:
    """Return how many of so many items may be contested; None where no limit was declared."""
    return None if limits.max_undecided_share is None else floor_share(limits.max_undecided_share, size)
