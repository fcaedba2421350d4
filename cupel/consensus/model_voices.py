"""Model voices: what models of the crew say, added to what people believe, each as much as people bear out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cupel.consensus.coding import Integers, Reals
from cupel.consensus.estimates import class_prior, drawn_to, equal_errors
from cupel.consensus.passes import log_sum, softmax

# Answers' worth of belief, per true class, that a model errs alike on all classes.
SMOOTHING = 4.0
TOLERANCE = 1e-6
MAX_ITERATIONS = 300
# How much of its word a model may get. Above 1 no word counts: a voice is never more than one voice.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
# So often the weights are gone through, one model after the other; they settle in two.
SWEEPS = 4
TINY = 1e-300


class ModelVoices(NamedTuple):
    """What people and models of the crew believe together.

    `posterior` has shape items x classes, NaN rows where no person has answered: no label rests on models alone.
    `voices` is what the models add, a log-likelihood of that shape, 0 where none has answered. `weights` has an entry
    for each model; `confusion` the chance of each answer, shape models x true class x answer.
    """

    posterior: Reals
    voices: Reals
    weights: Reals
    confusion: Reals


def add_voices(people: Reals, answers: Sequence[Integers]) -> ModelVoices:
    """Add the answers of models to what people believe.

    A model's confusions are those under which its answers and people's are likeliest together, what people believe
    of the items held fast: models have no part in saying how good people are, so that models which err together
    cannot vote people down. Its weight is the one under which people's answers are likeliest, given what all models
    say: a second model that only repeats the first adds nothing to that, and gets little.

    Args:
        people: What people believe, shape items x classes; NaN rows where none has answered.
        answers: For each model, its answer on each item as a place in the classes, -1 where there is none.

    Returns:
        The joint belief.
    """
    is_answered = ~np.isnan(people[:, 0])
    prior = np.log(class_prior(people[is_answered]))
    likely = np.zeros(people.shape)
    likely[is_answered] = np.log(np.maximum(people[is_answered], TINY)) - prior
    confusion = np.stack([_confusion(likely + prior, labels, is_answered) for labels in answers])
    said = np.stack([_log_chances(*one) for one in zip(confusion, answers, strict=True)])
    weights = _choose_weights(likely[is_answered], said[:, is_answered], prior)
    voices = np.einsum("m,mik->ik", weights, said)
    scores = prior + likely + voices
    posterior = softmax(scores)
    posterior[~is_answered] = np.nan
    return ModelVoices(posterior, voices, weights, confusion)


def _confusion(scores: Reals, labels: Integers, is_answered: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Reals:
    """Return a model's confusions, true class x answer, by expectation maximisation over what people believe."""
    both = np.flatnonzero(is_answered & (labels >= 0))
    known, said = scores[both], labels[both]
    classes = scores.shape[1]
    belief = softmax(known)
    right = float(belief[np.arange(len(said)), said].mean()) if len(both) else 0.0
    anchor = equal_errors(min(max(right, 1 / classes), 1 - 1 / classes / 100), classes)
    before = drawn_to(anchor, _tally(belief, said)[None], SMOOTHING)[0]
    for _ in range(MAX_ITERATIONS):
        joint = known + np.log(before[:, said]).T
        found = drawn_to(anchor, _tally(softmax(joint), said)[None], SMOOTHING)[0]
        if np.abs(found - before).max() <= TOLERANCE:
            return np.asarray(found)
        before = found
    return np.asarray(before)


def _tally(belief: Reals, said: Integers) -> Reals:
    """Return how often each answer was given, by true class; shape true class x answer."""
    return np.stack([np.bincount(said, one, belief.shape[1]) for one in belief.T])


def _log_chances(confusion: Reals, labels: Integers) -> Reals:
    """Return the log-likelihood of a model's answers under each class, less its mean; 0 where there is none."""
    logs = np.log(confusion)[:, np.maximum(labels, 0)].T
    logs -= logs.mean(axis=1, keepdims=True)
    logs[labels < 0] = 0.0
    return np.asarray(logs)


def _choose_weights(likely: Reals, said: Reals, prior: Reals) -> Reals:
    """Return the weights under which people's answers are likeliest, of equals the smaller."""
    weights = np.zeros(len(said))
    for _ in range(SWEEPS):
        before = weights.copy()
        for model in range(len(said)):
            others = prior + np.einsum("m,mik->ik", np.where(np.arange(len(said)) == model, 0.0, weights), said)
            fits = [_fit(likely, others + weight * said[model]) for weight in WEIGHTS]
            weights[model] = WEIGHTS[int(np.argmax(np.round(fits, 9)))]
        if np.array_equal(before, weights):
            break
    return weights


def _fit(likely: Reals, belief: Reals) -> float:
    """Return how likely people's answers are under a belief, a mean log-likelihood; -inf without items."""
    return float((log_sum(belief + likely) - log_sum(belief)).mean()) if len(likely) else -np.inf
