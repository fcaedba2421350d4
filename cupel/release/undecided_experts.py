"""Experts of a release who leave undecided what others decide."""

import numpy as np
import pyarrow as pa

from cupel.people.annotators.undecided import UndecidedFinding, find_undecided
from cupel.release.names import find_rows
from cupel.release.release_audit import ReleaseAudit

_NAME = ["batch", "item_id"]


def find_undecided_experts(audit: ReleaseAudit) -> list[UndecidedFinding]:
    """Return the experts who leave undecided what others decide; see `find_undecided`.

    Args:
        audit: With its audit and expert answers; with its items where the design's sample is not simple random.
    """
    if not audit.expert_answers.num_rows:
        return []
    random = audit.audit.filter(pa.array(audit.is_random)).select(_NAME)
    (row,) = find_rows(random, audit.expert_answers)
    return find_undecided(audit.expert_answers, np.asarray(row >= 0, np.bool_))


def name_finding(found: UndecidedFinding) -> str:
    """Return a finding in words."""
    return (
        f"{found.expert} leaves undecided {found.undecided:,} of {found.answers:,}, others "
        f"{found.others_undecided:,} of {found.others_answers:,} ({found.compared_on}; chance {found.p_value:.2g})"
    )
