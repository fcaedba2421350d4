"""Deployed: the whole procedure, as a project would run it: rounds with experts, freeze, audit, adjudicate, repair."""

import hashlib
from collections.abc import Iterator, Sequence
from operator import ne
from typing import NamedTuple

import numpy as np

from benchmarks.double_check.experts import Experts, Scorer
from benchmarks.double_check.rankers import Evidence, Ranker, learn_annotators, taught
from cupel.certificate.hypergeometric import Integers, Reals
from cupel.certificate.rising import walk
from cupel.certificate.sequence import floor_share
from cupel.checking.rounds import NO_ROUND, LastRound, Standing, audit_shares, next_end, pays


class Frozen(NamedTuple):
    """Labels as they go to the audit.

    `asked` are the items that experts decided in the rounds before, `last` is the last of these, `can_learn`
    that verdicts can change the order; the others stand in risk order, the safest first, each with its label (None
    is no label) and its log-odds. `method` is the consensus that answers were read by, empty for a ranker that has
    none.
    """

    asked: tuple[str, ...]
    last: LastRound
    can_learn: bool
    item_ids: tuple[str, ...]
    labels: tuple[str | None, ...]
    log_odds: Reals
    method: str = ""

    @property
    def size(self) -> int:
        """Items in all."""
        return len(self.asked) + len(self.item_ids)

    @property
    def standing(self) -> Standing:
        """Where the rounds stand."""
        return Standing(self.size, len(self.asked), self.log_odds, self.last)


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
    verdicts weigh people against model, train the model, tell which annotators are right, and the others are ranked
    anew. They certify nothing.

    Args:
        evidence: Of the first round.
        ranker: Ranks.
        experts: Who is asked.
        item_ids: Items that can be scored.
    """
    verdicts: dict[str, str] = {}
    plain, last = evidence, NO_ROUND
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
            last,
            ranking.lessons is not None,
            tuple(order),
            labels,
            log_odds,
            ranking.method,
        )
        yield frozen
        after = next_end(frozen.standing)
        if after is None:
            return
        more = after - len(verdicts)
        said = [experts.ask_expert(item) for item in order[-more:]]
        last = LastRound(log_odds[-more:], np.array(list(map(ne, said, labels[-more:])), np.bool_))
        verdicts |= dict(zip(order[-more:], said, strict=True))
        if ranking.method:
            evidence = learn_annotators(evidence, plain, verdicts)
        if ranking.lessons is not None:
            evidence = taught(evidence, ranker(evidence, verdicts).lessons)


def has_rounds_left(frozen: Frozen, error_budget: float) -> bool:
    """Tell whether another round is asked for, by the library's own rule (`cupel.checking.rounds.pays`).

    A ranker that learns nothing from verdicts has no rounds, which could only cost.
    """
    return frozen.can_learn and pays(frozen.standing, error_budget)


def deploy(
    frozen: Frozen,
    marks: Reals,
    experts: Experts,
    scorer: Scorer,
    error_budget: float,
) -> Outcome:
    """Audit, adjudicate, repair; then score.

    Args:
        frozen: Items, labels and order, fixed before the audit is drawn. How it rises is the library's own plan,
            which knows nothing of the labels, the same for all rankers: log-odds are too sure to plan by.
        marks: Of `frozen.item_ids`, uniform between 0 and 1, drawn after the freeze.
        experts: Who is asked, and charged for; also for the rounds before.
        scorer: Who counts in the end.
        error_budget: Highest share of wrong labels.

    Returns:
        The outcome. Certified means that some labels stand without an expert.
    """
    for item in frozen.asked:
        experts.ask_expert(item)
    size, shares = len(frozen.item_ids), audit_shares(frozen.size, error_budget)
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
        way = walk(marks, is_found, shares)
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
