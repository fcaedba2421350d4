"""The harness: what is measured of one crowd, replay by replay."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.double_check.before.freeze import consensuses_before, rounds_before
from benchmarks.double_check.before.rise import plan_shares_before
from benchmarks.double_check.before.rounds import pays_before
from benchmarks.double_check.class_budgets import BUDGET_OF_ALL, ClassOutcome, replay_class_budgets
from benchmarks.double_check.deployed import Frozen, Outcome, deploy, has_rounds_left, rounds
from benchmarks.double_check.experts import Experts, Scorer
from benchmarks.double_check.folder import Crowd, Gold
from benchmarks.double_check.oracle import clopper_pearson_share, floor_of_any, frontier_share
from benchmarks.double_check.orders import replay_rising
from benchmarks.double_check.pac_labels import BOUNDS, replay_pac
from benchmarks.double_check.rankers import OURS, Evidence, Ranker, first_evidence, rankers
from benchmarks.double_check.redraw import SEED
from benchmarks.double_check.single_model import CONFIDENCE, confidence_order, cupel_of_model, model_evidence
from cupel.consensus.coding import Flags

BUDGETS = (0.003, 0.005, 0.01, 0.02, 0.05)
TARGETS = (0.003, 0.005, 0.01, 0.02, 0.05)
# Cupel as it was: its own rounds and its own rise; see `before`.
BEFORE = "cupel_before"
# Rankers that are put through the same procedure, with the same draws and audit sizes.
DEPLOYED = (OURS, BEFORE, "majority", "dawid_skene", "ebcc", CONFIDENCE, "crowdlab", "crowdlab_in_rounds")
# Whose labels and order PAC labels take.
PAC_SOURCES = ("majority", "dawid_skene", CONFIDENCE, OURS)
# Draws of PAC labels, of which an oracle takes the cheapest; 0 stands for as many as ours audits.
PAC_DRAWS = (0, 100, 200, 400, 800, 1_600, 3_200)


# Of each replay, a mark of every item.
Marks = Sequence[Mapping[str, float]]


class PacKey(NamedTuple):
    """Whose labels and order PAC labels took, its bound, the budget, and its draws; 0 for as many as ours audits."""

    source: str
    bound: str
    budget: float
    draws: int


class Measured(NamedTuple):
    """Of one crowd: per method the accuracy, seconds and oracle's share by target; and the replays.

    `outcomes`, `asked` (share of the items that experts saw before the freeze) and `limits` (of Clopper and
    Pearson, and the floor) are by method and budget. `chosen` is the consensus that ours starts from, `read_by`
    the one that it froze the labels with, by budget. `pac` are the replays of PAC labels,
    `by_class` those with budgets for the rarest class, by what is bounded.
    """

    accuracy: dict[str, float]
    seconds: dict[str, float]
    frontier: dict[str, dict[float, float]]
    outcomes: dict[tuple[str, float], list[Outcome]]
    asked: dict[tuple[str, float], float]
    limits: dict[tuple[str, float], tuple[float, float]]
    chosen: str
    read_by: dict[float, str]
    pac: dict[PacKey, list[Outcome]]
    by_class: dict[tuple[str, ...], list[ClassOutcome]]


def measure(
    crowd: Crowd,
    gold: Gold,
    replays: int,
    seed: int,
    names: Sequence[str] | None = None,
    tell: Callable[[str], None] = lambda stage: None,
    class_share: float | None = None,
) -> Measured:
    """Rank a crowd by every method, take some of them through the whole procedure, and replay the audit.

    Args:
        crowd: What methods may see.
        gold: What experts and scorer know.
        replays: Audits drawn; an item's mark is the same for all methods.
        seed: Of the draws.
        names: Methods to rank by; None is all.
        tell: Is told which method comes next.
        class_share: Budget of the rarest class, beside that of all; None: none.
    """
    scorer = Scorer(gold)
    ids = scorer.item_ids()
    start = time.perf_counter()
    evidence = first_evidence(crowd) if crowd.confidence is None else model_evidence(crowd)
    before = time.perf_counter() - start
    found = Measured({}, {}, {}, {}, {}, {}, evidence.chosen, {}, {}, {})
    marks = [dict(zip(ids, _uniform(seed, number, len(ids)), strict=True)) for number in range(replays)]
    orders: dict[str, Flags] = {}
    for name, ranker in _rankers(evidence).items():
        if names is not None and name not in names:
            continue
        tell(name)
        start = time.perf_counter()
        for frozen, budgets in _frozen(evidence, ranker, gold, ids, BUDGETS if name in DEPLOYED else ()):
            if not frozen.asked:
                orders[name] = np.array(scorer.are_wrong(frozen.item_ids, frozen.labels))
                _add_order(found, name, orders[name])
            for budget in budgets:
                _add_outcomes(found, name, budget, frozen, marks, gold)
                if name == OURS and budget == BUDGET_OF_ALL and class_share is not None:
                    found.by_class.update(replay_class_budgets(frozen, gold, marks, class_share))
        found.seconds[name] = time.perf_counter() - start + (before if name == OURS else 0.0)
    if names is None or BEFORE in names:
        tell(BEFORE)
        _add_before(found, crowd, evidence, gold, marks)
    if names is None or len(names) > 1:
        tell("PAC labels")
        start = time.perf_counter()
        _add_pac(found, orders, replays, seed)
        found.seconds["pac_labels"] = time.perf_counter() - start
    return found


def _rankers(evidence: Evidence) -> dict[str, Ranker]:
    """Return the rankers; a model that is the only annotator is its own consensus, whichever method counts votes."""
    if evidence.crowd.confidence is None:
        return rankers(evidence)
    return {OURS: cupel_of_model, CONFIDENCE: confidence_order}


def _frozen(
    evidence: Evidence, ranker: Ranker, gold: Gold, ids: Sequence[str], budgets: Sequence[float]
) -> Iterator[tuple[Frozen, list[float]]]:
    """Yield the labels after each round, the first always, and the budgets for which no round follows."""
    waiting = list(budgets)
    for frozen in rounds(evidence, ranker, Experts(gold), ids):
        here = [budget for budget in waiting if not has_rounds_left(frozen, budget)]
        waiting = [budget for budget in waiting if budget not in here]
        yield frozen, here
        if not waiting:
            return


def _add_order(found: Measured, name: str, is_wrong: Flags) -> None:
    """Add what is to be said of an order that no expert has seen."""
    found.accuracy[name] = 1 - float(is_wrong.mean())
    found.frontier[name] = {target: frontier_share(is_wrong, target) for target in TARGETS}
    for budget in BUDGETS if name in DEPLOYED else ():
        found.limits[name, budget] = (clopper_pearson_share(is_wrong, budget), floor_of_any(is_wrong, budget))


def _add_outcomes(found: Measured, name: str, budget: float, frozen: Frozen, marks: Marks, gold: Gold) -> None:
    scorer = Scorer(gold)
    found.asked[name, budget] = len(frozen.asked) / frozen.size
    if name == OURS:
        found.read_by[budget] = frozen.method or found.chosen
    found.outcomes[name, budget] = [
        deploy(frozen, np.array([mark[item] for item in frozen.item_ids]), Experts(gold), scorer, budget)
        for mark in marks
    ]


def _add_before(found: Measured, crowd: Crowd, evidence: Evidence, gold: Gold, marks: Marks) -> None:
    scorer, start = Scorer(gold), time.perf_counter()
    tables = consensuses_before(crowd) if crowd.confidence is None else evidence.consensuses
    waiting = list(BUDGETS)
    for frozen, standing in rounds_before(crowd, tables, Experts(gold), scorer.item_ids()):
        is_wrong = np.array(scorer.are_wrong(frozen.item_ids, frozen.labels))
        if not frozen.asked:
            _add_order(found, BEFORE, is_wrong)
        here = [budget for budget in waiting if standing is None or not pays_before(standing, budget)]
        for budget in here:
            found.asked[BEFORE, budget] = len(frozen.asked) / frozen.size
            shares = plan_shares_before(frozen.size, budget)
            found.outcomes[BEFORE, budget] = [
                replay_rising(
                    len(frozen.asked), is_wrong, np.array([mark[item] for item in frozen.item_ids]), shares, budget
                )
                for mark in marks
            ]
        waiting = [budget for budget in waiting if budget not in here]
        if not waiting:
            break
    found.seconds[BEFORE] = time.perf_counter() - start


def _add_pac(found: Measured, orders: dict[str, Flags], replays: int, seed: int) -> None:
    for source in PAC_SOURCES:
        for bound, is_within in BOUNDS.items() if source in orders else ():
            for budget in BUDGETS:
                for draws in PAC_DRAWS:
                    equal = round(np.mean([one.audited for one in found.outcomes[OURS, budget]]))
                    drawn = draws or max(1, equal)
                    if drawn > len(orders[source]):
                        continue
                    found.pac[PacKey(source, bound, budget, draws)] = [
                        replay_pac(orders[source], drawn, budget, is_within, _generator(seed, number, drawn))
                        for number in range(replays)
                    ]


def _uniform(seed: int, number: int, size: int) -> list[float]:
    return list(map(float, np.random.default_rng([SEED, seed, number]).random(size)))


def _generator(seed: int, number: int, draws: int) -> np.random.Generator:
    return np.random.default_rng([SEED, seed, number, draws])
