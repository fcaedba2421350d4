"""Fitting: a multinomial logistic regression on soft labels, and what it says."""

from typing import Any

import numpy as np

from cupel.checking.calibration import MIN_PROBABILITY
from cupel.consensus.coding import Integers, Reals

# A model of fewer training items says nothing worth hearing.
MIN_TRAINING_ITEMS = 50
# A word must stand in this many texts, a run of characters in so many; rarer ones only slow the fit.
MIN_TEXTS_WORD = 2
MIN_TEXTS_CHARACTERS = 3
# Chances that a consensus gives a class, below which the class is left out of that item's training.
MIN_WEIGHT = 0.02
SOLVER_TOLERANCE = 1e-3
SOLVER_ITERATIONS = 50


def fit(features: Any, target: Reals, train: Integers, regularisation: float) -> Any | None:
    """Train on the soft labels of some items.

    Args:
        features: Sparse matrix, shape items x features.
        target: What the consensus believes, shape items x classes; NaN rows where it has no answers.
        train: The items to train on, all answered.
        regularisation: scikit-learn's C: higher trusts the data more.

    Returns:
        The model; None where there are fewer than 50 items, or a single class among them.
    """
    from sklearn.linear_model import LogisticRegression

    row, label = np.nonzero(target[train] > MIN_WEIGHT)
    if len(train) < MIN_TRAINING_ITEMS or len(np.unique(label)) < 2:
        return None
    model = LogisticRegression(C=regularisation, solver="newton-cg", tol=SOLVER_TOLERANCE, max_iter=SOLVER_ITERATIONS)
    return model.fit(features[train[row]], label, sample_weight=target[train[row], label])


def score(model: Any, features: Any, classes: int) -> Reals:
    """Return a model's log-probabilities, shape items x classes."""
    probability = np.full((features.shape[0], classes), MIN_PROBABILITY)
    probability[:, model.classes_] = np.maximum(model.predict_proba(features), MIN_PROBABILITY)
    logs: Reals = np.log(probability)
    return logs
