"""Set models: every way to turn a batch's answers into a belief about each item's set, and how well each predicts."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from cupel.consensus.chooser import predicted
from cupel.consensus.coding import Integers, Reals
from cupel.consensus.estimates import FLOOR
from cupel.consensus.methods import METHODS
from cupel.kinds.multilabel.coded_sets import CodedSets, code_class
from cupel.kinds.multilabel.label_sets import ANSWERS
from cupel.kinds.multilabel.set_mixture import SetMixtureSettings, best_sets, fit_set_mixture, log_chances


class SetBelief(NamedTuple):
    """What is believed of each item.

    `posterior` is the chance that it has each class, shape items x classes; `sets` the likeliest set as places in
    ANSWERS, of the same shape. Rows of items without answers hold what is usual.
    """

    posterior: Reals
    sets: Integers


class SetModel(NamedTuple):
    """A model of answers that are sets.

    `fit` returns the belief about each item; `predict`, fitted to the first argument, the log of the chance of each
    whole answer of the second one. `is_dependent`: it knows of classes that come together, or are mistaken together.
    """

    name: str
    is_dependent: bool
    fit: Callable[[CodedSets], SetBelief]
    predict: Callable[[CodedSets, CodedSets], Reals]


def class_by_class(methods: Sequence[str]) -> SetModel:
    """Return the model in which each class is a question of its own, answered by one of the consensus methods.

    Args:
        methods: A name in METHODS per class.
    """
    return SetModel("class_by_class", False, lambda answers: _fit_classes(answers, methods),
                    lambda others, out: _predict_classes(others, out, methods))  # fmt: skip


def mixture(settings: SetMixtureSettings) -> SetModel:
    """Return the mixture of label sets; with one kind of items classes are independent, and only skill is shared."""
    name = f"kinds_{settings.kinds}" if settings.kinds > 1 else f"shared_skill_{settings.smoothing:g}"
    return SetModel(name, settings.kinds > 1, lambda answers: _fit_mixture(answers, settings),
                    lambda others, out: log_chances(fit_set_mixture(others, settings), out))  # fmt: skip


def whole_sets(method: str) -> SetModel:
    """Return the model in which each distinct set that anybody gave is a class, and a set is confused with others.

    Args:
        method: A name in METHODS.
    """
    return SetModel("whole_sets", True, lambda answers: _fit_whole(answers, method),
                    lambda others, out: _log(predicted(METHODS[method](others.coded), out.coded)))  # fmt: skip


def _fit_classes(answers: CodedSets, methods: Sequence[str]) -> SetBelief:
    yes = ANSWERS.index("yes")
    columns = [METHODS[name](code_class(answers, place)).posterior[:, yes] for place, name in enumerate(methods)]
    posterior = np.column_stack(columns)
    return SetBelief(posterior, (posterior > 0.5).astype(np.int64))


def _predict_classes(others: CodedSets, out: CodedSets, methods: Sequence[str]) -> Reals:
    chances = np.zeros(len(out.coded.item))
    for place, name in enumerate(methods):
        chances += _log(predicted(METHODS[name](code_class(others, place)), code_class(out, place)))
    return chances


def _fit_mixture(answers: CodedSets, settings: SetMixtureSettings) -> SetBelief:
    found = fit_set_mixture(answers, settings)
    return SetBelief(found.posterior, best_sets(found))


def _fit_whole(answers: CodedSets, method: str) -> SetBelief:
    belief = METHODS[method](answers.coded).posterior
    sets = answers.sets.astype(np.int64)
    # Rounding must not take a chance beyond 1.
    return SetBelief(np.clip(belief @ sets, 0.0, 1.0), sets[belief.argmax(axis=1)])


def _log(chances: Reals) -> Reals:
    return np.asarray(np.log(np.maximum(chances, FLOOR)))
