"""Verdict step: one step of Dawid-Skene from a belief, annotators being judged by experts' verdicts as well."""

import numpy as np

from cupel.consensus.coding import Coded, Integers, Reals, vote_counts
from cupel.consensus.estimates import FLOOR, drawn_to, logs_of, pooled_confusion, prior_of
from cupel.consensus.passes import by_truth, collect, prepare, step

# What an annotator's answer on an item with a verdict counts when the annotator is judged: one verdict is worth so
# many items of which only the belief is known.
VERDICT_WEIGHT = 4.0
# Answers' worth of belief, per true class, that an annotator is like all annotators together: as in Dawid-Skene.
SMOOTHING = 16.0


def judge_by_verdicts(
    coded: Coded, posterior: Reals, item: Integers, label: Integers, weight: float = VERDICT_WEIGHT
) -> Reals:
    """Return what answers say, annotators being judged by a belief, and by verdicts where there are any.

    Confusion matrices are counted from the belief once, and the answers read by them once. It goes on no further:
    repeated steps find the labels that describe annotators best, which on a poor crowd are not the right ones.

    Args:
        coded: The annotations.
        posterior: The belief, shape items x classes; it is not changed.
        item: Places of the items with a verdict.
        label: Places of the verdicts in the classes.
        weight: What such an item counts.

    Returns:
        The new belief of all items, shape items x classes; those with a verdict are read from answers too.

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "b", "b"], "annotator": ["p", "q"] * 2, "label": ["x", "y"] * 2}
    >>> coded, none = code(pa.table(rows), ["a", "b"], ("x", "y")), np.zeros(0, np.int64)
    >>> judge_by_verdicts(coded, np.full((2, 2), 0.5), none, none).round(6).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    >>> int(judge_by_verdicts(coded, np.full((2, 2), 0.5), np.array([0]), np.array([1]))[1].argmax())
    1
    """
    answers, known = prepare(coded), posterior.copy()
    known[item], known[item, label] = 0.0, 1.0
    beliefs = collect(answers, known)
    judged = np.zeros(known.shape)
    judged[item, label] = weight - 1
    counts = by_truth(beliefs.counts + collect(answers, judged).counts)
    confusion = drawn_to(pooled_confusion(vote_counts(coded)), counts, SMOOTHING)
    prior = prior_of(beliefs.sums, answers.items, 1.0)
    step(answers, logs_of(confusion), np.log(np.maximum(prior, FLOOR)), known)
    return known
