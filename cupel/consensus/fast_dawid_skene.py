"""Fast Dawid-Skene: each round settles every item on one class, so that few rounds are needed."""

import numpy as np

from cupel.consensus.coding import Coded, Reals, vote_counts
from cupel.consensus.dawid_skene import SMOOTHED, DawidSkene, DawidSkeneSettings
from cupel.consensus.estimates import FLOOR, drawn_to, logs_of, pooled_confusion, prior_of, starting_beliefs
from cupel.consensus.passes import by_truth, collect, prepare, step


def fast_dawid_skene(coded: Coded, settings: DawidSkeneSettings = SMOOTHED, start: Reals | None = None) -> DawidSkene:
    """Estimate labels and annotators' confusions together, each item counting for its likeliest class alone.

    Starts from the majority, ties split. Rounds end when no item changes its class, or when they run out;
    a last round then says how likely each class is.

    Args:
        coded: The annotations; any overlap.
        settings: How to fit; the tolerance is not used.
        start: Where to start instead: the last round's posterior, shape items x classes, NaN where an
            item is new.

    Returns:
        As Dawid-Skene; the posterior is that of the last round, `iterations` does not count it.

    Source: Sinha, Rao and Balasubramanian (2018), Fast Dawid-Skene, KDD WISDOM.

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "a", "b", "b"], "annotator": ["p", "q"] * 2, "label": ["x", "x", "y", "y"]}
    >>> found = fast_dawid_skene(code(pa.table(rows), ["a", "b"], ("x", "y")))
    >>> found.posterior.argmax(axis=1).tolist(), found.iterations
    ([0, 1], 1)
    """
    anchor = pooled_confusion(vote_counts(coded))
    posterior = starting_beliefs(coded, start)
    is_top = posterior == posterior.max(axis=1, keepdims=True)
    posterior = is_top / is_top.sum(axis=1, keepdims=True)
    answers = prepare(coded)
    beliefs = collect(answers, posterior)
    items = answers.items
    iteration, is_converged = 0, False
    while True:
        prior = prior_of(beliefs.sums, items, settings.class_smoothing)
        confusion = drawn_to(anchor, by_truth(beliefs.counts), settings.smoothing)
        is_last = is_converged or iteration == settings.max_iterations
        found = step(answers, logs_of(confusion), np.log(np.maximum(prior, FLOOR)), posterior, not is_last)
        if is_last:
            return DawidSkene(posterior, prior, confusion, iteration, is_converged)
        is_converged = found.moved == 0
        beliefs, iteration = found.beliefs, iteration + 1
