"""The harness: what is measured of a folder, replay by replay, and how the crowds of a folder are redrawn."""

import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.double_check.deployed import Frozen, Outcome, deploy, plan_audit
from benchmarks.double_check.experts import Experts, Scorer
from benchmarks.double_check.folder import Crowd, Gold
from benchmarks.double_check.oracle import Flags, clopper_pearson_share, floor_of_any, frontier_share
from benchmarks.double_check.rankers import OURS, Ranking, rank_all
from cupel.certificate.hypergeometric import clopper_pearson_lower, clopper_pearson_upper

BUDGETS = (0.003, 0.005, 0.01, 0.02, 0.05)
TARGETS = (0.003, 0.005, 0.01, 0.02, 0.05)
# Rankers that are put through the same procedure, with the same draws and audit sizes.
DEPLOYED = (OURS, "majority", "dawid_skene", "crowdlab")
LABELS_REDRAWN = 3
MOST_CROWDS = 40
SEED = 1912

Row = dict[str, Any]


class Measured(NamedTuple):
    """Of one crowd: per method the accuracy, seconds and oracle's share by target; and the replays.

    `outcomes` and `limits` (of Clopper and Pearson, and the floor) are by method and budget.
    """

    accuracy: dict[str, float]
    seconds: dict[str, float]
    frontier: dict[str, dict[float, float]]
    outcomes: dict[tuple[str, float], list[Outcome]]
    limits: dict[tuple[str, float], tuple[float, float]]


def measure(crowd: Crowd, gold: Gold, replays: int, seed: int) -> Measured:
    """Rank a crowd by every method, and replay audits of its frozen labels.

    Args:
        crowd: What methods may see.
        gold: What experts and scorer know.
        replays: Audits drawn, the same for all methods.
        seed: Of the draws.
    """
    scorer = Scorer(gold)
    rankings = rank_all(crowd)
    frozen = {name: freeze(crowd, ranking, scorer) for name, ranking in rankings.items()}
    is_wrong = {name: np.array(scorer.are_wrong(one.item_ids, one.labels)) for name, one in frozen.items()}
    shuffles = [np.random.default_rng([seed, number]).random(len(frozen[OURS].item_ids)) for number in range(replays)]
    deployed = [name for name in DEPLOYED if name in frozen]
    outcomes: dict[tuple[str, float], list[Outcome]] = {}
    limits = {}
    for budget in BUDGETS:
        drawn = plan_audit(frozen[OURS].log_odds, budget)
        for name in deployed:
            limits[name, budget] = limits_of(is_wrong[name], budget)
            places = _by_id(frozen[name])
            outcomes[name, budget] = [
                deploy(frozen[name], places[np.argsort(shuffle)[:drawn]].tolist(), Experts(gold), scorer, budget)
                for shuffle in shuffles
            ]
    return Measured(
        {name: 1 - float(flags.mean()) for name, flags in is_wrong.items()},
        {name: ranking.seconds for name, ranking in rankings.items()},
        {name: {target: frontier_share(flags, target) for target in TARGETS} for name, flags in is_wrong.items()},
        outcomes,
        limits,
    )


def limits_of(is_wrong: Flags, budget: float) -> tuple[float, float]:
    """Return what the textbook's audit would cost at its best, and what no valid method can go below."""
    return clopper_pearson_share(is_wrong, budget), floor_of_any(is_wrong, budget)


def freeze(crowd: Crowd, ranking: Ranking, scorer: Scorer) -> Frozen:
    """Put the items that can be scored in risk order; equal log-odds are ordered by a hash of the id."""
    places = {item: place for place, item in enumerate(crowd.item_ids)}
    ids = scorer.item_ids()
    order = sorted(ids, key=lambda item: (-ranking.log_odds[places[item]], hashlib.sha256(item.encode()).digest()))
    known = [int(ranking.label[places[item]]) for item in order]
    labels = tuple(crowd.classes[place] if place >= 0 else None for place in known)
    return Frozen(tuple(order), labels, ranking.log_odds[[places[item] for item in order]])


def redrawn(crowd: Crowd, gold: Gold, counts: np.ndarray, seed: int, items: int | None = None) -> tuple[Crowd, Gold]:
    """Draw three labels for each item anew from the histogram of all its labels, which no method sees.

    Args:
        crowd: The folder's crowd.
        gold: Its gold; items without are left out.
        counts: Histogram of labels, shape rows of gold.csv x classes.
        seed: Of the draw.
        items: Items to draw with replacement, each with labels of its own; None takes each once.

    Returns:
        A crowd of three anonymous slots, and its gold.
    """
    rng = np.random.default_rng([SEED, seed])
    ids = list(gold.verdicts)
    places = np.arange(len(ids)) if items is None else np.sort(rng.choice(len(ids), items))
    names = [ids[place] if items is None else f"{ids[place]}/{number}" for number, place in enumerate(places)]
    votes = np.array([rng.multivariate_hypergeometric(row, LABELS_REDRAWN) for row in counts.astype(np.int64)[places]])
    drawn = np.repeat(np.tile(np.arange(votes.shape[1]), len(votes)), votes.ravel())
    label = rng.permuted(drawn.reshape(-1, LABELS_REDRAWN), axis=1).ravel()
    slots = [str(slot) for slot in range(LABELS_REDRAWN)]
    annotations = pa.table(
        {
            "item_id": pa.array(np.repeat(names, LABELS_REDRAWN).tolist()),
            "annotator": pa.array(slots * len(names)),
            "label": pa.array(crowd.classes, pa.string()).take(pa.array(label)),
        }
    )
    order = np.argsort(np.array(names, dtype=object), kind="stable")
    model = None
    if crowd.model is not None:
        before = {item: place for place, item in enumerate(crowd.item_ids)}
        model = crowd.model[[before[ids[places[place]]] for place in order]]
    new = crowd._replace(
        item_ids=tuple(names[place] for place in order), annotations=annotations, model=model, texts=None, features=None
    )
    return new, Gold({name: gold.verdicts[ids[place]] for name, place in zip(names, places, strict=True)})


def crowds_of(
    folder: Path, crowd: Crowd, gold: Gold, replays: int, items: int | None
) -> Iterator[tuple[Crowd, Gold, int]]:
    """Yield crowds and how many audits each gets: the folder's own, or redrawn ones where it has counts.npy."""
    if not (folder / "counts.npy").is_file():
        yield crowd, gold, replays
        return
    counts = np.load(folder / "counts.npy", allow_pickle=False)
    crowds = min(replays, MOST_CROWDS)
    for number in range(crowds):
        here = math.ceil(replays * (number + 1) / crowds) - math.ceil(replays * number / crowds)
        yield *redrawn(crowd, gold, counts, number, items), here


def summary(measured: Sequence[Measured], method: str, budget: float) -> Row:
    """Return the figures of one method and budget over all crowds and replays."""
    outcomes = [outcome for one in measured for outcome in one.outcomes[method, budget]]
    limits = np.array([one.limits[method, budget] for one in measured])
    seen = np.array([outcome.seen_share for outcome in outcomes])
    final = np.array([outcome.final_error for outcome in outcomes])
    false, count = sum(outcome.is_false for outcome in outcomes), len(outcomes)
    return {
        "budget": budget,
        "audited": float(np.mean([outcome.audited for outcome in outcomes])),
        "experts_seen_share": {"mean": float(seen.mean()), "p80": float(np.quantile(seen, 0.8))},
        "certified_share": sum(outcome.is_certified for outcome in outcomes) / count,
        "false_certificate_share": false / count,
        "false_certificate_interval": [
            clopper_pearson_lower(false, count, 0.975),
            clopper_pearson_upper(false, count, 0.975),
        ],
        "final_error": {"mean": float(final.mean()), "p95": float(np.quantile(final, 0.95))},
        "clopper_pearson_share": float(limits[:, 0].mean()),
        "floor_share": float(limits[:, 1].mean()),
        "replays": count,
    }


def comparison(measured: Sequence[Measured], peer: str, budget: float) -> Row:
    """Return how much less experts see with our ranking than with a peer's, over the same draws.

    The interval is that of a paired t statistic over replays of the audit; with several crowds, over crowds.
    """
    pairs = [
        np.array(
            [
                ours.seen_share - theirs.seen_share
                for ours, theirs in zip(one.outcomes[OURS, budget], one.outcomes[peer, budget], strict=True)
            ]
        )
        for one in measured
    ]
    values = pairs[0] if len(pairs) == 1 else np.array([pair.mean() for pair in pairs])
    half = 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    middle = float(values.mean())
    return {"budget": budget, "method": peer, "difference": middle, "low": middle - half, "high": middle + half}


def _by_id(frozen: Frozen) -> np.ndarray:
    """Return the places of the items in ascending order of ids, so that a draw means the same items to all."""
    return np.array(sorted(range(len(frozen.item_ids)), key=frozen.item_ids.__getitem__))
