"""Rankers: each turns what a method may see into a label and a place in the risk order for every item."""

import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from benchmarks.double_check.folder import Crowd
from benchmarks.double_check.opinions import opinions
from cupel.checking.fusion import fuse
from cupel.consensus.coding import Coded, Integers, Reals, by_item, code, vectors, vote_counts
from cupel.consensus.consensus import consensus
from cupel.consensus.methods import METHODS, Fitted

OURS = "cupel"


class Ranking(NamedTuple):
    """A method's answer, in the order of the crowd's `item_ids`.

    `label` are places in the classes, -1 where it has none; `log_odds` of the label against the others, the
    higher the safer, -inf where there is no label.
    """

    label: Integers
    log_odds: Reals
    seconds: float


def rank_all(crowd: Crowd) -> dict[str, Ranking]:
    """Return the ranking of every method that the folder has the input for, ours first."""
    start = time.perf_counter()
    table = consensus(crowd.annotations, crowd.item_ids, crowd.classes)
    said = opinions(crowd, table)
    found = fuse(table, said, crowd.classes)
    rankings = {OURS: _ranking(found.label, found.log_odds, found.is_known, start)}
    coded = code(crowd.annotations, crowd.item_ids, crowd.classes)
    rankings["majority"] = _timed(majority_margin, coded)
    for name, method in METHODS.items():
        rankings[name] = _timed(partial(by_posterior, method), coded)
    model = vectors(by_item(said)["posterior"], len(crowd.classes))
    if not np.isnan(model).all():
        rankings["model"] = _ranking(*_top(model), ~np.isnan(model[:, 0]), time.perf_counter())
        if len(coded.annotators) > 1:
            rankings["crowdlab"] = _timed(partial(crowdlab, model=model), coded)
    return rankings


def majority_margin(coded: Coded) -> tuple[Integers, Reals, np.ndarray]:
    """Rank by how many votes the first class is ahead of the second, then by how many there are."""
    votes = vote_counts(coded)
    ordered = np.sort(votes, axis=1)
    total = votes.sum(axis=1)
    # Log-odds of a vote share with half a vote of doubt on either side, so that a margin reads as an error.
    first, second = ordered[:, -1], ordered[:, -2]
    return votes.argmax(axis=1), np.log((first + 0.5) / (second + 0.5)) + 1e-6 * total, total > 0


def by_posterior(method: Callable[[Coded], Fitted], coded: Coded) -> tuple[Integers, Reals, np.ndarray]:
    """Rank by the posterior of a consensus method."""
    posterior = method(coded).posterior
    is_answered = np.bincount(coded.item, minlength=len(posterior)) > 0
    return *_top(posterior), is_answered


def crowdlab(coded: Coded, model: Reals) -> tuple[Integers, Reals, np.ndarray]:
    """Rank by cleanlab's CROWDLAB, with the same predictions as ours.

    Source: Goh, Tkachenko and Mueller (2022), CROWDLAB.
    """
    import pandas as pd
    from cleanlab.multiannotator import get_label_quality_multiannotator

    items, classes = model.shape
    votes = np.full((items, len(coded.annotators)), np.nan)
    votes[coded.item, coded.annotator] = coded.label
    is_answered = ~np.isnan(votes).all(axis=1)
    known = np.where(np.isnan(model), 1 / classes, model)[is_answered]
    found = get_label_quality_multiannotator(
        pd.DataFrame(votes[is_answered]), known, verbose=False, return_detailed_quality=False,
        return_annotator_stats=False,
    )["label_quality"]  # fmt: skip
    label, quality = np.zeros(items, np.int64), np.full(items, 0.5)
    label[is_answered] = found["consensus_label"].to_numpy(np.int64)
    quality[is_answered] = np.clip(found["consensus_quality_score"].to_numpy(np.float64), 1e-12, 1 - 1e-12)
    return label, np.log(quality) - np.log1p(-quality), is_answered


def _top(posterior: Reals) -> tuple[Integers, Reals]:
    label = np.nan_to_num(posterior).argmax(axis=1)
    best = posterior[np.arange(len(label)), label]
    rest = np.maximum(np.delete(posterior, 0, axis=1).sum(axis=1) + posterior[:, 0] - best, 1e-300)
    return label, np.log(np.maximum(best, 1e-300)) - np.log(rest)


def _timed(method: Callable[[Coded], tuple[Integers, Reals, np.ndarray]], coded: Coded) -> Ranking:
    start = time.perf_counter()
    return _ranking(*method(coded), start)


def _ranking(label: Integers, log_odds: Reals, is_known: np.ndarray, start: float) -> Ranking:
    seconds = time.perf_counter() - start
    return Ranking(np.where(is_known, label, -1), np.where(is_known, log_odds, -np.inf), seconds)
