"""Kernels: the loops over single answers, compiled. Numba is imported here alone, by those who run a loop."""

from cupel.consensus.coding import Integers, Reals
from cupel.loops import compiled


@compiled
def add_scores(item: Integers, annotator: Integers, label: Integers, first: int, logs: Reals, scores: Reals) -> None:
    """Add to each item's scores what its answers say.

    Args:
        item: Places of the answers' items; the same length for annotator and label.
        annotator: Places of their annotators.
        label: Places of the answers among the classes.
        first: Item that the first row of the scores belongs to.
        logs: What an answer says, shape annotators x answers x states.
        scores: Changed; shape items x states.
    """
    for n in range(len(item)):
        row, who, what = item[n] - first, annotator[n], label[n]
        for state in range(scores.shape[1]):
            scores[row, state] += logs[who, what, state]


@compiled
def add_beliefs(item: Integers, annotator: Integers, label: Integers, first: int, belief: Reals, counts: Reals) -> None:
    """Add each answer to its annotator's counts, split over states as its item's belief is.

    Args:
        item: Places of the answers' items; the same length for annotator and label.
        annotator: Places of their annotators.
        label: Places of the answers among the classes.
        first: Item that the first row of the belief belongs to.
        belief: Shape items x states.
        counts: Changed; shape annotators x answers x states.
    """
    for n in range(len(item)):
        row, who, what = item[n] - first, annotator[n], label[n]
        for state in range(belief.shape[1]):
            counts[who, what, state] += belief[row, state]
