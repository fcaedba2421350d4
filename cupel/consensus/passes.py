"""Passes over the answers: the two steps of every expectation maximisation, in blocks that a processor keeps close.

A *state* is what an item may truly be: a class or, in some models, a kind within a class.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.consensus.coding import Coded, Integers, Reals

# Items in a block: their scores stay in the processor's cache.
BLOCK = 4096


class Block(NamedTuple):
    """Neighbouring items, places `first` to `last` (excluded), and their answers."""

    first: int
    last: int
    item: Integers
    annotator: Integers
    label: Integers


class Beliefs(NamedTuple):
    """What the answers come to, given what each item may be.

    `counts` has shape annotators x answers x states: each annotator's answers, split as the items'
    beliefs are; `sums` has shape states: items with answers, split likewise.
    """

    counts: Reals
    sums: Reals


class Step(NamedTuple):
    """One round: the new beliefs, the furthest that a probability moved, and the answers' log-likelihood."""

    beliefs: Beliefs
    moved: float
    evidence: float


def blocks(coded: Coded, items: int = BLOCK) -> Iterator[Block]:
    """Return all items, block by block, with their answers."""
    total = len(coded.item_ids)
    firsts = np.arange(0, total + items, items)
    ends = np.searchsorted(coded.item, firsts)
    for n in range(len(firsts) - 1):
        own = slice(ends[n], ends[n + 1])
        last = min(int(firsts[n + 1]), total)
        yield Block(int(firsts[n]), last, coded.item[own], coded.annotator[own], coded.label[own])


def is_answered(coded: Coded) -> NDArray[np.bool_]:
    """Return of each item whether it has an answer."""
    answered = np.zeros(len(coded.item_ids), dtype=np.bool_)
    answered[coded.item] = True
    return answered


def collect(coded: Coded, posterior: Reals) -> Beliefs:
    """Return the beliefs that a posterior, shape items x states, comes to."""
    beliefs = _nothing(coded, posterior.shape[1])
    answered = is_answered(coded)
    for block in blocks(coded):
        _add(block, posterior[block.first : block.last], answered, beliefs)
    return beliefs


def step(coded: Coded, logs: Reals, log_prior: Reals, posterior: Reals, settle: Callable[[Reals], Reals]) -> Step:
    """Find each item's posterior anew, and what that comes to.

    Args:
        coded: The annotations.
        logs: Log of the chance of each annotator's answers under each state, annotators x answers x states.
        log_prior: Log of how frequent the states are, shape states.
        posterior: Changed; shape items x states.
        settle: Makes probabilities of scores (log-likelihood and log-prior), shape items x states.
    """
    from cupel.consensus.kernels import add_scores

    beliefs = _nothing(coded, len(log_prior))
    answered = is_answered(coded)
    moved, evidence = 0.0, 0.0
    for block in blocks(coded):
        old, own = posterior[block.first : block.last], answered[block.first : block.last]
        scores = np.zeros(old.shape)
        add_scores(block.item, block.annotator, block.label, block.first, logs, scores)
        scores += log_prior
        new = settle(scores)
        moved = max(moved, float(np.abs(new - old).max(initial=0.0, where=own[:, None])))
        evidence += float(log_sum(scores[own]).sum())
        old[:] = new
        _add(block, new, answered, beliefs)
    return Step(beliefs, moved, evidence)


def softmax(scores: Reals) -> Reals:
    """Return each row of scores as probabilities."""
    return np.asarray(np.exp(scores - log_sum(scores)[:, None]))


def log_sum(scores: Reals) -> Reals:
    """Return the logarithm of each row's sum of exponentials, without overflow."""
    top = scores.max(axis=1, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        sums: Reals = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
    return sums


def by_truth(values: Reals) -> Reals:
    """Return annotators x answers x states as annotators x states x answers, or the other way."""
    return np.ascontiguousarray(values.transpose(0, 2, 1))


def _nothing(coded: Coded, states: int) -> Beliefs:
    return Beliefs(np.zeros((len(coded.annotators), len(coded.classes), states)), np.zeros(states))


def _add(block: Block, belief: Reals, answered: NDArray[np.bool_], beliefs: Beliefs) -> None:
    from cupel.consensus.kernels import add_beliefs

    add_beliefs(block.item, block.annotator, block.label, block.first, belief, beliefs.counts)
    # Row by row onto what there is: the same sum as over all items at once.
    own = belief[answered[block.first : block.last]]
    beliefs.sums[:] = np.vstack([beliefs.sums, own]).sum(axis=0)
