"""Kernels: the loops over single answers, compiled. Numba is imported here alone, by those who run a loop."""

from cupel.consensus.coding import Flags, Integers, Reals
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


@compiled
def shift(scores: Reals, top: Reals) -> None:
    """Take each row's highest score, which goes to `top`, from the row."""
    for row in range(scores.shape[0]):
        best = scores[row, 0]
        for state in range(1, scores.shape[1]):
            if scores[row, state] > best:
                best = scores[row, state]
        top[row] = best
        for state in range(scores.shape[1]):
            scores[row, state] -= best


@compiled
def add_rows(values: Reals, sums: Reals) -> None:
    """Write each row's sum to `sums`."""
    for row in range(values.shape[0]):
        total = 0.0
        for state in range(values.shape[1]):
            total += values[row, state]
        sums[row] = total


@compiled
def take_over(new: Reals, old: Reals, answered: Flags, sums: Reals) -> float:
    """Write the new beliefs over the old, add those of items with answers to `sums`; return how far one moved.

    Args:
        new: Shape items x states.
        old: Changed; shape items x states.
        answered: Items with answers.
        sums: Changed; shape states.
    """
    moved = 0.0
    for row in range(new.shape[0]):
        if answered[row]:
            for state in range(new.shape[1]):
                distance = abs(new[row, state] - old[row, state])
                if distance > moved:
                    moved = distance
                sums[state] += new[row, state]
        for state in range(new.shape[1]):
            old[row, state] = new[row, state]
    return moved
