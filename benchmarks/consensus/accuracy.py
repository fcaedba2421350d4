"""How often each method is right, and what may be said of the differences: paired, with intervals."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from benchmarks.consensus.peers import PEERS, run
from benchmarks.double_check.folder import read_folder
from cupel.consensus.chooser import choose
from cupel.consensus.coding import Coded, Reals, code
from cupel.consensus.dawid_skene import PLAIN, dawid_skene
from cupel.consensus.methods import METHODS

RESAMPLES = 4_000
SEED = 1979
DEFAULT = "dawid_skene"
AS_PUBLISHED = "dawid_skene_as_published"


def measure(folder: Path, limit_seconds: float, are_peers_run: bool = True) -> tuple[dict[str, Any], dict[str, Reals]]:
    """Return what was measured on one crowd, and each method's share right by item.

    The method is chosen before a known label is looked at. Scored are items with a known label and an
    answer; an item on which k classes are equally likely is right by 1/k.

    Args:
        folder: A folder of the crowd form.
        limit_seconds: Longest that a peer may take.
        are_peers_run: False leaves crowd-kit out.
    """
    crowd, gold = read_folder(folder)
    coded = code(crowd.annotations, crowd.item_ids, crowd.classes)
    start = time.perf_counter()
    choice = choose(coded)
    seconds = {"auto": time.perf_counter() - start}
    beliefs = {}
    for name, method in METHODS.items():
        start = time.perf_counter()
        beliefs[name] = method(coded).posterior
        seconds[name] = time.perf_counter() - start
    beliefs[AS_PUBLISHED] = dawid_skene(coded, PLAIN).posterior
    peers = {name: run(name, folder, limit_seconds) for name in PEERS} if are_peers_run else {}

    items, truth = find_known(coded, gold.verdicts)
    right = {name: share_right(posterior[items], truth) for name, posterior in beliefs.items()}
    ids = coded.item_ids.take(items).to_pylist()
    verdicts = [gold.verdicts[item] for item in ids]
    for name, found in peers.items():
        if "labels" in found:
            labels = found["labels"]
            right[f"crowd-kit {name}"] = np.array(
                [float(labels.get(item) == verdict) for item, verdict in zip(ids, verdicts, strict=True)]
            )
            seconds[f"crowd-kit {name}"] = found["seconds"]
    entry = {
        "dataset": folder.name,
        "items": len(coded.item_ids),
        "scored_items": len(items),
        "answers": len(coded.item),
        "annotators": len(coded.annotators),
        "classes": len(coded.classes),
        "accuracy": {name: float(values.mean()) for name, values in right.items()},
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
        "failed": {name: found["failed"] for name, found in peers.items() if "failed" in found},
        "chosen_method": choice.method,
        "held_out": {"answers": choice.answers, "mean_log_likelihood": dict(choice.scores)},
    }
    ours = right[choice.method]
    best = max((name for name in right if name.startswith("crowd-kit")), key=lambda n: right[n].mean(), default=None)
    if best is not None:
        entry["best_peer"] = best
        entry["chosen_less_best_peer"] = paired(ours, right[best])
    entry["chosen_less_dawid_skene"] = paired(ours, right[DEFAULT])
    return entry, right | {"chosen": ours}


def paired(ours: Reals, theirs: Reals) -> dict[str, Any]:
    """Return the difference of two methods' shares right on the same items.

    Args:
        ours: Share right by item.
        theirs: Likewise.

    Returns:
        `difference` with the ends of its 95% bootstrap interval; `better` and `worse` items; the exact
        two-sided chance of so uneven a split, were both equally good; `is_worse`: the interval is below 0.
        Where few items differ the bootstrap is too sure and the exact chance is to be believed.
    """
    rng = np.random.default_rng(SEED)
    apart = ours - theirs
    means = _resampled(apart, rng)
    low, high = np.percentile(means, [2.5, 97.5])
    better, worse = int((apart > 0).sum()), int((apart < 0).sum())
    return {
        "difference": float(apart.mean()),
        "low": float(low),
        "high": float(high),
        "better": better,
        "worse": worse,
        "exact_p": float(binomtest(better, better + worse).pvalue) if better + worse else 1.0,
        "is_worse": bool(high < 0),
    }


def mean_difference(sets: Sequence[Mapping[str, Reals]], than: str) -> dict[str, float]:
    """Return how far the chosen methods' mean accuracy over all sets is above one method's, paired bootstrap.

    Items are drawn anew within each set; every set counts alike.
    """
    rng = np.random.default_rng(SEED)
    apart = [right["chosen"] - right[than] for right in sets]
    means = np.mean([_resampled(one, rng) for one in apart], axis=0)
    low, high = np.percentile(means, [2.5, 97.5])
    return {"difference": float(np.mean([one.mean() for one in apart])), "low": float(low), "high": float(high)}


def find_known(coded: Coded, verdicts: Mapping[str, str]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return places of items with a verdict and an answer, and the verdicts' places among the classes."""
    answered = np.bincount(coded.item, minlength=len(coded.item_ids)) > 0
    place = {name: n for n, name in enumerate(coded.classes)}
    truth = np.array([place.get(verdicts.get(item, ""), -1) for item in coded.item_ids.to_pylist()])
    items = np.flatnonzero(answered & (truth >= 0))
    return items, truth[items]


def share_right(posterior: Reals, truth: np.ndarray[Any, Any]) -> Reals:
    """Return each item's share right: 1/k where k classes, the right one among them, are equally likely."""
    # Probabilities that differ in their last digits alone are one and the same.
    is_top = posterior >= posterior.max(axis=1, keepdims=True) - 1e-9
    return np.asarray(is_top[np.arange(len(truth)), truth] / is_top.sum(axis=1))


def _resampled(values: Reals, rng: np.random.Generator) -> Reals:
    """Return means of as many values drawn with replacement, from how often each value is drawn."""
    kinds, sizes = np.unique(values, return_counts=True)
    draws = rng.multinomial(len(values), sizes / len(values), size=RESAMPLES)
    return np.asarray(draws @ kinds / len(values))
