"""Deployed: the whole procedure, as a project would run it, replayed on one frozen order of labels."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.double_check.experts import Experts, Scorer
from cupel.certificate.attempts import attempt_levels
from cupel.certificate.evidence import Evidence
from cupel.certificate.hypergeometric import Integers, Reals, tail
from cupel.certificate.result import Terms, assay
from cupel.certificate.sequence import floor_share

# How often labels are wrong, as a multiple of what their log-odds say: none of them is believed alone.
DOUBTS = (1.0, 2.0, 4.0)
# Errors per item that no log-odds show, because people and model make them together.
HIDDEN = 0.001
MOST_FOUND = 60


class Frozen(NamedTuple):
    """Items that can be scored, in risk order, the safest first, with their labels; None is no label."""

    item_ids: tuple[str, ...]
    labels: tuple[str | None, ...]
    log_odds: Reals


class Outcome(NamedTuple):
    """What one replay came to; shares are of the items that can be scored."""

    audited: int
    seen_share: float
    is_certified: bool
    is_false: bool
    final_error: float


def deploy(frozen: Frozen, drawn: Sequence[int], experts: Experts, scorer: Scorer, error_budget: float) -> Outcome:
    """Audit, cut, adjudicate, repair; then score.

    Args:
        frozen: Items, labels and order, fixed before the audit is drawn.
        drawn: Places of the items that are audited.
        experts: Who is asked, and charged for.
        scorer: Who counts in the end.
        error_budget: Highest share of wrong labels.

    Returns:
        The outcome. Certified means that a cut passed: some labels stand without an expert.
    """
    size = len(frozen.item_ids)
    terms = Terms(error_budget, attempt=1, max_experts_seen_share=1.0, can_be_contested=False)
    is_audited, is_wrong = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    is_audited[list(drawn)] = True
    labels = list(frozen.labels)
    _ask(frozen, np.flatnonzero(is_audited), experts, labels, is_wrong)
    none = np.zeros(size, np.bool_)
    accepted = assay(Evidence(is_audited, is_audited, is_wrong, none), terms).result.accepted
    behind = np.flatnonzero(~is_audited & (np.arange(size) >= accepted))
    _ask(frozen, behind, experts, labels, is_wrong)
    left = sum(scorer.are_wrong(frozen.item_ids, labels))
    is_false = accepted > 0 and left > floor_share(error_budget, size)
    return Outcome(len(drawn), experts.charged / size, accepted > 0, is_false, left / size)


def plan_audit(log_odds: Reals, error_budget: float) -> int:
    """Return how many items to audit, by what people and model believe; no gold is asked for.

    Errors are taken to come along the risk order as a Poisson process, as often as the log-odds say, and
    more often (`DOUBTS`, `HIDDEN`); of the audits that allow 0, 1, 2, ... errors to be found, the one with
    the least geometric mean of the cost is chosen.

    Args:
        log_odds: Of the labels, in risk order, the safest first.
        error_budget: Highest share of wrong labels.
    """
    size = len(log_odds)
    allowed = floor_share(error_budget, size)
    sizes = _smallest(size, allowed, attempt_levels(1, can_be_contested=False).wrong)
    chance = 1 / (1 + np.exp(np.clip(log_odds, -700, 700)))
    costs = np.zeros(len(sizes))
    for doubt in DOUBTS:
        met = np.cumsum(np.minimum(1.0, doubt * chance + HIDDEN))
        for found, drawn in enumerate(sizes):
            share = drawn / size
            costs[found] += np.log(share + (1 - share) * _poisson_above(found, share * met).mean())
    return int(sizes[np.argmin(costs)])


def _smallest(size: int, allowed: int, alpha: float) -> Integers:
    """Return the smallest audits of everything that pass with 0, 1, 2, ... errors found."""
    found = np.arange(min(MOST_FOUND, allowed + 1), dtype=np.int64)
    low, high = found.copy(), np.full(found.shape, size, dtype=np.int64)
    while np.any(low < high):
        middle = (low + high) // 2
        is_passed = tail(found, size, allowed + 1, middle) <= alpha
        low, high = np.where(is_passed, low, middle + 1), np.where(is_passed, middle, high)
    return low


def _poisson_above(found: int, mean: Reals) -> Reals:
    """Return the chance of more than so many."""
    term = np.exp(-mean)
    total = term.copy()
    for count in range(1, found + 1):
        term = term * mean / count
        total += term
    above: Reals = np.maximum(0.0, 1 - total)
    return above


def _ask(
    frozen: Frozen, places: Integers, experts: Experts, labels: list[str | None], is_wrong: NDArray[np.bool_]
) -> None:
    """Ask experts about items, note which labels were wrong, and repair them."""
    for place in places.tolist():
        said = experts.ask_expert(frozen.item_ids[place])
        is_wrong[place] = said != labels[place]
        labels[place] = said
