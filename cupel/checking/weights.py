"""Weights: how far people's answers and the checker's opinion are believed, by what other answers or experts say."""

from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Integers, Reals
from cupel.consensus.passes import log_sum

# Weights that the checker may get; 0 leaves it out, above 1 it is more right than it claims.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
# Weights that either may get once experts have spoken: annotators who err together are worth less than they seem.
CROWD_WEIGHTS = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.85, 1.0, 1.2)
CHECKER_WEIGHTS = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
# Nats of doubt that a weight is another than it was without experts: of a factor of e, squared.
DOUBT = 4.0
_LEAST = 0.05


class Weights(NamedTuple):
    """Powers that the chance of people's answers and the checker's opinion are raised to."""

    crowd: float
    checker: float


def choose_weight(answers: Reals, opinion: Reals, prior: Reals) -> float:
    """Return the checker's weight under which the answers are likeliest.

    Args:
        answers: Log-likelihood of each item's answers under each class, up to a constant of the item;
            shape items x classes.
        opinion: The checker's log-likelihood, likewise.
        prior: Log of the class prior.

    Returns:
        One of WEIGHTS; 0 without items.
    """
    if len(answers) == 0:
        return 0.0
    fits = []
    for weight in WEIGHTS:
        belief = prior + weight * opinion
        fits.append((log_sum(belief + answers) - log_sum(belief)).mean())
    return WEIGHTS[int(np.argmax(fits))]


class Judged(NamedTuple):
    """Weights that experts' verdicts bear out, and how likely these are under them: log-likelihood less doubt."""

    weights: Weights
    fit: float


def weights_by_verdicts(answers: Reals, opinion: Reals, prior: Reals, verdict: Integers, checker: float) -> Judged:
    """Return the weights under which experts' verdicts are likeliest, drawn to those without experts.

    Answers alone cannot tell annotators who agree because they are right from those who agree because the
    item misleads them; experts can.

    Args:
        answers: Log-likelihood of the answers of items with a verdict, shape items x classes.
        opinion: The checker's log-likelihood, likewise.
        prior: Log of the class prior.
        verdict: Places in the classes of the experts' labels.
        checker: The checker's weight without experts; 0 stays 0.

    Returns:
        One of CROWD_WEIGHTS and one of CHECKER_WEIGHTS, and their fit.
    """
    rows = np.arange(len(verdict))
    candidates = CHECKER_WEIGHTS if checker else (0.0,)
    best = Judged(Weights(1.0, checker), -np.inf)
    for crowd in CROWD_WEIGHTS:
        for weight in candidates:
            scores = prior + crowd * answers + weight * opinion
            moved = np.log(crowd) ** 2 + np.log(max(weight, _LEAST) / max(checker, _LEAST)) ** 2
            fit = float((scores[rows, verdict] - log_sum(scores)).sum() - DOUBT * moved)
            if fit > best.fit:
                best = Judged(Weights(crowd, weight), fit)
    return best
