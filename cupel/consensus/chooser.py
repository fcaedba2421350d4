"""Chooser: the method that predicts answers it has not seen best. No known label is looked at."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Coded, Flags, Integers, Reals
from cupel.consensus.estimates import FLOOR
from cupel.consensus.glad import Glad
from cupel.consensus.methods import CANDIDATES, METHODS, Fitted

FOLDS = 5
# From here on one fold tells enough, and costs a fifth.
MANY_ANSWERS = 300_000
SEED = 0
# What is chosen where no answer can be held out.
DEFAULT = "dawid_skene"


AUTO = "auto"


class Choice(NamedTuple):
    """The method chosen, and each candidate's mean log-likelihood of an answer held out, in nats.

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
        return f"{self.method}: {self.answers} answers held out are likeliest under it; mean log-likelihood: {told}"


def chosen(method: str, coded: Coded) -> Choice:
    """Return the method that a project names, without scores, or for `auto` the one chosen for these answers."""
    return choose(coded) if method == AUTO else Choice(method, {}, 0)


def choose(coded: Coded, candidates: tuple[str, ...] = CANDIDATES) -> Choice:
    """Return the method under which answers held out are likeliest, given the other answers.

    Each item's answers are spread over five folds. A method is fitted to four, and asked how likely the
    answers of the fifth are: its belief about the item times what it knows of the annotator. Items with
    one answer say nothing of a method and are left out of the score. Batches of more than MANY_ANSWERS
    hold out one fold alone.

    What predicts answers best is not always what is nearest to the truth: a crowd that shares a mistake is
    predicted best by a method that learns the mistake.

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
    sums, answers = dict.fromkeys(candidates, 0.0), 0
    for is_kept, is_out in hold_out(coded):
        others, out = keep_answers(coded, is_kept), keep_answers(coded, is_out)
        answers += len(out.item)
        for name in candidates:
            chances = predicted(METHODS[name](others), out)
            sums[name] += float(np.log(np.maximum(chances, FLOOR)).sum())
    if not answers:
        return Choice(DEFAULT, {}, 0)
    scores = {name: total / answers for name, total in sums.items()}
    return Choice(max(candidates, key=lambda name: scores[name]), scores, answers)


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
    chances = np.zeros(len(answers.item))
    for true in range(len(answers.classes)):
        chances += belief[:, true] * fitted.confusion[answers.annotator, true, answers.label]
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
