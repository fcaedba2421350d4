"""Deployed: the whole procedure, as a project would run it: rounds with experts, freeze, audit, adjudicate, repair."""

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from operator import ne
from typing import NamedTuple

import numpy as np

from benchmarks.double_check.experts import Experts, Scorer
from benchmarks.double_check.rankers import Evidence, Ranker, taught
from cupel.certificate.attempts import attempt_levels
from cupel.certificate.hypergeometric import Integers, Reals
from cupel.certificate.rising import Rise, rising_shares, walk
from cupel.certificate.rising_plan import STEPS, choose_rise, exponentials
from cupel.certificate.risk import Course, course_of_chances
from cupel.certificate.sequence import floor_share

# Shares of the items, the riskiest first, after which the rounds before the freeze rank anew.
ROUNDS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.12, 0.16, 0.24, 0.32)
# A round is cheap where its items would so likely be seen by experts anyway, audited or behind the cut ...
CHEAP_CHANCE = 0.85
# ... and worth its price at this chance too, if so many labels of the last round were wrong.
WORTH_CHANCE, WORTH_WRONG_SHARE = 0.35, 0.25
# How often labels are wrong, as a multiple of what their log-odds say: none of them is believed alone.
DOUBTS = (1.0, 2.0, 4.0)
# Errors per item that no log-odds show, because people and model make them together.
HIDDEN = 0.001
PATHS = 200


class Frozen(NamedTuple):
    """Labels as they go to the audit.

    `asked` are the items that experts decided in the rounds before, `last_wrong_share` is how many labels
    were wrong in the last of these, `can_learn` that verdicts can change the order; the others stand in risk
    order, the safest first, each with its label (None is no label) and its log-odds. `method` is the consensus
    that answers were read by, empty for a ranker that has none.
    """

    asked: tuple[str, ...]
    last_wrong_share: float
    can_learn: bool
    item_ids: tuple[str, ...]
    labels: tuple[str | None, ...]
    log_odds: Reals
    method: str = ""

    @property
    def size(self) -> int:
        """Items in all."""
        return len(self.asked) + len(self.item_ids)


class Plan(NamedTuple):
    """Audited share while 0, 1, 2, ... errors have been found; the chance that experts see the next round's items."""

    shares: Reals
    next_seen_chance: float


class Outcome(NamedTuple):
    """What one replay came to; shares are of the items that can be scored."""

    audited: int
    seen_share: float
    is_certified: bool
    is_false: bool
    final_error: float


def rounds(evidence: Evidence, ranker: Ranker, experts: Experts, item_ids: Sequence[str]) -> Iterator[Frozen]:
    """Yield labels as they could be frozen now, round after round.

    In each round experts decide the riskiest items, which they would have to decide in any case; their
    verdicts weigh people against model and train the model, and the others are ranked anew. They certify
    nothing.

    Args:
        evidence: Of the first round.
        ranker: Ranks.
        experts: Who is asked.
        item_ids: Items that can be scored.
    """
    verdicts: dict[str, str] = {}
    last_wrong_share = 0.0
    while True:
        ranking = ranker(evidence, verdicts)
        places = {item: place for place, item in enumerate(evidence.crowd.item_ids)}
        rest = (item for item in item_ids if item not in verdicts)
        # Equal log-odds are ordered by a hash of the id.
        order = sorted(
            rest,
            key=lambda item: (
                -ranking.log_odds[places[item]],
                hashlib.sha256(item.encode()).digest(),
            ),
        )
        known = [int(ranking.label[places[item]]) for item in order]
        labels = tuple(evidence.crowd.classes[place] if place >= 0 else None for place in known)
        log_odds = ranking.log_odds[[places[item] for item in order]]
        frozen = Frozen(
            tuple(verdicts),
            last_wrong_share,
            ranking.lessons is not None,
            tuple(order),
            labels,
            log_odds,
            ranking.method,
        )
        yield frozen
        after = _next_round(frozen)
        if after is None:
            return
        more = after - len(verdicts)
        said = [experts.ask_expert(item) for item in order[-more:]]
        last_wrong_share = sum(map(ne, said, labels[-more:])) / len(said)
        verdicts |= dict(zip(order[-more:], said, strict=True))
        if ranking.lessons is not None:
            evidence = taught(evidence, ranker(evidence, verdicts).lessons)


def plan(frozen: Frozen, error_budget: float) -> Plan:
    """Return how the audit's share rises, and how likely experts see the next round's items.

    The rise is the library's own, which knows nothing of the labels, the same for all rankers: log-odds are
    too sure of themselves to plan by. The chance is a guess by the log-odds, and by errors that are more
    frequent than they say (`DOUBTS`, `HIDDEN`). Neither asks for gold.

    Args:
        frozen: Labels and order.
        error_budget: Highest share of wrong labels of all items.
    """
    allowed = floor_share(error_budget, frozen.size)
    alpha = attempt_levels(1, can_be_contested=False).wrong
    shares = rising_shares(_rise(frozen.size, allowed, alpha), allowed, alpha)
    chances = [_seen_chance(frozen, shares, course) for course in _courses(frozen.log_odds)]
    return Plan(shares, float(np.mean(chances)))


@cache
def _rise(size: int, allowed: int, alpha: float) -> Rise:
    return choose_rise(size, allowed, alpha)


def has_rounds_left(frozen: Frozen, planned: Plan) -> bool:
    """Tell whether another round is asked for: always a first one, and then as long as they are cheap or pay.

    A ranker that learns nothing from verdicts has no rounds, which could only cost.
    """
    if not frozen.can_learn or _next_round(frozen) is None:
        return False
    is_worth = planned.next_seen_chance >= WORTH_CHANCE and frozen.last_wrong_share >= WORTH_WRONG_SHARE
    return not frozen.asked or planned.next_seen_chance >= CHEAP_CHANCE or is_worth


def deploy(
    frozen: Frozen,
    planned: Plan,
    marks: Reals,
    experts: Experts,
    scorer: Scorer,
    error_budget: float,
) -> Outcome:
    """Audit, adjudicate, repair; then score.

    Args:
        frozen: Items, labels and order, fixed before the audit is drawn.
        planned: How the audit rises.
        marks: Of `frozen.item_ids`, uniform between 0 and 1, drawn after the freeze.
        experts: Who is asked, and charged for; also for the rounds before.
        scorer: Who counts in the end.
        error_budget: Highest share of wrong labels.

    Returns:
        The outcome. Certified means that some labels stand without an expert.
    """
    for item in frozen.asked:
        experts.ask_expert(item)
    size = len(frozen.item_ids)
    labels, is_asked, is_found = (
        list(frozen.labels),
        np.zeros(size, np.bool_),
        np.zeros(size, np.bool_),
    )

    def ask(places: Integers) -> None:
        for place in places.tolist():
            said = experts.ask_expert(frozen.item_ids[place])
            is_found[place], labels[place] = said != frozen.labels[place], said
        is_asked[places] = True

    while True:
        way = walk(marks, is_found, planned.shares)
        due = np.flatnonzero(way.is_due & ~is_asked)
        if not due.size:
            break
        ask(due)
    audited = int(is_asked.sum())
    ask(np.flatnonzero(~is_asked & (np.arange(size) >= way.accepted)))
    left = sum(scorer.are_wrong(frozen.item_ids, labels))
    is_certified = not bool(is_asked.all())
    is_false = is_certified and left > floor_share(error_budget, frozen.size)
    return Outcome(
        audited,
        experts.charged / frozen.size,
        is_certified,
        is_false,
        left / frozen.size,
    )


def _courses(log_odds: Reals) -> list[Course]:
    chance = 1 / (1 + np.exp(np.clip(log_odds, -700, 700)))
    return [course_of_chances(np.minimum(1.0, doubt * chance + HIDDEN)) for doubt in DOUBTS]


def _next_round(frozen: Frozen) -> int | None:
    """Return how many items experts will have seen after the next round; None after the last."""
    sizes = (round(share * frozen.size) for share in ROUNDS)
    return next((size for size in sizes if len(frozen.asked) < size < frozen.size), None)


def _seen_chance(frozen: Frozen, shares: Reals, course: Course) -> float:
    """Return the chance that experts see the safest item of the next round anyway, if the guessed course is right."""
    after = _next_round(frozen)
    if after is None:
        return 0.0
    place = frozen.size - after
    met = np.cumsum(
        exponentials(PATHS, max(STEPS))[:, : len(shares)] / np.maximum(shares, 1e-12),
        axis=1,
    )
    found = (met <= np.interp(place, course.items, course.wrong)).sum(axis=1)
    return float(np.append(shares, 1.0)[found].mean())
