"""Is a thing there that some annotators marked and others did not: two coins an annotator, and things of unequal ease.

Sources: Dawid and Skene (1979), Applied Statistics 28(1), for the two coins; Rasch (1960) for ability and ease; the
truncation (nobody lists what nobody marked) as in Sanathanan (1972), Annals of Mathematical Statistics 43(1).
"""

from typing import NamedTuple

import numpy as np

from cupel.marks.fusion.arrays import Integers, Reals, SortedMarks
from cupel.marks.fusion.existence_loops import pass_items

# Where the search starts, in logits: things of nearly equal ease. From unequal ones it can end where whatever one
# person alone marked is taken for a thing that is hard to see (on simulated crowds at likelihoods lower by hundreds).
EQUAL_EASE = 0.3
# Of more than twice as many marks every n-th item is searched first, and all of them in so many passes after
# that: what is common to all is known by then.
SAMPLED_MARKS, WHOLE_PASSES = 200_000, 6


class ExistenceSettings(NamedTuple):
    """What the model starts from, and how firmly it holds to it where there are few answers.

    `levels`: points of the quadrature over ease (5, 7 and 9 came to the same). `ease_spread`: standard deviation of the
    ease of things, in logits, expected before; `ease_spread_error`: how far it may be off. `ability_spread`: that of
    annotators' ability, believed like `ability_weight` annotators. `invention_weight`: how many inventions the average
    is worth that an annotator's own rate is drawn to. `sharing`: the chance that an annotator makes an invention of
    another's too, believed like `sharing_weight` chances to. `tolerance`: largest change of a posterior at which it
    stops.

    Where they come from: with all annotators, the answers to boxes and to spans of `benchmarks.regions` say by
    themselves an ease spread of 2.0 and 2.0 (with a loose prior) and a sharing of .026 and .033. How firmly to hold to
    that, and the invention weight, is what predicts the answers of annotators left out best (mean log loss, with 3, 5
    and all but one of an item's annotators); gold had no part in it. From thousands of answers on they hardly matter.
    """

    levels: int = 7
    ease_spread: float = 2.0
    ease_spread_error: float = 0.2
    ability_spread: float = 1.0
    ability_weight: float = 5.0
    invention_weight: float = 1.0
    sharing: float = 0.03
    sharing_weight: float = 10_000.0
    tolerance: float = 1e-3
    max_iterations: int = 150


class FittedExistence(NamedTuple):
    """What the model says of clusters (`posterior`), items (`missed`) and annotators (`recall`, `inventions`).

    `recall` is of things of middling ease; `inventions` are a number of marks an answer.
    """

    posterior: Reals
    missed: Reals
    recall: Reals
    inventions: Reals
    ease: float
    ease_spread: float
    ability_spread: float
    iterations: int


class _Linked(NamedTuple):
    """Marks, their clusters, and where each item's clusters start."""

    marks: SortedMarks
    cluster: Integers
    cluster_start: Integers


class _State(NamedTuple):
    """Settings that are learned: rates an item, annotators' ability (logits) and chance to share an invention."""

    there: float
    invented: float
    ability: Reals
    sharing: Reals
    ease: float
    ease_spread: float
    ability_spread: float


class _Counts(NamedTuple):
    posterior: Reals
    missed: Reals
    hits: Reals
    expected: Reals
    totals: Reals
    seen: Reals


def fit_existence(
    marks: SortedMarks, cluster: Integers, cluster_start: Integers, settings: ExistenceSettings | None = None
) -> FittedExistence:
    """Return the chance that what each cluster marks is there, with what was learned of the annotators.

    Expectation-maximisation. An item has a Poisson number of things; each has an ease, normal over things. An annotator
    marks one with the chance logistic(ability + ease). What is not there comes at a rate of its own and is marked by
    each annotator with a chance of their own, small where inventions stand alone. Neither is listed if nobody marks it:
    those are counted as expected.

    Args:
        marks: Marks and who was asked.
        cluster: Cluster of each mark, shape marks.
        cluster_start: Where each item's clusters start, shape items + 1.
        settings: None for the defaults.
    """
    settings = settings or ExistenceSettings()
    whole = _Linked(marks, cluster, cluster_start)
    state, passes = _start(marks, settings), settings.max_iterations
    step = len(marks.row) // SAMPLED_MARKS
    if step > 1:
        state, *_ = _iterate(_take_items(whole, step), state, settings, passes)
        passes = WHOLE_PASSES
    state, counts, iterations = _iterate(whole, state, settings, passes)
    recall = 1 / (1 + np.exp(-(state.ability + state.ease)))
    return FittedExistence(
        counts.posterior, counts.missed, recall, state.sharing * state.invented, state.ease, state.ease_spread,
        state.ability_spread, iterations,
    )  # fmt: skip


def _iterate(linked: _Linked, state: _State, settings: ExistenceSettings, passes: int) -> tuple[_State, _Counts, int]:
    """Return the settings that fit best, counts under them, and how many passes were made."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(settings.levels)
    weights = weights / weights.sum()
    counts = _no_counts(linked.marks, int(linked.cluster_start[-1]), settings.levels + 1)
    before = np.full(len(counts.posterior), 2.0)
    done = 0
    while True:
        _expect(linked, state, nodes, weights, counts)
        done += 1
        if done >= passes or not len(before) or np.abs(counts.posterior - before).max() < settings.tolerance:
            return state, counts, done
        before[:] = counts.posterior
        state = _maximise(state, counts, nodes, weights, settings)


def _take_items(linked: _Linked, step: int) -> _Linked:
    """Return every so manieth item, with all annotators."""
    marks, cluster, cluster_start = linked
    chosen = np.arange(0, len(marks.items), step)
    starts = [marks.start, marks.asked_start, cluster_start]
    begins = [np.concatenate([[0], np.cumsum(np.diff(start)[chosen])]).astype(np.int64) for start in starts]
    row = np.flatnonzero(marks.item % step == 0)
    asked_item = np.repeat(np.arange(len(marks.items)), np.diff(marks.asked_start))
    item = marks.item[row]
    few = SortedMarks(
        marks.row[row], item // step, marks.annotator[row], marks.mark_class[row], marks.low[row], marks.high[row],
        begins[0], marks.items[chosen], marks.annotators, marks.asked[asked_item % step == 0], begins[1],
    )  # fmt: skip
    return _Linked(few, cluster[row] - cluster_start[item] + begins[2][item // step], begins[2])


def _start(marks: SortedMarks, settings: ExistenceSettings) -> _State:
    """Return where the search starts: people mark more than they invent."""
    people = len(marks.annotators)
    rate = len(marks.row) / max(len(marks.asked), 1) + 1e-9
    return _State(rate, 2 * rate, np.zeros(people), np.full(people, 0.05), 1.0, EQUAL_EASE, settings.ability_spread)


def _no_counts(marks: SortedMarks, clusters: int, levels: int) -> _Counts:
    people, items = len(marks.annotators), len(marks.items)
    return _Counts(
        np.zeros(clusters), np.zeros(items), np.zeros((people, levels)), np.zeros((people, levels)), np.zeros(levels),
        np.zeros(levels),
    )  # fmt: skip


def _expect(linked: _Linked, state: _State, nodes: Reals, weights: Reals, counts: _Counts) -> float:
    """Fill in posteriors and counts under the state; return the log-likelihood."""
    scores = state.ability[:, None] + state.ease + state.ease_spread * nodes
    invention = np.log(state.sharing / (1 - state.sharing))[:, None]
    log_odds = np.clip(np.concatenate([scores, invention], axis=1), -14.0, 14.0)
    log_miss = -np.logaddexp(0.0, log_odds)
    log_rate = np.log(np.append(state.there * weights, state.invented))
    marks = linked.marks
    return pass_items(
        marks.start, marks.annotator, linked.cluster, linked.cluster_start, marks.asked, marks.asked_start, log_rate,
        log_odds, log_miss, *counts,
    )  # fmt: skip


def _maximise(state: _State, counts: _Counts, nodes: Reals, weights: Reals, settings: ExistenceSettings) -> _State:
    """Return the settings that fit the counts best, with what was expected before."""
    hits, expected = counts.hits[:, :-1], counts.expected[:, :-1]
    there = max(counts.totals[:-1].sum() / max(float((weights * counts.seen[:-1]).sum()), 1e-9), 1e-9)
    invented = max(counts.totals[-1] / max(float(counts.seen[-1]), 1e-9), 1e-9)
    ability, ease, spread = _solve_ability(state, hits, expected, nodes, settings)
    information = _information(ability, ease, spread, expected, nodes)
    squares = float((ability**2 + 1 / (information + state.ability_spread**-2)).sum())
    weight = settings.ability_weight
    ability_spread = np.sqrt((squares + weight * settings.ability_spread**2) / (len(ability) + weight))
    made, chances = counts.hits[:, -1], counts.expected[:, -1]
    firm = settings.sharing_weight
    mean = (made.sum() + firm * settings.sharing) / (chances.sum() + firm)
    sharing = (made + settings.invention_weight) / (chances + settings.invention_weight / mean)
    return _State(there, invented, ability, np.clip(sharing, 1e-6, 0.9), ease, spread, float(ability_spread))


def _solve_ability(
    state: _State, hits: Reals, expected: Reals, nodes: Reals, settings: ExistenceSettings
) -> tuple[Reals, float, float]:
    """Return ability, mean ease and spread of ease after two steps of Newton's, each step at most one logit."""
    ability, ease, spread = state.ability, state.ease, state.ease_spread
    prior, firm = state.ability_spread**-2, settings.ease_spread_error**-2
    for _ in range(2):
        slope = hits - expected * _chance(ability, ease, spread, nodes)
        step = (slope.sum(axis=1) - prior * ability) / (_information(ability, ease, spread, expected, nodes) + prior)
        ability = ability + np.clip(step, -1.0, 1.0)
        chance = _chance(ability, ease, spread, nodes)
        slope, bend = (hits - expected * chance).sum(axis=0), (expected * chance * (1 - chance)).sum(axis=0)
        down = [slope.sum(), (slope * nodes).sum() - firm * (spread - settings.ease_spread)]
        across = (bend * nodes).sum()
        curve = [[bend.sum() + 1e-6, across], [across, (bend * nodes**2).sum() + firm]]
        ease_step, spread_step = np.linalg.solve(curve, down)
        ease += float(np.clip(ease_step, -1.0, 1.0))
        spread = max(spread + float(np.clip(spread_step, -0.5, 0.5)), 0.05)
    return ability, ease, spread


def _chance(ability: Reals, ease: float, spread: float, nodes: Reals) -> Reals:
    return np.asarray(1 / (1 + np.exp(-(ability[:, None] + ease + spread * nodes))), dtype=np.float64)


def _information(ability: Reals, ease: float, spread: float, expected: Reals, nodes: Reals) -> Reals:
    chance = _chance(ability, ease, spread, nodes)
    return np.asarray((expected * chance * (1 - chance)).sum(axis=1), dtype=np.float64)
