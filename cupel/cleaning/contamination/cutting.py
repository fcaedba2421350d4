"""Cuts: how much of the documents is kept, by an audit that the model never saw."""

from typing import NamedTuple

import numpy as np

from cupel.certificate.hypergeometric import tail
from cupel.certificate.sequence import count_passed, floor_share
from cupel.cleaning.contamination.learning import Flags, Learned, Places, Reals
from cupel.cleaning.contamination.unseen_junk import bound_cuts, chances_of_fewer

# Cuts that are tried, evenly between the strictest and the loosest.
CUTS = 31
# Of the junk that the pilot lets expect, the loosest cut leaves out at least so much.
LOOSEST_LEFT_OUT = 0.7
# The strictest cut keeps so much of what the pilot lets expect to be good.
STRICTEST = 0.3
# The loosest keeps at least so much of it: a pilot is small, and may be unlucky.
LOOSEST_LEAST = 0.5
# What the cuts spend of alpha; the rest is for the bound of the strictest cut, which is told where none passes.
PASS_SHARE = 0.9


class Range(NamedTuple):
    """The strictest and the loosest cut: documents kept, of those that nobody was asked about."""

    strictest: int
    loosest: int


class Kept(NamedTuple):
    """What the audit showed.

    `kept` is how many of the ranked documents pass, before the audit's finds are taken out; 0 where no cut did. `left`
    is how much junk may be among them then, at most, and `bound` the same as a share of all that is kept, those known
    to be good included; both None where no cut passed. `cuts`, `allowed` and `p_values` are those that were tested,
    each against `level`.
    """

    kept: int
    left: int | None
    bound: float | None
    cuts: Places
    allowed: Places
    p_values: Reals
    level: float


def cut_range(learned: Learned, pilot_scores: Reals, documents: int, budget: float) -> Range:
    """Return between which cuts the audit looks, from the pilot alone: it is the part that was drawn at random.

    The audit is drawn up to the loosest cut: the stricter that is, the more it says of what lies before. It lies
    where the pilot's own junk comes to more than the budget, and behind that a part of the junk of a model that
    makes no mistakes. Both cuts are fixed before the audit is drawn, and decide how much is kept, never whether the
    bound holds.

    Args:
        learned: Answers and scores.
        pilot_scores: Scores of the pilot by models that did not see it.
        documents: How many are ranked.
        budget: Largest share of junk among what is kept.
    """
    is_junk = learned.is_junk[: learned.pilot]
    junk_share = float(is_junk.mean())
    left = min(documents, max(0.0, junk_share * (documents + len(learned.asked)) - int(learned.is_junk.sum())))
    junk = np.flatnonzero(is_junk[np.argsort(pilot_scores, kind="stable")])
    most = floor_share(budget, len(is_junk))
    before = int(junk[most]) if len(junk) > most else len(is_junk)
    upto = before / len(is_junk) * documents + (1 - LOOSEST_LEFT_OUT) * left
    good = documents - left
    loosest = max(1, int(min(documents - LOOSEST_LEFT_OUT * left, max(upto, LOOSEST_LEAST * good))))
    return Range(max(1, min(int(STRICTEST * good), loosest)), loosest)


def place_cuts(between: Range) -> Places:
    """Return the cuts, ascending and distinct."""
    return np.unique(np.linspace(between.strictest, between.loosest, CUTS).astype(np.int64))


def keep(is_audited: Flags, is_junk: Flags, known_good: int, between: Range, budget: float, alpha: float) -> Kept:
    """Find the loosest cut before which the audit found so little junk that hardly more than the budget is left.

    Args:
        is_audited: Whether each document was drawn, the least suspicious first; drawn at random among the first
            `between.loosest`.
        is_junk: Audited, and found to be junk.
        known_good: Documents that are kept because people said that they are good.
        between: The strictest and the loosest cut.
        budget: Largest share of junk among what is kept, once what the audit found is taken out.
        alpha: Chance of a pass although the share is larger.

    Returns:
        The loosest cut that passed, whether or not stricter ones did: all hold together, see `unseen_junk`.
    """
    cuts = place_cuts(between)
    drawn = int(is_audited[: between.loosest].sum())
    found = np.cumsum(is_junk & is_audited, dtype=np.int64)[cuts - 1]
    bounds = bound_cuts(tuple(cuts.tolist()), between.loosest, drawn, known_good, budget, PASS_SHARE * alpha)
    p_values = chances_of_fewer(found, bounds, between.loosest, drawn)
    passed = np.flatnonzero(found <= bounds.most_found)
    if not len(passed):
        return Kept(0, None, None, cuts, bounds.allowed, p_values, bounds.level)
    last = passed[-1]
    kept, left = int(cuts[last]), int(bounds.allowed[last])
    bound = left / max(1, kept - int(found[last]) + known_good)
    return Kept(kept, left, bound, cuts, bounds.allowed, p_values, bounds.level)


def keep_by_sequence(
    is_audited: Flags, is_junk: Flags, known_good: int, between: Range, budget: float, alpha: float
) -> Kept:
    """Test "more than the budget of what is kept is junk" cut by cut, from strict to loose, until one fails.

    The rule of audits that older versions drew, which keep it. Arguments are those of `keep`; what the audit finds is
    counted as if it stayed.

    Source: as `cupel.certificate.sequence`: a fixed sequence of exact tests of a finite population.
    """
    cuts = place_cuts(between)
    audited, found = np.cumsum(is_audited)[cuts - 1], np.cumsum(is_junk & is_audited)[cuts - 1]
    allowed = np.array([floor_share(budget, int(cut) + known_good) for cut in cuts], np.int64)
    p_values = np.asarray(tail(found, cuts, allowed + 1, audited), np.float64)
    # More junk than there are documents cannot be: nothing to show there.
    p_values[allowed + 1 > cuts] = 0.0
    passed = int(count_passed(p_values, alpha))
    tried = slice(0, min(passed + 1, len(cuts)))
    if not passed:
        return Kept(0, None, None, cuts[tried], allowed[tried], p_values[tried], alpha)
    # A smaller bound could be told of this cut alone, but not after it was chosen as the last of several.
    kept, most = int(cuts[passed - 1]), int(allowed[passed - 1])
    left = min(kept, most) - int(found[passed - 1])
    return Kept(kept, left, most / (kept + known_good), cuts[tried], allowed[tried], p_values[tried], alpha)
