"""Leave out: each constant of the choice of a consensus is fixed on all crowds but one, and held against that one.

`python -m benchmarks.consensus.leave_out --data DIR --json FILE [--kept DIR] [--replays N] [--shapes]` takes a folder
of the crowd form or a folder of such folders. `--kept` keeps what was measured of each crowd in a file of its own, and
reads it there again. `--shapes` measures the made-up crowds of `benchmarks.crowd_shapes` beside them, with the
constants that all real crowds together ask for; they fix nothing.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.consensus.accuracy import find_known, share_right
from benchmarks.crowd_shapes import SHAPES, make_crowd
from benchmarks.double_check.deployed import deploy, has_rounds_left, rounds
from benchmarks.double_check.experts import Experts, Scorer
from benchmarks.double_check.folder import Crowd, Gold, folders_in, read_folder
from benchmarks.double_check.rankers import Evidence, Ranker, cupel, first_evidence, has_model, rankers
from benchmarks.new_file import new_file
from cupel.checking.by_verdicts import AS_MEASURED, VerdictSettings
from cupel.consensus.chooser import SMOOTHING, affordable, score_methods
from cupel.consensus.coding import code
from cupel.consensus.methods import CANDIDATES, METHODS
from cupel.store.files import put_file

# The best of these, picked with the known labels in hand, is what the method chosen is held against.
RIVALS = ("majority", "dawid_skene", "one_coin", "ibcc", "ebcc", "glad")
RANKING_RIVALS = ("majority", "dawid_skene", "ebcc")
SMOOTHINGS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
BUDGETS = (0.01, 0.02, 0.05)
# What the library does first: of equally good ones it is kept.
FIRST = "as_measured"
VARIANTS = {
    FIRST: AS_MEASURED,
    "own_order": VerdictSettings(is_order_shared=False),
    "weight_1": VerdictSettings(weight=1.0),
    "weight_16": VerdictSettings(weight=16.0),
    "another_2": VerdictSettings(another=2.0),
    "another_8": VerdictSettings(another=8.0),
}
SHAPE_SEEDS = 3
SEED = 1912

Row = dict[str, Any]


def measure_crowd(crowd: Crowd, gold: Gold, replays: int) -> Row:
    """Return accuracy and held-out scores by method, and what experts see by ranker, budget and replay.

    Args:
        crowd: What methods may see.
        gold: What experts and scorer know.
        replays: Audits drawn; an item's mark is the same for all rankers.
    """
    coded = code(crowd.annotations, crowd.item_ids, crowd.classes)
    items, truth = find_known(coded, gold.verdicts)
    names = affordable(coded)
    scores = score_methods(coded, names, SMOOTHINGS)
    posteriors = {name: METHODS[name](coded).posterior for name in dict.fromkeys((*CANDIDATES, *RIVALS))}
    evidence = first_evidence(crowd)
    all_rankers = rankers(evidence)
    # Where a model speaks, verdicts weigh it against people, and what concerns people alone changes nothing.
    apart = [name for name in VARIANTS if not has_model(evidence) or VARIANTS[name].another != AS_MEASURED.another]
    deployed: dict[str, Ranker] = {name: partial(cupel, settings=VARIANTS[name]) for name in (FIRST, *apart)}
    deployed |= {name: all_rankers[name] for name in RANKING_RIVALS}
    seen = {name: price_ranker(evidence, ranker, gold, replays) for name, ranker in deployed.items()}
    return {
        "dataset": crowd.name,
        "accuracy": {name: float(share_right(belief[items], truth).mean()) for name, belief in posteriors.items()},
        "scores": {str(one): {name: scores.means[name, one] for name in names} for one in SMOOTHINGS},
        "experts": {name: seen.get(name, seen[FIRST]) for name in (*VARIANTS, *RANKING_RIVALS)},
    }


def price_ranker(evidence: Evidence, ranker: Ranker, gold: Gold, replays: int) -> dict[str, list[float]]:
    """Return the share of items that experts see, replay by replay, by budget."""
    scorer = Scorer(gold)
    ids, found = scorer.item_ids(), {}
    drawn = [np.random.default_rng([SEED, number]).random(len(ids)) for number in range(replays)]
    marks = [dict(zip(ids, one.tolist(), strict=True)) for one in drawn]
    waiting = list(BUDGETS)
    for frozen in rounds(evidence, ranker, Experts(gold), ids):
        for budget in [one for one in waiting if not has_rounds_left(frozen, one)]:
            waiting.remove(budget)
            found[str(budget)] = [
                deploy(frozen, np.array([mark[item] for item in frozen.item_ids]), Experts(gold), scorer, budget)
                for mark in marks
            ]
        if not waiting:
            break
    return {str(budget): [outcome.seen_share for outcome in found[str(budget)]] for budget in BUDGETS}


def fix_smoothing(crowds: Sequence[Row]) -> float:
    """Return the smoothing with which the methods chosen are least below the best; the library's among equals."""
    order = sorted(SMOOTHINGS, key=lambda one: (one != SMOOTHING, one))
    return min(order, key=lambda one: round(sum(_gap(crowd, one) for crowd in crowds), 9))


def fix_variant(crowds: Sequence[Row]) -> str:
    """Return the settings under which experts see least, mean of crowds and budgets; the library's among equals."""
    return min(VARIANTS, key=lambda name: round(sum(_mean_seen(crowd, name) for crowd in crowds), 9))


def leave_each_out(crowds: Sequence[Row], others_of: Mapping[str, Sequence[Row]]) -> Iterator[Row]:
    """Yield for each crowd what comes out with constants fixed on others.

    Args:
        crowds: As `measure_crowd` returns them.
        others_of: The crowds that fix the constants, by data set.
    """
    for crowd in crowds:
        others = others_of[crowd["dataset"]]
        smoothing, variant = fix_smoothing(others), fix_variant(others)
        best = max(RIVALS, key=lambda name: crowd["accuracy"][name])
        yield {
            "dataset": crowd["dataset"],
            "smoothing": smoothing,
            "chosen_method": _chosen(crowd, smoothing),
            "accuracy": crowd["accuracy"][_chosen(crowd, smoothing)],
            "best_method": best,
            "best_accuracy": crowd["accuracy"][best],
            "gap": _gap(crowd, smoothing),
            "variant": variant,
            "experts": [compare_experts(crowd, variant, budget) for budget in BUDGETS],
        }


def compare_experts(crowd: Row, variant: str, budget: float) -> Row:
    """Return experts' share with ours and with the best of the rivals as rankers, and the paired difference.

    The best is picked by the mean over the same replays. `is_beyond` and `is_better` are one-sided chances of a
    difference so large, were it 2 points or less, and of one so small, were it 0 or more: t-tests of paired replays.
    """
    from scipy.stats import ttest_1samp

    seen = {name: np.array(crowd["experts"][name][str(budget)]) for name in (variant, *RANKING_RIVALS)}
    best = min(RANKING_RIVALS, key=lambda name: seen[name].mean())
    apart = seen[variant] - seen[best]
    half = 1.96 * apart.std(ddof=1) / np.sqrt(len(apart))
    is_flat = not apart.std() > 0
    beyond = float(apart.mean() <= 0.02) if is_flat else ttest_1samp(apart, 0.02, alternative="greater").pvalue
    better = float(apart.mean() >= 0) if is_flat else ttest_1samp(apart, 0.0, alternative="less").pvalue
    return {
        "budget": budget, "ours": float(seen[variant].mean()), "best_ranker": best, "best": float(seen[best].mean()),
        "difference": float(apart.mean()), "low": float(apart.mean() - half), "high": float(apart.mean() + half),
        "is_beyond": float(beyond), "is_better": float(better),
    }  # fmt: skip


def count_by_holm(chances: Sequence[float], level: float = 0.05) -> list[bool]:
    """Return which of several hypotheses are rejected together at a level, by Holm's rule.

    Source: Holm (1979), Scandinavian Journal of Statistics 6(2).

    >>> count_by_holm([0.01, 0.04, 0.03])
    [True, False, False]
    """
    order, rejected = np.argsort(chances, kind="stable"), [False] * len(chances)
    for rank, place in enumerate(order.tolist()):
        if chances[place] > level / (len(chances) - rank):
            break
        rejected[place] = True
    return rejected


def summarise(rows: Sequence[Row]) -> Row:
    """Return on how many crowds the gap is at most 1 point, and on how many experts see at most 2 points more."""
    each = [one for row in rows for one in row["experts"]]
    beyond = count_by_holm([one["is_beyond"] for one in each])
    better = count_by_holm([one["is_better"] for one in each])
    size = len(BUDGETS)
    return {
        "crowds": len(rows),
        "gap_at_most_1_point": sum(row["gap"] <= 0.01 + 1e-9 for row in rows),
        "at_most_2_points_more_in_the_mean": sum(
            all(one["difference"] <= 0.02 + 1e-9 for one in row["experts"]) for row in rows
        ),
        "not_beyond_2_points_by_holm": sum(
            not any(beyond[place : place + size]) for place in range(0, len(each), size)
        ),
        "budgets_better_by_holm": sum(better),
        "budgets_better_in_the_mean": sum(one["difference"] < 0 for one in each),
        "budgets": len(each),
    }


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="benchmarks.consensus.leave_out", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder of the crowd form, or of such folders")
    parser.add_argument("--json", type=new_file, help="file to write")
    parser.add_argument("--kept", type=Path, help="folder that keeps what was measured of each crowd")
    parser.add_argument("--replays", type=int, default=20, help="audits drawn of each crowd")
    parser.add_argument("--shapes", action="store_true", help="the made-up crowds too")
    arguments = parser.parse_args()
    real = [
        measure_once(arguments.kept, folder.name, partial(read_folder, folder), arguments.replays)
        for folder in folders_in(arguments.data)
    ]
    rest = {crowd["dataset"]: [other for other in real if other is not crowd] or [crowd] for crowd in real}
    rows = list(leave_each_out(real, rest))
    print_rows(rows)
    content: Row = {"sets": rows, "summary": summarise(rows)}
    if arguments.shapes:
        made = [
            measure_once(arguments.kept, f"{shape}_{seed}", partial(make_crowd, shape, seed), arguments.replays)
            for shape in SHAPES
            for seed in range(SHAPE_SEEDS)
        ]
        content["shapes"] = list(leave_each_out(made, {crowd["dataset"]: real for crowd in made}))
        print_rows(content["shapes"])
    if arguments.json:
        put_file(arguments.json, (json.dumps(content, indent=1) + "\n").encode())
    return 0


def measure_once(kept: Path | None, name: str, read: Callable[[], tuple[Crowd, Gold]], replays: int) -> Row:
    """Return what `measure_crowd` finds, or what it found before if it was kept."""
    place = None if kept is None else kept / f"{name}_{replays}.json"
    if place is not None and place.is_file():
        found: Row = json.loads(place.read_text(encoding="utf-8"))
        return found
    crowd, gold = read()
    found = measure_crowd(crowd, gold, replays)
    if place is not None:
        put_file(place, (json.dumps(found) + "\n").encode())
    return found


def print_rows(rows: Sequence[Row]) -> None:
    """Print a line a crowd, and what they come to."""
    for row in rows:
        experts = ", ".join(
            f"{one['budget']:.0%} {100 * one['ours']:.1f} less {one['best_ranker']} {100 * one['difference']:+.1f}"
            for one in row["experts"]
        )
        sys.stdout.write(
            f"{row['dataset']}: smoothing {row['smoothing']:g} chose {row['chosen_method']}, "
            f"{100 * row['accuracy']:.1f}%, {100 * row['gap']:.1f} below {row['best_method']}; "
            f"{row['variant']}, experts see (%) {experts}\n"
        )
    sys.stdout.write(f"{summarise(rows)}\n")


def _chosen(crowd: Row, smoothing: float) -> str:
    scores: dict[str, float] = crowd["scores"][str(smoothing)]
    return max(scores, key=lambda name: scores[name])


def _gap(crowd: Row, smoothing: float) -> float:
    best = max(crowd["accuracy"][name] for name in RIVALS)
    return float(best - crowd["accuracy"][_chosen(crowd, smoothing)])


def _mean_seen(crowd: Row, variant: str) -> float:
    return float(np.mean([np.mean(seen) for seen in crowd["experts"][variant].values()]))


if __name__ == "__main__":
    sys.exit(main())
