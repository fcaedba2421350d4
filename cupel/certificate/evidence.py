"""Evidence: what experts have said so far of a frozen release, and the terms that were declared before."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from cupel.certificate.hypergeometric import Reals
from cupel.certificate.sequence import Flags


class Evidence(NamedTuple):
    """What experts have said so far: arrays of shape items, in risk order, the safest first.

    `is_audited` tells which items were put to the auditors so far. The others hold for an item with a
    verdict, audited or adjudicated: the protocol has come to its end (`is_settled`), the label differs from
    the experts' (`is_wrong`), experts stay split (`is_contested`). Verdicts on items before the cut that were
    not audited play no part. `marks` are the items' marks in the draw, see `sample.marks`; the fixed sequence
    and the stratified audit need none.
    """

    is_audited: Flags
    is_settled: Flags
    is_wrong: Flags
    is_contested: Flags
    marks: Reals | None = None

    @property
    def size(self) -> int:
        """Items frozen."""
        return len(self.is_audited)

    @property
    def drawn(self) -> int:
        """Items put to the auditors so far."""
        return int(self.is_audited.sum())

    @property
    def audit_wrong(self) -> Flags:
        """Audited items whose label is wrong."""
        return self.is_wrong & self.is_audited

    @property
    def audit_contested(self) -> Flags:
        """Audited items on which experts stay split."""
        return self.is_contested & self.is_audited

    def behind(self, accepted: int) -> Flags:
        """Return which items are behind a cut and were not audited: those that need adjudication."""
        return (np.arange(self.size) >= accepted) & ~self.is_audited


@dataclass(frozen=True)
class Limits:
    """What was declared besides the method; `can_be_contested` says that experts may stay split on an item."""

    error_budget: float
    attempt: int
    max_experts_seen_share: float
    can_be_contested: bool = True
