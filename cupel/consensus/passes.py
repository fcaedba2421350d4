"""Passes over the answers: the two steps of every expectation maximisation, in blocks that a processor keeps close.

A *state* is what an item may truly be: a class or, in some models, a kind within a class.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Flags, Integers, Reals

# Items in a block: their scores stay in the processor's cache.
BLOCK = 4096
# From so many answers on a pass is made in parts, side by side.
MANY_ANSWERS = 300_000
PARTS = 4


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
    """One round: the new beliefs, and the furthest that a probability moved."""

    beliefs: Beliefs
    moved: float


def blocks(coded: Coded, items: int = BLOCK) -> Iterator[Block]:
    """Return all items, block by block, with their answers."""
    total = len(coded.item_ids)
    firsts = np.arange(0, total + items, items)
    ends = np.searchsorted(coded.item, firsts)
    for n in range(len(firsts) - 1):
        own = slice(ends[n], ends[n + 1])
        last = min(int(firsts[n + 1]), total)
        yield Block(int(firsts[n]), last, coded.item[own], coded.annotator[own], coded.label[own])


def is_answered(coded: Coded) -> Flags:
    """Return of each item whether it has an answer."""
    answered = np.zeros(len(coded.item_ids), dtype=np.bool_)
    answered[coded.item] = True
    return answered


def collect(coded: Coded, posterior: Reals) -> Beliefs:
    """Return the beliefs that a posterior, shape items x states, comes to."""
    return _each_part(coded, posterior, lambda _, places: posterior[places]).beliefs


def step(coded: Coded, logs: Reals, log_prior: Reals, posterior: Reals, settle: Callable[[Reals], Reals]) -> Step:
    """Find each item's posterior anew, and what that comes to.

    Args:
        coded: The annotations.
        logs: Log of the chance of each annotator's answers under each state, annotators x answers x states.
        log_prior: Log of how frequent the states are, shape states.
        posterior: Changed; shape items x states.
        settle: Makes probabilities of scores (log-likelihood and log-prior), shape items x states.
    """
    return _each_part(coded, posterior, lambda block, _: settle(_scores(block, logs, log_prior)))


def _each_part(coded: Coded, posterior: Reals, renew: Callable[[Block, slice], Reals]) -> Step:
    """Renew the posterior block by block; large batches in parts, side by side, whose sums are added in order.

    How many parts there are depends on the answers alone, never on the machine, so the sums do not either.
    """
    every, answered = list(blocks(coded)), is_answered(coded)
    parts = PARTS if len(coded.item) >= MANY_ANSWERS else 1
    ends = [len(every) * n // parts for n in range(parts + 1)]

    def work(first: int, last: int) -> Step:
        from cupel.consensus.kernels import add_beliefs, take_over

        beliefs, moved = _nothing(coded, posterior.shape[1]), 0.0
        for block in every[first:last]:
            places = slice(block.first, block.last)
            new = renew(block, places)
            moved = max(moved, take_over(new, posterior[places], answered[places], beliefs.sums))
            add_beliefs(block.item, block.annotator, block.label, block.first, new, beliefs.counts)
        return Step(beliefs, moved)

    if parts == 1:
        return work(0, len(every))
    with ThreadPoolExecutor(max_workers=parts) as pool:
        done = list(pool.map(work, ends[:-1], ends[1:]))
    for other in done[1:]:
        done[0].beliefs.counts[:] += other.beliefs.counts
        done[0].beliefs.sums[:] += other.beliefs.sums
    return Step(done[0].beliefs, max(part.moved for part in done))


def evidence(coded: Coded, logs: Reals, log_prior: Reals) -> float:
    """Return the log of the chance of all answers, over what each item may be; arguments as for a step."""
    answered = is_answered(coded)
    total = 0.0
    for block in blocks(coded):
        scores = _scores(block, logs, log_prior)
        total += float(log_sum(scores[answered[block.first : block.last]]).sum())
    return total


def softmax(scores: Reals) -> Reals:
    """Return each row of scores as probabilities."""
    from cupel.consensus.kernels import add_rows, shift

    exponentials, top, sums = scores.copy(), np.empty(len(scores)), np.empty(len(scores))
    shift(exponentials, top)
    np.exp(exponentials, out=exponentials)
    add_rows(exponentials, sums)
    return np.asarray(np.exp(scores - (top + np.log(sums))[:, None]))


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


def _scores(block: Block, logs: Reals, log_prior: Reals) -> Reals:
    from cupel.consensus.kernels import add_scores

    scores = np.zeros((block.last - block.first, len(log_prior)))
    add_scores(block.item, block.annotator, block.label, block.first, logs, scores)
    scores += log_prior
    return scores
