"""Chooser: the method whose belief about items predicts answers that it has not seen best. No gold is looked at."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Flags, Integers, Reals
from cupel.consensus.ebcc import count_operations
from cupel.consensus.estimates import FLOOR, drawn_to
from cupel.consensus.glad import Glad
from cupel.consensus.methods import CANDIDATES, METHODS, Fitted
from cupel.consensus.passes import by_truth, collect, prepare

FOLDS = 5
# From here on one fold tells enough, and costs a fifth.
MANY_ANSWERS = 300_000
SEED = 0
# Answers' worth of belief, per true class, that an annotator is like all annotators together: as in Dawid-Skene.
SMOOTHING = 16.0
# Operations of one EBCC fit from which on it is no candidate: about four seconds a fit, six fits a choice.
MOST_OPERATIONS = 5_000_000
# What is chosen where no answer can be held out.
DEFAULT = "dawid_skene"


AUTO = "auto"


class Choice(NamedTuple):
    """The method chosen, and the mean log-likelihood of an answer held out under each candidate's belief, in nats.

    `answers` is how many were held out; without any the scores are empty and the method is the default.
    """

    method: str
    scores: Mapping[str, float]
    answers: int

    @property
    def why(self) -> str:
        """The reason in a sentence."""
        if not self.scores:
            return f"{self.method}: set, or no answer could be held out to choose by"
        told = ", ".join(f"{name} {score:.4f}" for name, score in self.scores.items())
        held = f"{self.answers} answers held out are likeliest under its belief"
        return f"{self.method}: {held}; mean log-likelihood: {told}"


def chosen(method: str, coded: Coded) -> Choice:
    """Return the method that a project names, without scores, or for `auto` the one chosen for these answers."""
    return choose(coded) if method == AUTO else Choice(method, {}, 0)


def choose(coded: Coded, candidates: tuple[str, ...] = CANDIDATES) -> Choice:
    """Return the method under whose belief about the items answers held out are likeliest.

    Each item's answers are spread over five folds. A method is fitted to four; what it believes of the items is
    held against the answers of the fifth, by `score_belief`. Items with one answer say nothing of a method and are
    left out of the score. Batches of more than MANY_ANSWERS hold out one fold alone. EBCC is left out where a fit
    takes more than MOST_OPERATIONS.

    Only beliefs about items are compared. What a method says of annotators is not used: a method that describes
    the habits of a poor crowd well predicts its answers well, with labels that may be no better than chance.

    Args:
        coded: The annotations.
        candidates: Names in METHODS; the first of equally good ones is chosen.

    Returns:
        The choice, with scores.

    >>> import pyarrow as pa
    >>> from cupel.consensus.coding import code
    >>> rows = {"item_id": ["a", "b"], "annotator": ["p", "q"], "label": ["x", "y"]}
    >>> choose(code(pa.table(rows), ["a", "b"], ("x", "y")))
    Choice(method='dawid_skene', scores={}, answers=0)
    """
    names = affordable(coded, candidates)
    found = score_methods(coded, names, (SMOOTHING,))
    if not found.answers:
        return Choice(DEFAULT, {}, 0)
    scores = {name: found.means[name, SMOOTHING] for name in names}
    return Choice(max(names, key=lambda name: scores[name]), scores, found.answers)


class Scores(NamedTuple):
    """Mean log-likelihood of an answer held out, by method and smoothing, and how many answers were held out."""

    means: Mapping[tuple[str, float], float]
    answers: int


def score_methods(coded: Coded, names: Sequence[str], smoothings: Sequence[float]) -> Scores:
    """Return how likely answers held out are under each method's belief; see `choose`.

    Args:
        coded: The annotations.
        names: Names in METHODS.
        smoothings: Of `score_belief`; each method is fitted once for all of them.
    """
    sums, answers = {(name, smoothing): 0.0 for name in names for smoothing in smoothings}, 0
    for is_kept, is_out in hold_out(coded):
        others, out = keep_answers(coded, is_kept), keep_answers(coded, is_out)
        answers += len(out.item)
        for name in names:
            posterior = METHODS[name](others).posterior
            for smoothing in smoothings:
                sums[name, smoothing] += float(score_belief(others, posterior, out, smoothing).sum())
    return Scores({key: total / max(answers, 1) for key, total in sums.items()}, answers)


def affordable(coded: Coded, candidates: tuple[str, ...] = CANDIDATES) -> tuple[str, ...]:
    """Return the candidates without those that take too long on this batch."""
    is_slow = count_operations(coded) > MOST_OPERATIONS
    return tuple(name for name in candidates if name != "ebcc" or not is_slow)


def score_belief(others: Coded, posterior: Reals, out: Coded, smoothing: float = SMOOTHING) -> Reals:
    """Return how likely answers held out are, given a belief about the items made from the other answers.

    Annotators are read by confusion matrices that are counted from the belief in the same way for every method. Each
    is drawn to the matrix of all annotators together, times how often the annotator gives each answer. So a belief
    that says nothing of the items scores as if answers were guessed by each annotator's habits, and one that does
    pays nothing for saying more than one class.

    Args:
        others: The answers that the belief was made from.
        posterior: The belief, shape items x classes.
        out: The answers held out, coded with the same items, annotators and classes.
        smoothing: Answers' worth of what an annotator is drawn to, per true class, and of the crowd's habits in the
            annotator's own.

    Returns:
        Shape answers held out; logarithms.
    """
    counts = by_truth(collect(prepare(others), posterior).counts)
    together = counts.sum(axis=0)
    given = together.sum(axis=0) / max(together.sum(), FLOOR)
    pool = together + given * len(given)
    habit = counts.sum(axis=1) + smoothing * given
    anchor = pool * (habit / np.maximum(given, FLOOR))[:, None, :]
    anchor /= np.maximum(anchor.sum(axis=2, keepdims=True), FLOOR)
    chances = _answer_chances(posterior[out.item], drawn_to(anchor, counts, smoothing), out)
    return np.asarray(np.log(np.maximum(chances, FLOOR)))


def hold_out(coded: Coded) -> Iterator[tuple[Flags, Flags]]:
    """Yield, fold by fold, which answers a method is fitted to, and which are held out and count.

    Args:
        coded: The annotations.

    Yields:
        Two arrays of shape answers; none where no item has two answers.
    """
    folds = _folds(coded)
    several = np.bincount(coded.item, minlength=len(coded.item_ids))[coded.item] > 1
    held = 1 if len(coded.item) > MANY_ANSWERS else FOLDS
    counted = several & (folds < held)
    if counted.any():
        for fold in range(held):
            yield folds != fold, counted & (folds == fold)


def keep_answers(coded: Coded, is_in: Flags) -> Coded:
    """Return some of the answers, with all items, annotators and classes."""
    return coded._replace(item=coded.item[is_in], annotator=coded.annotator[is_in], label=coded.label[is_in])


def predicted(fitted: Fitted, answers: Coded) -> Reals:
    """Return how likely each of some answers is, under what a method found from others of the same batch.

    Args:
        fitted: What the method found.
        answers: The answers, coded with the same items, annotators and classes.

    Returns:
        Shape answers; a chance each.
    """
    belief = fitted.posterior[answers.item]
    if isinstance(fitted, Glad):
        return _by_ease(fitted, answers)
    return _answer_chances(belief, fitted.confusion, answers)


def _answer_chances(belief: Reals, confusion: Reals, answers: Coded) -> Reals:
    """Return the chance of each answer, from the belief about its item and its annotator's matrix."""
    chances = np.zeros(len(answers.item))
    for true in range(len(answers.classes)):
        chances += belief[:, true] * confusion[answers.annotator, true, answers.label]
    return chances


def _by_ease(fitted: Glad, answers: Coded) -> Reals:
    right = 1 / (1 + np.exp(-fitted.skill[answers.annotator] * fitted.ease[answers.item]))
    belief = fitted.posterior[answers.item, answers.label]
    return np.asarray(belief * right + (1 - belief) * (1 - right) / max(len(answers.classes) - 1, 1))


def _folds(coded: Coded) -> Integers:
    """Return a fold for each answer: an item's answers in as many folds as there are, which ones at random."""
    rng = np.random.default_rng(SEED)
    first = rng.integers(0, FOLDS, len(coded.item_ids))
    order = np.lexsort((rng.random(len(coded.item)), coded.item))
    place = np.empty(len(coded.item), dtype=np.int64)
    place[order] = np.arange(len(coded.item))
    return np.asarray((place + first[coded.item]) % FOLDS)
