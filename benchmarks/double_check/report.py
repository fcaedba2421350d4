"""The report of one folder: all of its crowds measured, and the figures of it."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.double_check.class_budgets import ASKED, BUDGET_OF_ALL, find_rarest
from benchmarks.double_check.figures import Row, compare, summarize, summarize_class, summarize_pac
from benchmarks.double_check.harness import BUDGETS, DEPLOYED, PAC_SOURCES, TARGETS, Measured, measure
from benchmarks.double_check.pac_labels import BOUNDS
from benchmarks.double_check.rankers import OURS
from benchmarks.double_check.redraw import crowds_of, thin_class, thinned
from benchmarks.double_check.sets import read_set


class ReportOptions(NamedTuple):
    """What is asked of each folder.

    `replays` are audits drawn; `items` to draw with replacement where crowds are redrawn (None: each once), `labels`
    of an item that are kept (None: all), `rare_share` of the rarest class after thinning (None: as it is);
    `is_alone` leaves out all other methods. `class_share` is the budget of the rarest class, beside 2% of all (None:
    none).
    """

    replays: int
    items: int | None = None
    labels: int | None = None
    rare_share: float | None = None
    is_alone: bool = False
    class_share: float | None = None


def report(folder: Path, asked: ReportOptions, tell: Callable[[str], None] = lambda stage: None) -> Row:
    """Measure a folder.

    Args:
        folder: Of either form; see `sets`.
        asked: What is measured.
        tell: Is told what comes next.
    """
    crowd, gold = read_set(folder)
    rare_class = None
    if asked.rare_share is not None:
        crowd, gold, rare_class = thin_class(crowd, gold, asked.rare_share)
    crowd = crowd if asked.labels is None else thinned(crowd, asked.labels)
    measured: list[Measured] = []
    # Of redrawn crowds the first will do for methods that are not deployed.
    names: tuple[str, ...] | None = (OURS,) if asked.is_alone else None
    for number, (drawn, known, here) in enumerate(crowds_of(folder, crowd, gold, asked.replays, asked.items)):
        tell(f"crowd {number + 1}")
        measured.append(measure(drawn, known, here, number, names, tell, asked.class_share))
        names = names or DEPLOYED
    methods = list(measured[0].accuracy)
    deployed = [name for name in DEPLOYED if (name, BUDGETS[0]) in measured[0].outcomes]
    peers = [name for name in deployed if name != OURS]
    return {
        "dataset": crowd.name,
        "items": len(known.verdicts),
        "classes": len(crowd.classes),
        "labels": crowd.annotations.num_rows,
        "crowds": len(measured),
        "is_model_external": crowd.model is not None,
        "is_model_only_annotator": crowd.confidence is not None,
        "thinned_class": rare_class,
        "accuracy": {name: _mean(one.accuracy[name] for one in measured if name in one.accuracy) for name in methods},
        "seconds": {
            name: sum(one.seconds[name] for one in measured if name in one.seconds) for name in measured[0].seconds
        },
        "chosen_method": Counter(one.chosen for one in measured).most_common(1)[0][0],
        "chosen_methods": dict(Counter(one.chosen for one in measured)),
        "oracle_frontier": {
            name: {
                str(target): _mean(one.frontier[name][target] for one in measured if name in one.frontier)
                for target in TARGETS
            }
            for name in methods
        },
        "deployed": [summarize(measured, OURS, budget) for budget in BUDGETS],
        "deployed_with_other_rankers": {name: [summarize(measured, name, one) for one in BUDGETS] for name in peers},
        "compared": [compare(measured, name, budget) for name in peers for budget in BUDGETS],
        "pac_labels": [
            row
            for source in PAC_SOURCES
            for bound in BOUNDS
            for budget in BUDGETS
            for row in summarize_pac(measured, source, bound, budget)
        ],
        "class_budgets": None
        if asked.class_share is None
        else {
            "class": find_rarest(gold),
            "share_of_items": _mean(label == find_rarest(gold) for label in gold.verdicts.values()),
            "budget": asked.class_share,
            "budget_of_all": BUDGET_OF_ALL,
            "asked": [summarize_class(measured, counts) for counts in ASKED],
        },
    }


def _mean(values: Any) -> float:
    known = list(values)
    return float(sum(known) / len(known))
