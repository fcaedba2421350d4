"""Designs: how an audit is drawn, extended and judged. One is declared with the release, before the draw."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from cupel.certificate import rising
from cupel.certificate.auditors import ALPHA_SHOWN_SHARE, shown_at_least
from cupel.certificate.e_process import cut_p_values, look_counts, upper_sequence
from cupel.certificate.evidence import Evidence, Limits
from cupel.certificate.hypergeometric import Integers, Reals, binomial_upper_count, upper_count
from cupel.certificate.sequence import Cut, Cutting, Flags, count_passed, cut_positions, find_cut, floor_share
from cupel.certificate.stratified import strata_ends, stratified_p_values, stratified_upper
from cupel.certificate.undecided import undecided_least, undecided_most, undecided_upper
from cupel.errors import AuditError


class Design(Protocol):
    """A way to audit a frozen release.

    `counts_what_is_left` says that its cut bounds the wrong labels left after repair; else it bounds those
    before, and repairs are taken off afterwards.
    """

    @property
    def counts_what_is_left(self) -> bool:
        """See above."""
        ...

    def first_wave(self, marks: Reals, limits: Limits) -> Flags:
        """Return the items that are audited whatever is found, by their marks."""
        ...

    def due(self, evidence: Evidence, limits: Limits) -> Flags:
        """Return the items that are to be audited by what is known: those of before, and perhaps more."""
        ...

    def find_cut(self, evidence: Evidence, limits: Limits) -> Cutting:
        """Return the cut that a complete audit proves."""
        ...

    def upper(self, evidence: Evidence, is_counted: Flags, alpha: float, limits: Limits) -> int:
        """Return the exact upper bound of how many of all items are of a kind, from a complete audit."""
        ...


@dataclass(frozen=True)
class FixedSequence:
    """A simple random sample of `size` items, and cuts tested from the safest part on; see `sequence`."""

    size: int = 0
    counts_what_is_left = False

    def first_wave(self, marks: Reals, limits: Limits) -> Flags:
        """Return the sample."""
        return _smallest(marks, self.size)

    def due(self, evidence: Evidence, limits: Limits) -> Flags:
        """Return the sample: nothing is added to it."""
        return evidence.is_audited

    def find_cut(self, evidence: Evidence, limits: Limits) -> Cutting:
        """Test the cuts."""
        own = self.sample(evidence)
        wrong, contested = evidence.is_wrong & own, evidence.is_contested & own
        cutting = find_cut(own, wrong, contested, limits.tested_budget, limits.levels, limits.sensitivity(evidence))
        return _end_before_refuted(cutting, np.cumsum(evidence.audit_wrong))

    def upper(self, evidence: Evidence, is_counted: Flags, alpha: float, limits: Limits) -> int:
        """Bound a count by the hypergeometric distribution."""
        own = self.sample(evidence)
        return upper_count(evidence.size, int(own.sum()), int((is_counted & own).sum()), alpha)

    def sample(self, evidence: Evidence) -> Flags:
        """Return which audited items are the sample; others were drawn for budgets by class or slice.

        Without marks nothing else was drawn.
        """
        if evidence.marks is None:
            return evidence.is_audited
        return evidence.is_audited & _smallest(evidence.marks, self.size)


@dataclass(frozen=True)
class Stratified:
    """Samples of declared sizes in parts of the risk order, the safest first; see `stratified`."""

    shares: tuple[float, ...]
    sizes: tuple[int, ...]
    counts_what_is_left = False

    def first_wave(self, marks: Reals, limits: Limits) -> Flags:
        """Return all samples."""
        ends = self._ends(len(marks))
        flags = np.zeros(len(marks), dtype=np.bool_)
        for start, end, size in zip(np.concatenate([[0], ends[:-1]]), ends, self.sizes, strict=True):
            flags[start:end] = _smallest(marks[start:end], size)
        return flags

    def due(self, evidence: Evidence, limits: Limits) -> Flags:
        """Return the samples: nothing is added to them."""
        return evidence.is_audited

    def find_cut(self, evidence: Evidence, limits: Limits) -> Cutting:
        """Test the cuts, each at the worst spread of the errors over strata."""
        levels, ends = limits.levels, self._ends(evidence.size)
        upper = self.upper(evidence, evidence.is_contested, levels.contested, limits) if levels.contested else 0
        allowed = floor_share(limits.tested_budget, evidence.size - upper)
        if upper == evidence.size:
            return Cutting([], 0, allowed, upper)
        positions = cut_positions(evidence.size)
        level, shown = _of_shown(evidence, limits, allowed)
        p_values = stratified_p_values(positions, ends, evidence.is_audited, evidence.audit_wrong, shown + 1, level)
        return _sequence(evidence, positions, p_values, level, allowed, upper)

    def upper(self, evidence: Evidence, is_counted: Flags, alpha: float, limits: Limits) -> int:
        """Bound a count stratum by stratum, each having its part of alpha."""
        return stratified_upper(self._ends(evidence.size), evidence.is_audited, is_counted & evidence.is_audited, alpha)

    def _ends(self, size: int) -> Integers:
        if len(self.shares) != len(self.sizes):
            raise AuditError(f"strata: found {len(self.shares)} shares and {len(self.sizes)} sizes; expected as many")
        return strata_ends(size, self.shares)


@dataclass(frozen=True)
class EProcess:
    """A sample that grows by `step` items, in the order of the draw, up to `most`; see `e_process`.

    It ends as soon as the cut found leaves experts no more than the project allows, and no more undecided; or when
    more were found undecided than that. Any other rule to end it would be as valid.
    """

    step: int
    most: int
    counts_what_is_left = False

    def first_wave(self, marks: Reals, limits: Limits) -> Flags:
        """Return the first look's sample."""
        return _smallest(marks, min(self.step, self.most))

    def due(self, evidence: Evidence, limits: Limits) -> Flags:
        """Add a step, while the cut found so far is not enough."""
        most = min(self.most, evidence.size)
        if evidence.is_waiting(evidence.is_audited) or evidence.drawn >= most:
            return evidence.is_audited
        if self._is_enough(evidence, limits):
            return evidence.is_audited
        return _smallest(_marks(evidence), min(evidence.drawn + self.step, most))

    def find_cut(self, evidence: Evidence, limits: Limits) -> Cutting:
        """Return the last cut before the first that no look has passed."""
        levels, size = limits.levels, evidence.size
        sizes, positions = self._sizes(evidence), cut_positions(size)
        uppers = np.zeros(len(sizes), dtype=np.int64)
        if levels.contested:
            uppers = self._uppers(evidence, evidence.is_contested, levels.contested)
        allowed = np.array([floor_share(limits.tested_budget, size - int(upper)) for upper in uppers])
        if uppers[-1] == size:
            return Cutting([], 0, int(allowed[-1]), size)
        looks = look_counts(_marks(evidence), evidence.is_audited, evidence.is_wrong, sizes, positions)
        level, _ = _of_shown(evidence, limits, 0)
        shown = [_of_shown(evidence, limits, int(count))[1] for count in allowed]
        p_values = cut_p_values(positions, looks, shown, floor_share(limits.tested_budget, size))
        return _sequence(evidence, positions, p_values, level, int(allowed[-1]), int(uppers[-1]))

    def upper(self, evidence: Evidence, is_counted: Flags, alpha: float, limits: Limits) -> int:
        """Bound a count at all looks together; the last bound is the lowest."""
        return int(self._uppers(evidence, is_counted, alpha)[-1])

    def _is_enough(self, evidence: Evidence, limits: Limits) -> bool:
        cutting, most = self.find_cut(evidence, limits), undecided_most(limits, evidence.size)
        if most is not None and int(evidence.audit_contested.sum()) > most:
            return True
        if most is not None and undecided_upper(evidence, cutting.accepted, cutting.contested_upper) > most:
            return False
        return evidence.seen(cutting.accepted) <= floor_share(limits.max_experts_seen_share, evidence.size)

    def _uppers(self, evidence: Evidence, is_counted: Flags, alpha: float) -> Integers:
        sizes, everything = self._sizes(evidence), np.array([evidence.size])
        looks = look_counts(_marks(evidence), evidence.is_audited, is_counted, sizes, everything)
        return upper_sequence(evidence.size, looks.drawn[:, 0], looks.found[:, 0], alpha)

    def _sizes(self, evidence: Evidence) -> Integers:
        return np.unique([*range(self.step, evidence.drawn + 1, self.step), evidence.drawn]).astype(np.int64)


@dataclass(frozen=True)
class Rising:
    """A share audited along the risk order that each error found raises; see `rising`."""

    gain: float
    steps: int
    counts_what_is_left = True

    def first_wave(self, marks: Reals, limits: Limits) -> Flags:
        """Return the items whose mark is below the first share, were no item contested."""
        return np.asarray(marks < self._first_share(len(marks), limits), dtype=np.bool_)

    def due(self, evidence: Evidence, limits: Limits) -> Flags:
        """Add what the errors found so far make due, unless experts see, or leave undecided, too much already."""
        first = self.first_wave(_marks(evidence), limits)
        if evidence.is_waiting(first):
            return first | evidence.is_audited
        way, _, upper = self._walk(evidence, limits)
        most = undecided_most(limits, evidence.size)
        if most is not None and undecided_least(evidence, upper, limits) > most:
            return evidence.is_audited
        if evidence.seen(way.accepted) > floor_share(limits.max_experts_seen_share, evidence.size):
            return evidence.is_audited
        return evidence.is_audited | way.is_due

    def find_cut(self, evidence: Evidence, limits: Limits) -> Cutting:
        """Return the place from which on everything is adjudicated, with the steps that led to it."""
        way, allowed, upper = self._walk(evidence, limits)
        if upper == evidence.size or not way.accepted:
            return Cutting([], 0, allowed, upper)
        level, shares = limits.levels.wrong, self._shares(evidence, allowed, limits)
        unseen, found_at_least = self._unseen(evidence, allowed), shares * limits.sensitivity(evidence)
        drawn, wrong = np.cumsum(evidence.is_audited), np.cumsum(evidence.audit_wrong)
        # The last find ends the walk; without it the last step reaches to the end.
        ends = way.found if way.accepted < evidence.size else np.append(way.found, evidence.size)
        cuts = [
            Cut(int(end), int(drawn[end - 1]), int(wrong[end - 1]),
                rising.chance_of_more(found_at_least[: step + 1], unseen), level, True)
            for step, end in enumerate(ends.tolist()) if end
        ]  # fmt: skip
        return Cutting(cuts, way.accepted, allowed, upper)

    def upper(self, evidence: Evidence, is_counted: Flags, alpha: float, limits: Limits) -> int:
        """Bound a count from the first wave, which met each item with the same chance."""
        share = self._first_share(evidence.size, limits)
        first = _marks(evidence) < share
        found, others = int((is_counted & first).sum()), int((~is_counted & first).sum())
        return binomial_upper_count(evidence.size - others, share, found, alpha)

    def _walk(self, evidence: Evidence, limits: Limits) -> tuple[rising.Walk, int, int]:
        """Return the walk, the wrong labels allowed, and the bound of contested items."""
        levels = limits.levels
        upper = self.upper(evidence, evidence.is_contested, levels.contested, limits) if levels.contested else 0
        allowed = floor_share(limits.tested_budget, evidence.size - upper)
        shares, unseen = self._shares(evidence, allowed, limits), self._unseen(evidence, allowed)
        if unseen < 0 or rising.chance_of_more(shares * limits.sensitivity(evidence), unseen) > levels.wrong:
            # Auditors miss so much that no share is enough: nothing stands without an expert.
            return rising.Walk(np.zeros(evidence.size, np.bool_), np.empty(0, np.int64), 0), allowed, upper
        return rising.walk(_marks(evidence), evidence.audit_wrong, shares), allowed, upper

    def _first_share(self, size: int, limits: Limits) -> float:
        """Return the share of the first wave, which is drawn before anything is known of the auditors."""
        rise, allowed = rising.Rise(self.gain, self.steps), floor_share(limits.tested_budget, size)
        return float(rising.rising_shares(rise, allowed, limits.levels.wrong)[0])

    def _shares(self, evidence: Evidence, allowed: int, limits: Limits) -> Reals:
        rise, unseen = rising.Rise(self.gain, self.steps), max(self._unseen(evidence, allowed), 0)
        return rising.rising_shares(rise, unseen, limits.levels.wrong, limits.sensitivity(evidence))

    def _unseen(self, evidence: Evidence, allowed: int) -> int:
        """Return the wrong labels that may stay unseen besides those that auditors are known to overlook."""
        return allowed - (0 if evidence.plants is None else evidence.plants.overlooked)


_METHODS: Mapping[str, Any] = {
    "fixed_sequence": FixedSequence,
    "stratified": Stratified,
    "e_process": EProcess,
    "rising": Rising,
}


def method_name(design: Design) -> str:
    """Return the name of a design's method.

    >>> method_name(Rising(1.0, 6))
    'rising'
    """
    return next(name for name, kind in _METHODS.items() if isinstance(design, kind))


def design_text(design: Design) -> str:
    """Return a design as it is frozen with the release: JSON with sorted keys.

    >>> design_text(EProcess(100, 800))
    '{"method":"e_process","most":800,"step":100}'
    """
    content = {"method": method_name(design), **asdict(design)}  # type: ignore[call-overload]
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def parse_design(text: str | None, audit_size: int) -> Design:
    """Read a design back.

    Args:
        text: What `design_text` wrote; None for the fixed sequence.
        audit_size: Size of the fixed sequence's sample.

    Raises:
        AuditError: The text is no design.

    >>> parse_design('{"gain":1.0,"method":"rising","steps":6}', 0)
    Rising(gain=1.0, steps=6)
    """
    if text is None:
        return FixedSequence(audit_size)
    try:
        content = json.loads(text)
        kind = _METHODS[content.pop("method")]
        design: Design = kind(**{key: tuple(value) if isinstance(value, list) else value
                                 for key, value in content.items()})  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AuditError(f"design: found {text!r}; expected the JSON of one of {', '.join(_METHODS)}") from None
    return design


def _of_shown(evidence: Evidence, limits: Limits, allowed: int) -> tuple[float, int]:
    """Return the level and the count to test for, were the wrong labels those that auditors would flag."""
    sensitivity, level = limits.sensitivity(evidence), limits.levels.wrong
    if sensitivity == 1:
        return level, allowed
    hidden = level * ALPHA_SHOWN_SHARE
    return level - hidden, shown_at_least(allowed + 1, sensitivity, hidden) - 1


def _sequence(
    evidence: Evidence, positions: Integers, p_values: Reals, alpha: float, allowed: int, upper: int
) -> Cutting:
    """Return the cuts up to the first failure."""
    passed = int(count_passed(p_values, alpha))
    drawn, wrong = np.cumsum(evidence.is_audited), np.cumsum(evidence.audit_wrong)
    cuts = [
        Cut(int(cut), int(drawn[cut - 1]), int(wrong[cut - 1]), float(p_values[place]), alpha, place < passed)
        for place, cut in enumerate(positions[: passed + 1].tolist())
    ]
    return Cutting(cuts, int(positions[passed - 1]) if passed else 0, allowed, upper)


def _end_before_refuted(cutting: Cutting, wrong: Integers) -> Cutting:
    """Return the cuts up to the first before which more are known to be wrong than its test says.

    An audit for a budget by slice may find what the sample has missed. Fewer cuts that pass are as valid.

    Args:
        cutting: By the sample alone.
        wrong: Labels that the audit found wrong among the safest 1, 2, 3, ... items.
    """
    for place, cut in enumerate(cutting.cuts):
        if cut.is_passed and wrong[cut.accepted - 1] > cutting.allowed_wrong:
            accepted = cutting.cuts[place - 1].accepted if place else 0
            return cutting._replace(cuts=[*cutting.cuts[:place], cut._replace(is_passed=False)], accepted=accepted)
    return cutting


def _smallest(marks: Reals, size: int) -> Flags:
    flags = np.zeros(len(marks), dtype=np.bool_)
    flags[np.argsort(marks, kind="stable")[:size]] = True
    return flags


def _marks(evidence: Evidence) -> Reals:
    if evidence.marks is None:
        raise AuditError("marks: missing; this design needs the items' marks in the draw")
    return evidence.marks
