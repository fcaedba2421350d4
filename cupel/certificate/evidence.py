"""Evidence: what experts have said so far of a frozen release, and the terms that were declared before."""

from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from cupel.certificate.attempts import Levels, attempt_levels
from cupel.certificate.auditors import (
    ALPHA_ADJUDICATORS_SHARE,
    ALPHA_SENSITIVITY_SHARE,
    BUDGET_ADJUDICATORS_SHARE,
    LAST_TIER,
    Planted,
    least_planted,
    sensitivity_lower,
    share_alpha,
)
from cupel.certificate.hypergeometric import Integers, Reals
from cupel.certificate.sequence import Flags
from cupel.errors import AuditError


class Plants(NamedTuple):
    """Items planted among the audit's, whose label the project knows: arrays of shape items, in risk order.

    `is_planted` tells which they are; the others hold of those whose verdict is known: it is there (`is_settled`),
    it is the known label (`is_caught`), or it is the label that was frozen, and that is not the known one
    (`is_overlooked`). `tier` says why each was planted, 0 being the hardest kind; None where that was not recorded.
    """

    is_planted: Flags
    is_settled: Flags
    is_caught: Flags
    is_overlooked: Flags
    tier: Integers | None = None

    @property
    def waiting(self) -> int:
        """Planted items without a verdict."""
        return int((self.is_planted & ~self.is_settled).sum())

    @property
    def overlooked(self) -> int:
        """Wrong labels that the auditors themselves gave."""
        return int(self.is_overlooked.sum())

    @property
    def counts(self) -> Planted:
        """How many were planted, and how many caught."""
        return Planted(int(self.is_planted.sum()), int(self.is_caught.sum()))

    def counted(self, alpha: float) -> Planted:
        """Return those that the sensitivity is bounded by: the hardest kind, and the next while they are too few.

        Easy ones beside hard ones would make auditors look better than they are on what they are there to find.

        Args:
            alpha: Chance that the bound is above the truth.
        """
        if self.tier is None:
            return self.counts
        for tier in range(LAST_TIER):
            among = self.is_planted & (self.tier <= tier)
            if among.sum() >= least_planted(alpha):
                return Planted(int(among.sum()), int((self.is_caught & among).sum()))
        return self.counts


class Evidence(NamedTuple):
    """What experts have said so far: arrays of shape items, in risk order, the safest first.

    `is_audited` tells which items were put to the auditors so far. The others hold for an item with a
    verdict, audited or adjudicated: the protocol has come to its end (`is_settled`), the label differs from
    the experts' (`is_wrong`), experts stay split (`is_contested`). Verdicts on items before the cut that were
    not audited play no part, but for the `undecided` last ones, which experts judge whatever the audit says: their
    number is declared before it, and more repairs than the proof counts on leave fewer wrong labels. `marks` are the
    items' marks in the draw, see `sample.marks`; the stratified audit needs none, nor the fixed sequence where nothing
    but its own sample is audited. `plants` are the planted items and their verdicts, where there are any.
    `is_required` tells which items budgets by class or slice put to experts; None where there are no such budgets.
    """

    is_audited: Flags
    is_settled: Flags
    is_wrong: Flags
    is_contested: Flags
    marks: Reals | None = None
    plants: Plants | None = None
    undecided: int = 0
    is_required: Flags | None = None

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
        """Return which items are behind a cut, undecided or required, and were not audited: those to adjudicate."""
        is_behind = np.arange(self.size) >= min(accepted, self.size - self.undecided)
        return (is_behind if self.is_required is None else is_behind | self.is_required) & ~self.is_audited

    def seen(self, accepted: int) -> int:
        """Return how many items experts see: audited, planted, or behind a cut."""
        is_seen = self.is_audited | self.behind(accepted)
        return int((is_seen if self.plants is None else is_seen | self.plants.is_planted).sum())

    def is_waiting(self, drawn: Flags) -> bool:
        """Tell whether any of the items drawn, or of those planted, still has no verdict."""
        return bool((drawn & ~self.is_settled).any()) or (self.plants is not None and self.plants.waiting > 0)


@dataclass(frozen=True)
class Limits:
    """What was declared besides the method.

    `can_be_contested` says that experts may stay split on an item; `adjudicators_audited` how many adjudicated
    items another expert judges again, 0 where the adjudicators' verdict is right by definition; `planted_errors`
    how many items of known label are planted among the auditors' tasks, 0 where auditors are right by definition;
    `undecided` how many items, the last in the risk order, experts judge whatever the audit says;
    `max_undecided_share` which share of all items may be contested, None where no limit was declared;
    `bounds_slices` that classes and slices are bounded beside the certificate, all together by its alpha;
    `slice_budgets` how many budgets by class and slice are tested beside that of the whole.
    The tests of the accepted part have what the proofs about adjudicators and auditors leave of alpha (`levels`)
    and of the budget (`tested_budget`).
    """

    error_budget: float
    attempt: int
    max_experts_seen_share: float
    can_be_contested: bool = True
    adjudicators_audited: int = 0
    planted_errors: int = 0
    undecided: int = 0
    max_undecided_share: float | None = None
    bounds_slices: bool = False
    slice_budgets: int = 0

    @property
    def tests(self) -> int:
        """How many tests of "more count than are allowed" are made: one of the whole, one of each budget by slice."""
        return 1 + self.slice_budgets

    @property
    def levels(self) -> Levels:
        """The attempt's alpha for the test of the whole, its bound of contested items, and the bounds by slice.

        What is left over budget depends on the draw, in the whole and in each slice; so any of the tests may be the one
        that fails, and they divide what one alone would have.
        """
        levels = self._undivided
        share = ALPHA_ADJUDICATORS_SHARE * (self.adjudicators_audited > 0)
        share += ALPHA_SENSITIVITY_SHARE * (self.planted_errors > 0)
        levels = share_alpha(levels, share).levels if share else levels
        return Levels(levels.wrong / self.tests, levels.contested / self.tests, levels.slices)

    @property
    def adjudicators_alpha(self) -> float:
        """The attempt's alpha for the bound of the adjudicators' wrong verdicts."""
        return share_alpha(self._undivided, ALPHA_ADJUDICATORS_SHARE).other if self.adjudicators_audited else 0.0

    @property
    def sensitivity_alpha(self) -> float:
        """The attempt's alpha for the bound of the auditors' sensitivity."""
        return share_alpha(self._undivided, ALPHA_SENSITIVITY_SHARE).other if self.planted_errors else 0.0

    @property
    def _undivided(self) -> Levels:
        return attempt_levels(self.attempt, self.can_be_contested, self.bounds_slices)

    @property
    def tested_budget(self) -> float:
        """The share of wrong labels that the accepted part is tested for."""
        if not self.adjudicators_audited:
            return self.error_budget
        return float(Fraction(repr(float(self.error_budget))) * Fraction(1 - BUDGET_ADJUDICATORS_SHARE))

    @property
    def best_sensitivity(self) -> float:
        """The sensitivity that planted items show where auditors overlook none of them."""
        if not self.planted_errors:
            return 1.0
        return sensitivity_lower(Planted(self.planted_errors, self.planted_errors), self.sensitivity_alpha)

    def sensitivity(self, evidence: Evidence) -> float:
        """Return the lower bound of the chance that auditors flag a wrong label; 1 where nothing was planted.

        All planted items have their verdict.
        """
        if not self.planted_errors:
            return 1.0
        if evidence.plants is None:
            raise AuditError(f"planted: found no verdicts; expected those of {self.planted_errors} planted items")
        return sensitivity_lower(evidence.plants.counted(self.sensitivity_alpha), self.sensitivity_alpha)
