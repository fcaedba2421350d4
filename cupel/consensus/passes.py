"""Passes over the answers: the two steps of every expectation maximisation, in one go, item by item.

A *state* is what an item may truly be: a class or, in some models, a kind within a class.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Flags, Integers, Places, Reals, cells_of

# From so many answers on a pass is made in parts, side by side.
MANY_ANSWERS = 100_000
PARTS = 8
# Rows of tables are filled up to a multiple of this, so that a processor takes so many numbers at a time.
LANES = 4
# Items whose evidence is added up at a time; bounds the memory.
WEIGHED = 4096


class Answers(NamedTuple):
    """A batch's answers as the passes read them; made once per fit.

    Those of item n are places `start[n]` to `start[n + 1]` (excluded) of `cell`: annotator times classes plus
    label. There are `annotators` x `classes` cells.
    """

    start: Integers
    cell: Places
    annotators: int
    classes: int

    @property
    def items(self) -> int:
        """How many items have an answer."""
        return int(np.count_nonzero(np.diff(self.start)))


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


def prepare(coded: Coded) -> Answers:
    """Return a batch's answers as the passes read them."""
    answers = np.bincount(coded.item, minlength=len(coded.item_ids))
    start = np.concatenate([[0], np.cumsum(answers)]).astype(np.int64)
    annotators, classes = len(coded.annotators), len(coded.classes)
    return Answers(start, cells_of(coded.annotator, coded.label, annotators, classes), annotators, classes)


def is_answered(coded: Coded) -> Flags:
    """Return of each item whether it has an answer."""
    answered = np.zeros(len(coded.item_ids), dtype=np.bool_)
    answered[coded.item] = True
    return answered


def collect(answers: Answers, posterior: Reals) -> Beliefs:
    """Return the beliefs that a posterior, shape items x states, comes to."""
    from cupel.consensus.kernels import add_answered, add_chances

    def work(first: int, last: int, counts: Reals, sums: Reals) -> float:
        add_answered(answers.start, first, last, posterior[first:last], sums)
        add_chances(answers.start, answers.cell, first, last, posterior[first:last], counts)
        return 0.0

    return _each_part(answers, posterior.shape[1], work).beliefs


def step(answers: Answers, logs: Reals, log_prior: Reals, posterior: Reals, is_decided: bool = False) -> Step:
    """Find each item's posterior anew, and what that comes to.

    Args:
        answers: The annotations, prepared.
        logs: Log of the chance of each annotator's answers under each state, annotators x answers x states.
        log_prior: Log of how frequent the states are, shape states.
        posterior: Changed; shape items x states.
        is_decided: Each item counts for its likeliest state alone, the first of several.
    """
    from cupel.consensus.kernels import renew

    table = _filled_up(logs.reshape(-1, len(log_prior)), 0.0)
    prior = _filled_up(log_prior, -np.inf)

    def work(first: int, last: int, counts: Reals, sums: Reals) -> float:
        return renew(answers.start, answers.cell, first, last, table, prior, is_decided, posterior, counts, sums)

    return _each_part(answers, posterior.shape[1], work)


def _each_part(answers: Answers, states: int, work: Callable[[int, int, Reals, Reals], float]) -> Step:
    """Do some work on all items; on large batches in parts, side by side, whose sums are added in order.

    How many parts there are, and where they end, depends on the answers alone, never on the machine, so the sums do
    not either. Tables of several parts together have at most one number per two answers.
    """
    cells, width, total = answers.annotators * answers.classes, _width(states), len(answers.cell)
    fitting = total // max(2 * cells * width, 1)
    parts = max(1, min(PARTS, fitting)) if total >= MANY_ANSWERS else 1
    ends = np.searchsorted(answers.start[:-1], [total * n // parts for n in range(1, parts)]).tolist()
    items = len(answers.start) - 1

    def part(first: int, last: int) -> tuple[Reals, Reals, float]:
        counts, sums = np.zeros((cells, width)), np.zeros(width)
        return counts, sums, work(first, last, counts, sums)

    if parts == 1:
        done = [part(0, items)]
    else:
        with ThreadPoolExecutor(min(parts, os.cpu_count() or 1)) as pool:
            done = list(pool.map(part, [0, *ends], [*ends, items]))
    counts, sums, moved = done[0]
    for more_counts, more_sums, further in done[1:]:
        counts += more_counts
        sums += more_sums
        moved = max(moved, further)
    counts = np.ascontiguousarray(counts[:, :states])
    return Step(Beliefs(counts.reshape(answers.annotators, answers.classes, states), sums[:states]), moved)


def evidence(answers: Answers, logs: Reals, log_prior: Reals) -> float:
    """Return the log of the chance of all answers, over what each item may be; arguments as for a step."""
    from cupel.consensus.kernels import weigh

    table, answered = logs.reshape(-1, len(log_prior)), np.diff(answers.start) > 0
    total = 0.0
    for first in range(0, len(answered), WEIGHED):
        last = min(first + WEIGHED, len(answered))
        scores = np.empty((last - first, len(log_prior)))
        weigh(answers.start, answers.cell, first, last, table, log_prior, scores)
        total += float(log_sum(scores[answered[first:last]]).sum())
    return total


def softmax(scores: Reals) -> Reals:
    """Return each row of scores as probabilities."""
    from cupel.consensus.kernels import soften

    chances = _filled_up(scores, -np.inf)
    soften(chances, len(chances))
    return np.ascontiguousarray(chances[:, : scores.shape[1]])


def log_sum(scores: Reals) -> Reals:
    """Return the logarithm of each row's sum of exponentials, without overflow."""
    top = scores.max(axis=1, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        sums: Reals = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
    return sums


def by_truth(values: Reals) -> Reals:
    """Return annotators x answers x states as annotators x states x answers, or the other way."""
    return np.ascontiguousarray(values.transpose(0, 2, 1))


def _width(states: int) -> int:
    return -(-states // LANES) * LANES


def _filled_up(values: Reals, filling: float) -> Reals:
    """Return values with the last axis, the states, filled up to its width."""
    filled = np.full((*values.shape[:-1], _width(values.shape[-1])), filling)
    filled[..., : values.shape[-1]] = values
    return filled
