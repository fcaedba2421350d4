"""A made-up crowd that is asked as the chain asks: later answers come only where the routes want one more."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.checking.routes import routes
from cupel.config.checking import Checking
from cupel.config.labeling import Overlap
from cupel.config.prices import Prices
from cupel.consensus.coding import Flags, Integers, Reals, lists_of
from cupel.consensus.consensus import consensus
from cupel.contract.columns import TEXT
from cupel.contract.ontology import Ontology
from cupel.contract.table import conform
from cupel.contract.tables.checking import PREDICTIONS
from cupel.kinds.category import CATEGORY

# Of items that are drawn again because the annotator had answered already, so many times; then the next one is asked.
REDRAWS = 4
PRICES = Prices(annotator_answer=0.1, expert_answer=0.5)
# Share of the items that experts decide after each wave, the riskiest first, where there are expert rounds.
DECIDED_SHARE = 0.03
# Answers of the shared sheet that who colludes does not take over.
SLIPS = 0.05
# How often somebody who gets worse is right from the middle of the work on, as a share of before.
WORSENED = 0.5


class Shape(NamedTuple):
    """What a crowd is like; shares are 0 to 1.

    `skills` are the lowest and highest chance to be right on an easy item. Of a `hard_share` of the items that chance
    is drawn towards guessing, and `lure_share` of the mistakes on them are one and the same. `skew` is how much more
    often each class comes up than the next. `parts` of the items are asked one after the other, all their waves before
    the next part begins. Of `shifts` groups of people each works mostly in its own share of the waves and parts.
    `run_share` of the items come in runs of one class. `tiring` is how much faster everybody answers at the end. Where
    `is_ring`, people sit in a ring and the next answer on an item is asked of a neighbour at a fixed distance, so that
    some pairs only ever meet because a third answer was asked for.
    """

    name: str
    people: int
    items: int
    classes: int
    overlap: Overlap
    skills: tuple[float, float] = (0.75, 0.95)
    evenness: float = 10.0
    hard_share: float = 0.2
    lure_share: float = 0.5
    skew: float = 1.0
    checker: float = 0.8
    route_by_price: bool = False
    expert_rounds: bool = False
    parts: int = 1
    shifts: int = 1
    run_share: float = 0.0
    tiring: float = 1.0
    gold_share: float = 0.0
    is_ring: bool = False


class SimulatedCrowd(NamedTuple):
    """A crowd's `annotations`, with its `truth` by place in `item_ids`, and who in it does what (`kinds`, by name)."""

    annotations: pa.Table
    item_ids: list[str]
    classes: tuple[str, ...]
    truth: Integers
    gold: pa.Table | None
    kinds: dict[str, str]
    right_share: dict[str, float]


class _People:
    """Who answers what. Annotators in `spammers` do what their kind does; all others are honest."""

    def __init__(self, shape: Shape, spammers: Sequence[str], rng: np.random.Generator) -> None:
        self.shape, self.rng = shape, rng
        low, high = shape.skills
        self.skill = rng.uniform(low, high, shape.people)
        self.weight = rng.gamma(shape.evenness, size=shape.people) + 1e-3
        self.pace = np.exp(rng.normal(0, 0.3, shape.people))
        self.kind = np.array([*spammers, *["honest"] * (shape.people - len(spammers))])
        chances = shape.skew ** -np.arange(shape.classes, dtype=np.float64)
        self.truth = rng.choice(shape.classes, shape.items, p=chances / chances.sum())
        runs = rng.random(shape.items) < shape.run_share
        self.truth[runs] = np.sort(self.truth[runs])
        self.hardness = np.where(rng.random(shape.items) < shape.hard_share, rng.uniform(0.3, 1, shape.items), 0.0)
        self.lure = (self.truth + rng.integers(1, shape.classes, shape.items)) % shape.classes
        self.distance = rng.integers(1, max(1, shape.people // shape.overlap.most) + 1, shape.items)
        self.habit = rng.integers(0, shape.classes, shape.people)
        # The checker learns, yet what it does not know of an item stays so from wave to wave.
        self.doubt, self.unsure = rng.random(shape.items), rng.normal(0, 0.1, shape.items)
        self.mistaken = (self.truth + rng.integers(1, shape.classes, shape.items)) % shape.classes
        self.sheet = self._honest(np.arange(shape.items), np.full(shape.items, np.mean(self.skill)))

    def shift_weights(self, progress: float) -> Reals:
        """Return how often each annotator is asked at this point (0 to 1) of all the work."""
        own: Integers = np.arange(self.shape.people) % self.shape.shifts
        now = min(int(progress * self.shape.shifts), self.shape.shifts - 1)
        return np.asarray(np.where((own == now) | (self.shape.shifts == 1), 1.0, 0.1) * self.weight)

    def answer(self, items: Integers, who: Integers, progress: Reals) -> Integers:
        """Return what these annotators say of these items."""
        kind, guesses = self.kind[who], self.rng.integers(0, self.shape.classes, len(items))
        is_late = (kind == "worsening") & (progress > 0.5)
        said = self._honest(items, self.skill[who] * np.where(is_late, WORSENED, 1.0))
        said = np.where(kind == "random", guesses, said)
        said = np.where(kind == "constant", self.habit[who], said)
        shared = (kind == "collude") & (self.rng.random(len(items)) >= SLIPS)
        return np.where(shared, self.sheet[items], said)

    def _honest(self, items: Integers, skill: Reals) -> Integers:
        classes, hard = self.shape.classes, self.hardness[items]
        chance = skill * (1 - hard) + hard / classes
        other = (self.truth[items] + self.rng.integers(1, classes, len(items))) % classes
        is_lured = (hard > 0) & (self.rng.random(len(items)) < self.shape.lure_share)
        wrong = np.where(is_lured, self.lure[items], other)
        return np.where(self.rng.random(len(items)) < chance, self.truth[items], wrong)

    def predict(self, accuracy: float) -> pa.Table:
        """Return PREDICTIONS of a checker that is right so often on easy items, and as sure as it is right."""
        classes, rows = self.shape.classes, np.arange(self.shape.items)
        sure = np.clip(accuracy + self.unsure - 0.3 * self.hardness, 1.1 / classes, 0.98)
        top = np.where(self.doubt < sure, self.truth, self.mistaken)
        posterior = np.repeat(((1 - sure) / (classes - 1))[:, None], classes, axis=1)
        posterior[rows, top] = sure
        columns = {
            "item_id": _names("i", len(rows)), "predicted_label": _names("c", classes).take(pa.array(top)),
            "posterior": lists_of(posterior, np.ones(len(rows), np.bool_)), "fold": pa.array(rows % 5),
            "abstention": pa.nulls(len(rows), TEXT), "model": pa.repeat("made up", len(rows)),
            "model_version": pa.repeat("1", len(rows)),
        }  # fmt: skip
        return conform(pa.table(columns), PREDICTIONS)

    def seconds(self, items: Integers, who: Integers, progress: Reals) -> Reals:
        """Return working times: of own pace, longer on hard items, shorter in the end."""
        noise = np.exp(self.rng.normal(0, 0.4, len(items)))
        return np.asarray(10 * self.pace[who] * noise * (1 + self.hardness[items]) * self.shape.tiring**-progress)


def simulate_crowd(shape: Shape, seed: int, spammers: Sequence[str] = ()) -> SimulatedCrowd:
    """Ask a made-up crowd, wave by wave, as the routes of the chain say.

    Args:
        shape: What the crowd is like.
        seed: Of everything that is drawn.
        spammers: What the first annotators do instead: random, constant, collude (one sheet of answers is shared)
            or worsening. The others are honest: they never know the others' answers, and change only as `shape` says.
    """
    people = _People(shape, spammers, np.random.default_rng(seed))
    waves = list(_asked(shape, people))
    items, who, said, seconds = (np.concatenate(column) for column in zip(*waves, strict=True))
    names, classes = _names("p", shape.people), _names("c", shape.classes)
    table = pa.table({
        "item_id": _names("i", shape.items).take(pa.array(items)), "annotator": names.take(pa.array(who)),
        "label": classes.take(pa.array(said)), "sequence": np.arange(1, len(items) + 1), "seconds_spent": seconds,
    })  # fmt: skip
    known = np.flatnonzero(people.rng.random(shape.items) < shape.gold_share)
    gold = pa.table({"item_id": _names("i", shape.items).take(pa.array(known)),
                     "label": classes.take(pa.array(people.truth[known]))}) if len(known) else None  # fmt: skip
    answered = np.maximum(np.bincount(who, minlength=shape.people), 1)
    right = np.bincount(who, said == people.truth[items], shape.people) / answered
    every = names.to_pylist()
    return SimulatedCrowd(
        table, _names("i", shape.items).to_pylist(), tuple(classes.to_pylist()), people.truth, gold,
        dict(zip(every, people.kind.tolist(), strict=True)), dict(zip(every, right.tolist(), strict=True)),
    )  # fmt: skip


def _asked(shape: Shape, people: _People) -> Iterator[tuple[Integers, Integers, Integers, Reals]]:
    """Yield items, annotators, answers and times of each wave, in the order in which they come."""
    total = shape.parts * shape.overlap.most
    for part, some in enumerate(np.array_split(np.arange(shape.items), shape.parts)):
        has = np.full((len(some), shape.overlap.most), -1, np.int64)
        given = np.full((len(some), shape.overlap.most), -1, np.int64)
        decided: dict[str, str] = {}
        wanted, wave = np.arange(len(some)), 0
        while len(wanted):
            slots = (has[wanted] >= 0).sum(axis=1)
            done = part * shape.overlap.most + wave
            progress = (done + np.linspace(0, 1, len(wanted), endpoint=False)) / total
            items = some[wanted]
            if shape.is_ring and wave:
                who = (has[wanted, 0] + slots * people.distance[items]) % shape.people
            else:
                who = _draw(people, has[wanted], done / total)
            said = people.answer(items, who, progress)
            has[wanted, slots], given[wanted, slots] = who, said
            yield items, who, said, people.seconds(items, who, progress)
            wave += 1
            if wave < shape.overlap.first:
                continue
            wanted = _wanted(shape, people, some, has, given, decided, wave)


def _draw(people: _People, has: Integers, progress: float) -> Integers:
    """Return who is asked next of each item; nobody twice."""
    weights = np.cumsum(people.shift_weights(progress))
    who = np.searchsorted(weights / weights[-1], people.rng.random(len(has)))
    for redraw in range(REDRAWS + people.shape.people):
        again = np.flatnonzero((has == who[:, None]).any(axis=1))
        if not len(again):
            break
        drawn = np.searchsorted(weights / weights[-1], people.rng.random(len(again)))
        who[again] = drawn if redraw < REDRAWS else (who[again] + 1) % people.shape.people
    return np.asarray(who, dtype=np.int64)


def _wanted(
    shape: Shape, people: _People, some: Integers, has: Integers, given: Integers, decided: dict[str, str], wave: int
) -> Integers:
    """Return which items the routes want another annotator for."""
    names, classes = _names("i", shape.items), _names("c", shape.classes).to_pylist()
    ids = names.take(pa.array(some))
    rows, slots = np.nonzero(has >= 0)
    answers = pa.table({
        "item_id": ids.take(pa.array(rows)), "annotator": _names("p", shape.people).take(pa.array(has[rows, slots])),
        "label": _names("c", shape.classes).take(pa.array(given[rows, slots])),
    })  # fmt: skip
    agreed = consensus(answers, ids, classes)
    # The checker learns from more labels in each wave.
    doubts = people.predict(1 - (1 - shape.checker) * 0.8 ** (wave - 1)).take(pa.array(some))
    settings = Checking(route_by_price=shape.route_by_price)
    ontology = Ontology(tuple(classes))
    believed = CATEGORY.fuse(agreed, doubts, ontology, decided) if decided else None
    table = routes(agreed, doubts, shape.overlap, settings, CATEGORY, ontology, PRICES, believed=believed)
    is_wanted: Flags = np.asarray(table["route"].to_numpy() == "annotator")
    if shape.expert_rounds:
        risky = np.argsort(table["log_odds"].to_numpy(), kind="stable")[: int(DECIDED_SHARE * len(some))]
        decided.update((ids[int(row)].as_py(), classes[people.truth[some[row]]]) for row in risky)
        is_wanted &= ~np.isin(np.asarray(ids.to_pylist()), list(decided))
    return np.flatnonzero(is_wanted & (has < 0).any(axis=1))


def _names(letter: str, count: int) -> pa.Array:
    return pa.array([f"{letter}{number:07d}" for number in range(count)], TEXT)
