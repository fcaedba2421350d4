"""Set chooser: the model of label sets that predicts answers it has not seen best. No known label is looked at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from cupel.consensus.chooser import DEFAULT, choose, hold_out, keep_answers
from cupel.consensus.coding import Reals
from cupel.consensus.methods import CANDIDATES
from cupel.kinds.multilabel.coded_sets import CodedSets, code_class
from cupel.kinds.multilabel.set_mixture import SetMixtureSettings
from cupel.kinds.multilabel.set_models import SetModel, class_by_class, mixture, whole_sets

# How far annotators' skill at a class is drawn to their skill over all classes: little, some, much.
SMOOTHINGS = (4.0, 16.0, 64.0)
# Kinds of items that are tried in turn, until more of them predict no better.
KINDS = (2, 4, 8, 16, 32)
# More kinds are not tried than so many chances, of items x kinds x classes, have room for; bounds the memory.
MOST_CHANCES = 20_000_000
# More distinct sets are not taken as classes: every annotator would have a matrix of their square.
MOST_WHOLE_SETS = 32
# A model of dependent classes must predict better by more than so many standard errors of the difference.
STANDARD_ERRORS = 2.0
# Methods tried for a class by itself: those of a single question, without the slow one.
QUICK = tuple(name for name in CANDIDATES if name != "ebcc")


class SetChoice(NamedTuple):
    """The model chosen, and each candidate's mean log-likelihood of a whole answer held out, in nats.

    `answers` is how many were held out; without any there are no scores. `gain` is by how much the best model of
    dependent classes predicts an answer better than the best of independent ones, `gain_error` its standard error;
    both are 0 where none was tried.
    """

    model: SetModel
    scores: Mapping[str, float]
    answers: int
    gain: float
    gain_error: float

    @property
    def why(self) -> str:
        """The reason in a sentence."""
        if not self.scores:
            return f"{self.model.name}: no answer could be held out to choose by"
        told = ", ".join(f"{name} {score:.4f}" for name, score in self.scores.items())
        return (
            f"{self.model.name}: of {self.answers} answers held out; mean log-likelihood: {told}; dependent classes "
            f"gain {self.gain:.4f} with a standard error of {self.gain_error:.4f} and are used from "
            f"{STANDARD_ERRORS:g} standard errors on"
        )


def choose_set_model(answers: CodedSets) -> SetChoice:
    """Return the model under which whole answers held out are likeliest, given the other answers.

    Each item's answers are spread over folds as for a single class (`consensus.chooser`). First the models are
    compared in which classes are independent: each class by the consensus method that is best for it, and skill shared
    over classes to a small, middling or large part. Then those in which classes depend on each other: kinds of items,
    more and more of them while that pays, and whole sets as classes where there are few. The best of the latter is
    chosen where it is better than the best of the former by more than STANDARD_ERRORS standard errors, items being
    taken as drawn at random.

    Args:
        answers: The annotations, coded.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # Thousands of small steps: threads would wait for each other, and their sums differ in the last digits.
    with threadpool_limits(limits=1):
        return _choose(answers)


def _choose(answers: CodedSets) -> SetChoice:
    coded = answers.coded
    folds = list(hold_out(coded))
    if not folds:
        methods = [DEFAULT] * len(answers.classes)
        return SetChoice(class_by_class(methods), {}, 0, 0.0, 0.0)
    held = np.concatenate([coded.item[is_out] for _, is_out in folds])
    parts = [(_keep(answers, is_kept), _keep(answers, is_out)) for is_kept, is_out in folds]
    logs: dict[str, Reals] = {}
    alone = [_try(model, parts, logs) for model in _independent(answers)]
    best = max(alone, key=lambda model: float(logs[model.name].sum()))
    together = [_try(model, parts, logs) for model in _kinds_of(answers, parts, logs)]
    together += [_try(model, parts, logs) for model in _whole(answers)]
    if not together:
        return SetChoice(best, {name: float(values.mean()) for name, values in logs.items()}, len(held), 0.0, 0.0)
    other = max(together, key=lambda model: float(logs[model.name].sum()))
    gain, error = _difference(logs[other.name] - logs[best.name], held)
    scores = {name: float(values.mean()) for name, values in logs.items()}
    chosen = other if gain > STANDARD_ERRORS * error else best
    return SetChoice(chosen, scores, len(held), gain, error)


def _keep(answers: CodedSets, is_in: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> CodedSets:
    return answers._replace(coded=keep_answers(answers.coded, is_in))


def _try(model: SetModel, parts: Sequence[tuple[CodedSets, CodedSets]], logs: dict[str, Reals]) -> SetModel:
    if model.name not in logs:
        logs[model.name] = np.concatenate([model.predict(others, out) for others, out in parts])
    return model


def _independent(answers: CodedSets) -> Iterator[SetModel]:
    yield class_by_class([choose(code_class(answers, place), QUICK).method for place in range(len(answers.classes))])
    for smoothing in SMOOTHINGS:
        yield mixture(SetMixtureSettings(smoothing=smoothing))


def _kinds_of(
    answers: CodedSets, parts: Sequence[tuple[CodedSets, CodedSets]], logs: dict[str, Reals]
) -> Iterator[SetModel]:
    """Yield mixtures of more and more kinds of items, with the best sharing of skill, while more predict better."""
    shared = {mixture(one).name: one for one in (SetMixtureSettings(smoothing=smoothing) for smoothing in SMOOTHINGS)}
    settings = shared[max(shared, key=lambda name: float(logs[name].sum()))]
    before, least = -np.inf, len(answers.coded.item_ids) * len(answers.classes)
    for kinds in KINDS:
        if kinds * least > MOST_CHANCES:
            return
        model = _try(mixture(replace(settings, kinds=kinds)), parts, logs)
        yield model
        now = float(logs[model.name].sum())
        if now <= before:
            return
        before = now


def _whole(answers: CodedSets) -> Iterator[SetModel]:
    if 1 < len(answers.sets) <= MOST_WHOLE_SETS:
        yield whole_sets(choose(answers.coded).method)


def _difference(apart: Reals, item: np.ndarray[tuple[int], np.dtype[np.int64]]) -> tuple[float, float]:
    """Return the mean of differences, and its standard error, those of one item counting as one draw."""
    rest = np.bincount(np.unique(item, return_inverse=True)[1], apart - apart.mean())
    items = len(rest)
    if items < 2:
        return float(apart.mean()), np.inf
    return float(apart.mean()), float(np.sqrt((rest**2).sum() * items / (items - 1)) / len(apart))
