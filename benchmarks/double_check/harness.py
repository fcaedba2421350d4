"""The harness: what is measured of a folder, replay by replay, and how the crowds of a folder are redrawn."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from benchmarks.double_check.deployed import (
    Frozen,
    Outcome,
    deploy,
    has_rounds_left,
    rounds,
)
from benchmarks.double_check.experts import Experts, Scorer
from benchmarks.double_check.folder import Crowd, Gold
from benchmarks.double_check.oracle import (
    clopper_pearson_share,
    floor_of_any,
    frontier_share,
)
from benchmarks.double_check.rankers import (
    OURS,
    Evidence,
    Ranker,
    first_evidence,
    rankers,
)
from cupel.certificate.hypergeometric import (
    clopper_pearson_lower,
    clopper_pearson_upper,
)

BUDGETS = (0.003, 0.005, 0.01, 0.02, 0.05)
TARGETS = (0.003, 0.005, 0.01, 0.02, 0.05)
# Rankers that are put through the same procedure, with the same draws and audit sizes.
DEPLOYED = (OURS, "majority", "dawid_skene", "crowdlab", "crowdlab_in_rounds")
LABELS_REDRAWN = 3
MOST_CROWDS = 40
SEED = 1912

Row = dict[str, Any]


class Measured(NamedTuple):
    """Of one crowd: per method the accuracy, seconds and oracle's share by target; and the replays.

    `outcomes`, `asked` (share of the items that experts saw before the freeze) and `limits` (of Clopper and
    Pearson, and the floor) are by method and budget. `chosen` is the consensus that ours starts from, `read_by`
    the one that it froze the labels with, by budget.
    """

    accuracy: dict[str, float]
    seconds: dict[str, float]
    frontier: dict[str, dict[float, float]]
    outcomes: dict[tuple[str, float], list[Outcome]]
    asked: dict[tuple[str, float], float]
    limits: dict[tuple[str, float], tuple[float, float]]
    chosen: str
    read_by: dict[float, str]


def measure(crowd: Crowd, gold: Gold, replays: int, seed: int, names: Sequence[str] | None = None) -> Measured:
    """Rank a crowd by every method, take some of them through the whole procedure, and replay the audit.

    Args:
        crowd: What methods may see.
        gold: What experts and scorer know.
        replays: Audits drawn; an item's mark is the same for all methods.
        seed: Of the draws.
        names: Methods to rank by; None is all.
    """
    scorer = Scorer(gold)
    ids = scorer.item_ids()
    start = time.perf_counter()
    evidence = first_evidence(crowd)
    before = time.perf_counter() - start
    found = Measured({}, {}, {}, {}, {}, {}, evidence.chosen, {})
    marks = [dict(zip(ids, _uniform(seed, number, len(ids)), strict=True)) for number in range(replays)]
    for name, ranker in rankers(evidence).items():
        if names is not None and name not in names:
            continue
        start = time.perf_counter()
        first = next(rounds(evidence, ranker, Experts(gold), ids))
        found.seconds[name] = (
            time.perf_counter() - start + (before if name in (OURS, "model", "crowdlab", "crowdlab_in_rounds") else 0.0)
        )
        is_wrong = np.array(scorer.are_wrong(first.item_ids, first.labels))
        found.accuracy[name] = 1 - float(is_wrong.mean())
        found.frontier[name] = {target: frontier_share(is_wrong, target) for target in TARGETS}
        if name in DEPLOYED:
            for budget, frozen in _frozen(evidence, ranker, gold, ids):
                key = (name, budget)
                found.limits[key] = (
                    clopper_pearson_share(is_wrong, budget),
                    floor_of_any(is_wrong, budget),
                )
                found.asked[key] = len(frozen.asked) / frozen.size
                if name == OURS:
                    found.read_by[budget] = frozen.method
                found.outcomes[key] = [
                    deploy(
                        frozen,
                        np.array([mark[item] for item in frozen.item_ids]),
                        Experts(gold),
                        scorer,
                        budget,
                    )
                    for mark in marks
                ]
    return found


def _frozen(evidence: Evidence, ranker: Ranker, gold: Gold, ids: Sequence[str]) -> Iterator[tuple[float, Frozen]]:
    """Yield for each budget the labels that it freezes: rounds go on as long as they are cheap or pay."""
    waiting = list(BUDGETS)
    for frozen in rounds(evidence, ranker, Experts(gold), ids):
        for budget in list(waiting):
            if not has_rounds_left(frozen, budget):
                waiting.remove(budget)
                yield budget, frozen
        if not waiting:
            return


def _uniform(seed: int, number: int, size: int) -> list[float]:
    return list(map(float, np.random.default_rng([SEED, seed, number]).random(size)))


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
        item_ids=tuple(names[place] for place in order),
        annotations=annotations,
        model=model,
        texts=None,
        features=None,
    )
    return new, Gold({name: gold.verdicts[ids[place]] for name, place in zip(names, places, strict=True)})


def thinned(crowd: Crowd, labels: int) -> Crowd:
    """Keep at most so many labels of each item, drawn at random, the same each time."""
    order = np.random.default_rng(SEED).permutation(crowd.annotations.num_rows)
    items = crowd.annotations["item_id"].to_pylist()
    seen: Counter[str] = Counter()
    kept = []
    for row in order.tolist():
        seen[items[row]] += 1
        if seen[items[row]] <= labels:
            kept.append(row)
    return crowd._replace(annotations=crowd.annotations.take(pa.array(sorted(kept))))


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
        "asked_before_share": float(np.mean([one.asked[method, budget] for one in measured])),
        "read_by": dict(Counter(one.read_by[budget] for one in measured)) if method == OURS else {},
        "audited": float(np.mean([outcome.audited for outcome in outcomes])),
        "experts_seen_share": {
            "mean": float(seen.mean()),
            "p80": float(np.quantile(seen, 0.8)),
        },
        "certified_share": sum(outcome.is_certified for outcome in outcomes) / count,
        "false_certificate_share": false / count,
        "false_certificate_interval": [
            clopper_pearson_lower(false, count, 0.975),
            clopper_pearson_upper(false, count, 0.975),
        ],
        "final_error": {
            "mean": float(final.mean()),
            "p95": float(np.quantile(final, 0.95)),
        },
        "clopper_pearson_share": float(limits[:, 0].mean()),
        "floor_share": float(limits[:, 1].mean()),
        "replays": count,
    }


def comparison(measured: Sequence[Measured], peer: str, budget: float) -> Row:
    """Return how much less experts see with our ranking than with a peer's, over the same draws.

    The interval is normal, of paired replays of the audit; with several crowds, of the crowds' means.
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
    return {
        "budget": budget,
        "method": peer,
        "difference": middle,
        "low": middle - half,
        "high": middle + half,
    }
