"""Set mixture: what sets items truly have, of a few kinds of items, and how often each annotator sees each class."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from cupel.consensus.coding import Flags, Integers, Reals
from cupel.consensus.estimates import FLOOR, pooled_confusion
from cupel.kinds.multilabel.coded_sets import CodedSets, count_yes, sum_by_item

# A class on which all annotators are always or never right leaves no room for skill.
LEAST = 1e-3
# How far the first picture of a kind of item is trusted: a frequent set, or what is usual.
TRUST = 0.8


@dataclass(frozen=True)
class SetMixtureSettings:
    """How a mixture of label sets is fitted.

    Attributes:
        kinds: Kinds of items. One: classes are independent of each other.
        smoothing: Answers' worth of belief, per class and truth, that an annotator is as good at a class as the
            crowd is there, at the annotator's own skill over all classes.
        skill_smoothing: Answers' worth of belief that an annotator's skill over all classes is the crowd's.
        crowd_smoothing: Answers' worth of belief, per class and truth, that the crowd is as good as the vote shares
            say; with little of it a rare class can swap with its absence.
        kind_smoothing: Items' worth of belief, per kind of items, that its classes are as frequent as among all items.
        tolerance: Stop when no probability moves by more than this.
        max_iterations: Stop after this many rounds in any case.
    """

    kinds: int = 1
    smoothing: float = 16.0
    skill_smoothing: float = 4.0
    crowd_smoothing: float = 64.0
    kind_smoothing: float = 1.0
    tolerance: float = 1e-4
    max_iterations: int = 100


INDEPENDENT = SetMixtureSettings()


class Skill(NamedTuple):
    """How often annotators say yes of a class that an item has, and no of one that it has not.

    Both have shape annotators x classes.
    """

    sensitivity: Reals
    specificity: Reals


class SetMixture(NamedTuple):
    """What a mixture of label sets found.

    `weight` says how frequent each kind of items is, shape kinds, and `share` how frequent each class is in it, shape
    kinds x classes. `evidence` is the log of how many times likelier an item's answers are if it has a class than if
    not, shape items x classes; 0 without answers. `posterior` is the chance that it has it, of the same shape.
    """

    weight: Reals
    share: Reals
    skill: Skill
    evidence: Reals
    posterior: Reals
    is_converged: bool


def fit_set_mixture(answers: CodedSets, settings: SetMixtureSettings = INDEPENDENT) -> SetMixture:
    """Estimate items' sets and annotators' skill together, by expectation maximisation.

    An item is of one of a few kinds, and given its kind it has each class or not, independently; with one kind that is
    all. An annotator says yes of a class with a chance that depends on the annotator, the class, and whether the item
    has it. Where an annotator's answers to a class are few, as for a rare class they are, the chance is drawn to the
    crowd's at that class, made better or worse by as much as the annotator is over all classes.

    Args:
        answers: The annotations, coded.
        settings: How to fit.

    Returns:
        Kinds, skill and posterior. Annotations that name nobody share one skill, as if one person had given them.

    Source: Dawid and Skene (1979), Applied Statistics 28(1), one class at a time; a mixture of products of Bernoulli
    distributions as in McLachlan and Peel (2000), Finite Mixture Models.

    >>> import pyarrow as pa
    >>> from cupel.kinds.multilabel.coded_sets import code_sets
    >>> rows = {"item_id": ["1", "1", "2", "2"], "annotator": ["p", "q"] * 2, "label": ['["a"]'] * 2 + ["[]"] * 2}
    >>> found = fit_set_mixture(code_sets(pa.table(rows), None, ("a", "b")))
    >>> (found.posterior > 0.5).tolist()
    [[True, False], [False, False]]
    """
    votes, yes = count_yes(answers)
    is_answered = votes > 0
    shares = np.divide(yes, votes[:, None], out=np.full(yes.shape, 0.5), where=is_answered[:, None])
    voted = _voted(votes, yes)
    counts = _Counts(answers)
    belief = shares
    weight, share = _first_kinds(shares[is_answered], settings.kinds)
    usual = _usual(shares[is_answered])
    iteration, is_converged = 0, False
    while True:
        skill = _skill(counts.of(belief), voted, settings)
        evidence = _weigh(answers, skill)
        kind, has = posterior_of_kinds(weight, share, evidence)
        found = np.einsum("ic,ick->ik", kind, has)
        if is_converged or iteration == settings.max_iterations:
            return SetMixture(weight, share, skill, evidence, found, is_converged)
        is_converged = bool(np.abs(found - belief)[is_answered].max(initial=0.0) <= settings.tolerance)
        belief, iteration = found, iteration + 1
        weight, share, usual = _kinds(kind[is_answered], has[is_answered], usual, settings.kind_smoothing)


def posterior_of_kinds(weight: Reals, share: Reals, evidence: Reals) -> tuple[Reals, Reals]:
    """Return the chance of each kind of item, items x kinds, and of each class given it, items x kinds x classes.

    Args:
        weight: How frequent each kind is, shape kinds.
        share: How frequent each class is in it, shape kinds x classes.
        evidence: Log of the ratio of chances of each item's answers, shape items x classes.
    """
    from scipy.special import expit, logsumexp

    has = np.log(share)[None] + evidence[:, None, :]
    lacks = np.log1p(-share)[None]
    scores = np.log(weight) + np.logaddexp(has, lacks).sum(axis=2)
    return np.exp(scores - logsumexp(scores, axis=1, keepdims=True)), expit(has - lacks)


def best_sets(found: SetMixture) -> Integers:
    """Return the likeliest set of each item as yes (1) and no (0), shape items x classes.

    The likeliest set of each kind of items and the set of all classes that are likelier than not are compared by their
    chance over all kinds; of equally likely ones the latter is taken, then the set of the kind that stands first.
    """
    kind, has = posterior_of_kinds(found.weight, found.share, found.evidence)
    candidates = np.concatenate([(found.posterior > 0.5)[:, None, :], has > 0.5], axis=1)
    best, chance = candidates[:, 0].copy(), _chance_of(kind, has, candidates[:, 0])
    for place in range(1, candidates.shape[1]):
        other = _chance_of(kind, has, candidates[:, place])
        is_better = other > chance * (1 + 1e-9)
        best[is_better], chance[is_better] = candidates[is_better, place], other[is_better]
    return best.astype(np.int64)


def log_chances(found: SetMixture, answers: CodedSets) -> Reals:
    """Return the log of the chance of each of some whole answers, under what was found from others of the batch.

    Args:
        found: The fit.
        answers: Annotations coded with the same items, annotators and classes.

    Returns:
        Shape annotations.
    """
    coded = answers.coded
    kind, has = posterior_of_kinds(found.weight, found.share, found.evidence)
    yes, said = answers.is_yes, coded.annotator
    if_has = np.where(yes, found.skill.sensitivity[said], 1 - found.skill.sensitivity[said])
    if_not = np.where(yes, 1 - found.skill.specificity[said], found.skill.specificity[said])
    chances = np.zeros(len(coded.item))
    for place in range(len(found.weight)):
        belief = has[coded.item, place]
        chances += kind[coded.item, place] * np.prod(belief * if_has + (1 - belief) * if_not, axis=1)
    return np.asarray(np.log(np.maximum(chances, 1e-300)))


class _Counts:
    """Adds answers up by annotator, class and truth."""

    def __init__(self, answers: CodedSets) -> None:
        from scipy.sparse import csr_array

        coded = answers.coded
        shape = (len(coded.annotators), len(coded.item_ids))
        ones = np.ones(len(coded.item))
        # Answers of one annotator to one item, if it stands twice, are added.
        self.given: Any = csr_array((ones, (coded.annotator, coded.item)), shape=shape)
        places = np.arange(len(coded.item))
        self.who: Any = csr_array((ones, (coded.annotator, places)), shape=(len(coded.annotators), len(coded.item)))
        self.item, self.yes = coded.item, answers.is_yes.astype(np.float64)
        self.total = self.who @ np.ones((len(coded.item), 1))
        self.total_yes = self.who @ self.yes

    def of(self, belief: Reals) -> Reals:
        """Return counts, shape annotators x classes x truth x right: wrong and right answers if not, and if so."""
        has = self.given @ belief
        has_yes = self.who @ (belief[self.item] * self.yes)
        lacks, lacks_yes = self.total - has, self.total_yes - has_yes
        wrong_right = [[lacks_yes, lacks - lacks_yes], [has - has_yes, has_yes]]
        return np.maximum(np.moveaxis(np.array(wrong_right), (0, 1), (2, 3)), 0.0)


def _voted(votes: Integers, yes: Integers) -> Reals:
    """Return how often all annotators together are right, the truth being the vote shares; shape classes x truth."""
    right = [np.diagonal(pooled_confusion(np.column_stack([votes - one, one]))) for one in yes.T]
    return np.clip(np.array(right).reshape(-1, 2), LEAST, 1 - LEAST)


def _skill(counts: Reals, voted: Reals, settings: SetMixtureSettings) -> Skill:
    """Return annotators' skill, drawn to the crowd's at the annotator's own skill over all classes."""
    wrong, right = counts[..., 0], counts[..., 1]
    given, known, most = wrong + right, settings.skill_smoothing, settings.crowd_smoothing
    crowd = np.clip((right.sum(axis=0) + most * voted) / (given.sum(axis=0) + most), LEAST, 1 - LEAST)
    typical = (crowd * given.sum(axis=0)).sum(axis=0) / np.maximum(given.sum(axis=(0, 1)), FLOOR)
    more_right = (right.sum(axis=1) + known * typical) / ((given * crowd).sum(axis=1) + known * typical + FLOOR)
    more_wrong = (wrong.sum(axis=1) + known * (1 - typical)) / (
        (given * (1 - crowd)).sum(axis=1) + known * (1 - typical) + FLOOR
    )
    hit, miss = crowd * more_right[:, None], (1 - crowd) * more_wrong[:, None]
    anchor = np.clip(hit / np.maximum(hit + miss, FLOOR), LEAST, 1 - LEAST)
    share = (right + settings.smoothing * anchor) / (given + settings.smoothing)
    return Skill(share[..., 1], share[..., 0])


def _weigh(answers: CodedSets, skill: Skill) -> Reals:
    """Return the log of how many times likelier each item's answers are if it has a class, items x classes."""
    coded = answers.coded
    if_yes = np.log(skill.sensitivity) - np.log1p(-skill.specificity)
    if_no = np.log1p(-skill.sensitivity) - np.log(skill.specificity)
    return sum_by_item(coded, np.where(answers.is_yes, if_yes[coded.annotator], if_no[coded.annotator]))


def _first_kinds(shares: Reals, kinds: int) -> tuple[Reals, Reals]:
    """Return where kinds of items start: at the most frequent sets that most answers of an item hold."""
    usual = _usual(shares)
    if kinds == 1:
        return np.ones(1), usual[None]
    sets, counts = np.unique(shares > 0.5, axis=0, return_counts=True)
    chosen = np.argsort(-counts, kind="stable")[:kinds]
    share = TRUST * sets[chosen] + (1 - TRUST) * usual
    return counts[chosen] / counts[chosen].sum(), np.clip(share, LEAST, 1 - LEAST)


def _usual(belief: Reals) -> Reals:
    """Return how frequent each class is among all items, with one item's worth of belief on either side."""
    return np.asarray((belief.sum(axis=0) + 1) / (len(belief) + 2))


def _kinds(kind: Reals, has: Reals, usual: Reals, smoothing: float) -> tuple[Reals, Reals, Reals]:
    """Return kinds' frequencies, classes' frequencies in them, and these among all items, from the beliefs."""
    size = kind.sum(axis=0)
    both = np.einsum("ic,ick->ck", kind, has)
    usual = (both.sum(axis=0) + 1) / (len(kind) + 2)
    if len(size) == 1:
        return np.ones(1), usual[None], usual
    share = (both + smoothing * usual) / (size + smoothing)[:, None]
    weight = (size + 1) / (len(kind) + len(size))
    return weight, np.clip(share, FLOOR, 1 - FLOOR), usual


def _chance_of(kind: Reals, has: Reals, sets: Flags) -> Reals:
    chosen = np.where(sets[:, None, :], has, 1 - has)
    return np.asarray((kind * np.prod(chosen, axis=2)).sum(axis=1))
