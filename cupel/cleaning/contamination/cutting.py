"""Cuts: how much of the documents is kept, tested from strict to loose by an audit that the model never saw."""

from typing import NamedTuple

import numpy as np

from cupel.certificate.hypergeometric import tail
from cupel.certificate.sequence import count_passed, floor_share
from cupel.cleaning.contamination.learning import Flags, Learned, Places, Reals

# Cuts that are tried, evenly between the strictest and the loosest.
CUTS = 31
# Of the junk that the pilot lets expect, the loosest cut leaves out so much.
LOOSEST_LEFT_OUT = 0.7
# The strictest cut keeps at most so much of what the pilot lets expect to be good, and at least the second.
STRICTEST_MOST, STRICTEST_LEAST = 0.85, 0.3


class Range(NamedTuple):
    """The strictest and the loosest cut: documents kept, of those that nobody was asked about."""

    strictest: int
    loosest: int


class Kept(NamedTuple):
    """What the audit showed.

    `kept` is how many of the ranked documents pass, 0 where no cut did; `bound` the share of junk among all that is
    kept, those known to be good included, that was tested and holds; None where no cut passed. `cuts` and `p_values`
    are those that were tested.
    """

    kept: int
    bound: float | None
    cuts: Places
    p_values: Reals


def cut_range(learned: Learned, pilot_scores: Reals, documents: int) -> Range:
    """Return between which cuts the audit looks, from the pilot alone: it is the part that was drawn at random.

    The strictest cut keeps what lies before the first junk of the pilot, less a tenth. Both are fixed before the
    audit is drawn, and decide how much is kept, never whether the bound holds.

    Args:
        learned: Answers and scores.
        pilot_scores: Scores of the pilot by models that did not see it.
        documents: How many are ranked.
    """
    is_junk = learned.is_junk[: learned.pilot]
    junk_share = float(is_junk.mean())
    left = min(documents, max(0.0, junk_share * (documents + len(learned.asked)) - int(learned.is_junk.sum())))
    ranked = is_junk[np.argsort(pilot_scores, kind="stable")]
    clean = int(np.argmax(ranked)) if ranked.any() else len(ranked)
    good = documents - left
    strictest = min(STRICTEST_MOST * good, max(0.9 * clean / len(ranked) * documents, STRICTEST_LEAST * good))
    loosest = documents - LOOSEST_LEFT_OUT * left
    return Range(max(1, min(int(strictest), documents)), max(1, min(int(loosest), documents)))


def keep(is_audited: Flags, is_junk: Flags, known_good: int, between: Range, budget: float, alpha: float) -> Kept:
    """Test "more than the budget of what is kept is junk" cut by cut, from strict to loose, until one fails.

    Args:
        is_audited: Whether each document was drawn, the least suspicious first; drawn at random among the first
            `between.loosest`.
        is_junk: Audited, and found to be junk.
        known_good: Documents that are kept because people said that they are good.
        between: The strictest and the loosest cut.
        budget: Largest share of junk among what is kept.
        alpha: Chance of a pass although the share is larger.

    Returns:
        The last cut that passed. What the audit finds to be junk is removed besides, which the bound does not count.

    Source: as `cupel.certificate.sequence`: a fixed sequence of exact tests of a finite population.
    """
    cuts = np.unique(np.linspace(between.strictest, between.loosest, CUTS).astype(np.int64))
    audited, found = np.cumsum(is_audited)[cuts - 1], np.cumsum(is_junk & is_audited)[cuts - 1]
    allowed = np.array([floor_share(budget, int(cut) + known_good) for cut in cuts], np.int64)
    p_values = np.asarray(tail(found, cuts, allowed + 1, audited), np.float64)
    # More junk than there are documents cannot be: nothing to show there.
    p_values[allowed + 1 > cuts] = 0.0
    passed = int(count_passed(p_values, alpha))
    tried = min(passed + 1, len(cuts))
    if not passed:
        return Kept(0, None, cuts[:tried], p_values[:tried])
    # A smaller bound could be told of this cut alone, but not after it was chosen as the last of several.
    kept = int(cuts[passed - 1])
    return Kept(kept, int(allowed[passed - 1]) / (kept + known_good), cuts[:tried], p_values[:tried])
