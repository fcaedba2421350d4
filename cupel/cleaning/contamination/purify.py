"""From documents to what may be kept of them: learn, freeze, audit, cut."""

from typing import Any, NamedTuple

import numpy as np

from cupel.cleaning.contamination.cutting import Kept, cut_range, keep
from cupel.cleaning.contamination.learning import Ask, Flags, LearningSettings, Places, learn, pilot_scores
from cupel.errors import AuditError


class Purity(NamedTuple):
    """What is asked of a set of documents: the largest share of junk, and at which price.

    `answers` are all that may be paid for, to learn and to audit; `alpha` is the chance that a set with more junk
    passes all the same.
    """

    budget: float = 0.02
    answers: int = 1_000
    alpha: float = 0.05
    learning: LearningSettings = LearningSettings()


class Purified(NamedTuple):
    """What came of it.

    `is_kept` has one entry per document, all false where no cut passed; `bound` is the upper bound of the share of
    junk among the kept, None likewise. `asked` are the places of documents that people saw, the first `trained` of
    them to learn, the others to audit; `kept` says how the cuts were tested.
    """

    is_kept: Flags
    bound: float | None
    asked: Places
    trained: int
    kept: Kept


def purify(features: Any, ask: Ask, purity: Purity, seed: int) -> Purified:
    """Keep as many documents as an audit can vouch for.

    The answers that the model learned from never vouch for it: scores and cuts are frozen, then an audit is drawn at
    random from the loosest cut, and bounds all cuts at once. Documents that people said are good are kept,
    those they said are junk are not, on whichever side of the cut they lie.

    Args:
        features: Sparse matrix, shape documents x features; never made with labels.
        ask: Says of some documents, by their places, whether each is junk.
        purity: What is asked.
        seed: Draws the pilot and the audit.

    Raises:
        AuditError: There are not more answers than the model learns from, or no documents.
    """
    if not purity.learning.answers < purity.answers or not features.shape[0]:
        raise AuditError(
            f"answers: found {purity.answers}, of which {purity.learning.answers} to learn, for {features.shape[0]} "
            "documents; give more answers than the model learns from, and documents"
        )
    rng = np.random.default_rng(seed)
    learned = learn(features, ask, rng, purity.learning)
    is_unasked = np.ones(features.shape[0], np.bool_)
    is_unasked[learned.asked] = False
    places = np.flatnonzero(is_unasked)
    ranked = places[np.argsort(learned.score[places], kind="stable")]
    is_kept = np.zeros(features.shape[0], np.bool_)
    good = learned.asked[~learned.is_junk]
    if not len(ranked):
        is_kept[good] = True
        return Purified(
            is_kept, 0.0, learned.asked, len(learned.asked), Kept(0, 0, 0.0, places, places, np.zeros(0), 0.0)
        )
    between = cut_range(learned, pilot_scores(features, learned, purity.learning), len(ranked), purity.budget)
    drawn = np.sort(rng.permutation(between.loosest)[: purity.answers - len(learned.asked)])
    is_audited, is_junk = np.zeros((2, len(ranked)), np.bool_)
    is_audited[drawn], is_junk[drawn] = True, ask(ranked[drawn])
    found = keep(is_audited, is_junk, len(good), between, purity.budget, purity.alpha)
    if found.kept:
        is_kept[ranked[: found.kept][~is_junk[: found.kept]]] = True
        is_kept[good] = True
        # Audited documents behind the cut are known to be good as well.
        behind = drawn[drawn >= found.kept]
        is_kept[ranked[behind[~is_junk[behind]]]] = True
    return Purified(is_kept, found.bound, np.concatenate([learned.asked, ranked[drawn]]), len(learned.asked), found)
