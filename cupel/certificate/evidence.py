"""Evidence: what experts have said so far of a frozen release, and the terms that were declared before."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from cupel.certificate.attempts import Levels, attempt_levels
from cupel.certificate.auditors import ALPHA_ADJUDICATORS_SHARE, BUDGET_ADJUDICATORS_SHARE, share_alpha
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
    """What was declared besides the method.

    `can_be_contested` says that experts may stay split on an item; `adjudicators_audited` how many adjudicated
    items another expert judges again, 0 where the adjudicators' verdict is right by definition. Then the tests
    of the accepted part have what the proof about the adjudicators leaves of alpha (`levels`) and of the budget
    (`tested_budget`).
    """

    error_budget: float
    attempt: int
    max_experts_seen_share: float
    can_be_contested: bool = True
    adjudicators_audited: int = 0

    @property
    def levels(self) -> Levels:
        """The attempt's alpha for tests of wrong labels and for the bound of contested items."""
        levels = attempt_levels(self.attempt, self.can_be_contested)
        return share_alpha(levels, ALPHA_ADJUDICATORS_SHARE).levels if self.adjudicators_audited else levels

    @property
    def adjudicators_alpha(self) -> float:
        """The attempt's alpha for the bound of the adjudicators' wrong verdicts."""
        levels = attempt_levels(self.attempt, self.can_be_contested)
        return share_alpha(levels, ALPHA_ADJUDICATORS_SHARE).other if self.adjudicators_audited else 0.0

    @property
    def tested_budget(self) -> float:
        """The share of wrong labels that the accepted part is tested for."""
        if not self.adjudicators_audited:
            return self.error_budget
        return float(Fraction(repr(float(self.error_budget))) * Fraction(1 - BUDGET_ADJUDICATORS_SHARE))
