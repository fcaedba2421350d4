"""Linear: the checker that is built in, a linear model of words and characters, always out of sample."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cupel.consensus.coding import Integers, Reals, lists_of, sorted_ids, vectors
from cupel.consensus.dawid_skene import log_sum
from cupel.errors import TableError
from cupel.project import Checking
from cupel.tables import PREDICTIONS, TEXT, conform

MODEL = "linear"
# Raised by hand when a change of this module changes predictions for the same settings.
REVISION = 1
# A model of fewer training items says nothing worth hearing.
MIN_TRAINING_ITEMS = 50
# A word must stand in this many texts, a run of characters in so many; rarer ones only slow the fit.
MIN_TEXTS_WORD = 2
MIN_TEXTS_CHARACTERS = 3
# Chances that a consensus gives a class, below which the class is left out of that item's training.
MIN_WEIGHT = 0.02
# No class is ever held to be impossible; also what keeps logarithms finite after rounding.
MIN_PROBABILITY = 1e-6
DECIMALS = 9
TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(4.0), 33))
SOLVER_TOLERANCE = 1e-3
SOLVER_ITERATIONS = 50


def predictions(items: pa.Table, consensus: pa.Table, classes: Sequence[str], settings: Checking) -> pa.Table:
    """Return the linear checker's opinion of every item, from models that never saw the item's answers.

    Word pairs and runs of 3 to 5 characters within words, weighted by TF-IDF, go into a multinomial
    logistic regression. It is trained on the consensus, never on gold: an item counts for each class as
    much as the consensus believes in it. Items of one group share a fold. The temperature of a fold is
    the one that fits the consensus of the other folds best.

    Args:
        items: CLEAN_ITEMS of one batch, or any table with item_id, text and group_id; any order.
        consensus: CONSENSUS of the same items.
        classes: The ontology.
        settings: Folds, seed and regularisation (scikit-learn's C: higher trusts the data more).

    Returns:
        PREDICTIONS, one row per item, by item id. Label and posterior are null where no model could be
        trained: fewer than 50 other items with answers, or a single class among them.

    Raises:
        TableError: The consensus speaks of other items.
    """
    items, consensus = items.sort_by("item_id"), consensus.sort_by("item_id")
    ids = sorted_ids(items["item_id"])
    if not ids.equals(sorted_ids(consensus["item_id"])):
        raise TableError("tables clean_items and consensus hold different items; make the consensus of these items")
    target = vectors(consensus["posterior"], len(classes))
    fold = folds(items["item_id"].to_pylist(), items["group_id"].to_pylist(), settings)
    posterior = _calibrated(_out_of_fold(items["text"].to_pylist(), target, fold, settings), target, fold)
    is_known = ~np.isnan(posterior[:, 0])
    best = np.where(is_known, np.nan_to_num(posterior).argmax(axis=1), 0)
    columns = {
        "item_id": ids,
        "predicted_label": pa.array(classes, TEXT).take(pa.array(best, mask=~is_known)),
        "posterior": lists_of(posterior, is_known),
        "fold": pa.array(fold, mask=~is_known),
        "model": pa.array([MODEL] * len(ids), TEXT),
        "model_version": pa.array([model_version(classes, settings)] * len(ids), TEXT),
    }
    return conform(pa.table(columns), PREDICTIONS)


def folds(item_ids: Sequence[str], group_ids: Sequence[str | None], settings: Checking) -> Integers:
    """Return the fold of each item: a hash of its group (or of itself, without one) and the seed.

    >>> folds(["a", "b", "c"], ["g", "g", None], Checking()).tolist()
    [3, 3, 2]
    """
    names = [
        f"item:{item}" if group is None else f"group:{group}" for item, group in zip(item_ids, group_ids, strict=True)
    ]
    digests = (hashlib.sha256(f"{settings.seed}:{name}".encode()).digest() for name in names)
    return np.array([int.from_bytes(digest[:8], "big") % settings.folds for digest in digests], dtype=np.int64)


def model_version(classes: Sequence[str], settings: Checking) -> str:
    """Return 12 hexadecimal digits that change with the classes or with a setting that changes predictions."""
    parts = (MODEL, REVISION, list(classes), settings.folds, settings.seed, settings.regularisation)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _out_of_fold(texts: list[str], target: Reals, fold: Integers, settings: Checking) -> Reals:
    """Return log-probabilities, shape items x classes; NaN rows where no model could be trained."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    scores = np.full(target.shape, np.nan)
    is_answered = ~np.isnan(target[:, 0])
    if is_answered.sum() < MIN_TRAINING_ITEMS:
        return scores
    # Sums that several threads share differ in the last digits from run to run.
    with threadpool_limits(limits=1):
        features = _features(texts)
        for held_out in range(settings.folds):
            train = np.flatnonzero(is_answered & (fold != held_out))
            test = np.flatnonzero(fold == held_out)
            if len(test) and len(train) >= MIN_TRAINING_ITEMS:
                scores[test] = _fit_and_score(features, target, train, test, settings.regularisation)
    return scores


def _features(texts: list[str]) -> Any:
    """Return a sparse matrix, shape items x features. TF-IDF is counted over all texts; it sees no labels."""
    from scipy.sparse import csr_array, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    parts = []
    for settings in (
        {"analyzer": "word", "ngram_range": (1, 2), "min_df": MIN_TEXTS_WORD},
        {"analyzer": "char_wb", "ngram_range": (3, 5), "min_df": MIN_TEXTS_CHARACTERS},
    ):
        try:
            parts.append(TfidfVectorizer(sublinear_tf=True, **settings).fit_transform(texts))
        except ValueError:
            # Texts that share no word or run of characters leave an empty vocabulary, which is an error there.
            parts.append(csr_array((len(texts), 1), dtype=np.float64))
    return csr_array(hstack(parts))


def _fit_and_score(features: Any, target: Reals, train: Integers, test: Integers, regularisation: float) -> Reals:
    """Train on the soft labels of some items; return log-probabilities of others, NaN if there is one class only."""
    from sklearn.linear_model import LogisticRegression

    row, label = np.nonzero(target[train] > MIN_WEIGHT)
    if len(np.unique(label)) < 2:
        return np.full((len(test), target.shape[1]), np.nan)
    model = LogisticRegression(C=regularisation, solver="newton-cg", tol=SOLVER_TOLERANCE, max_iter=SOLVER_ITERATIONS)
    model.fit(features[train[row]], label, sample_weight=target[train[row], label])
    probability = np.full((len(test), target.shape[1]), MIN_PROBABILITY)
    probability[:, model.classes_] = np.maximum(model.predict_proba(features[test]), MIN_PROBABILITY)
    logs: Reals = np.log(probability)
    return logs


def _calibrated(scores: Reals, target: Reals, fold: Integers) -> Reals:
    """Return probabilities at the temperature that fits the consensus of the other folds best; NaN stays."""
    is_judge = ~np.isnan(scores[:, 0]) & ~np.isnan(target[:, 0])
    # Row t, column i: how well item i's consensus is foretold at temperature t.
    fits = np.stack([(target * _normal(scores / t)).sum(axis=1) for t in TEMPERATURES])
    probability = np.full(scores.shape, np.nan)
    for held_out in np.unique(fold):
        others = is_judge & (fold != held_out)
        temperature = TEMPERATURES[fits[:, others].sum(axis=1).argmax()] if others.any() else 1.0
        rows = fold == held_out
        probability[rows] = np.exp(_normal(scores[rows] / temperature))
    probability = np.maximum(probability, MIN_PROBABILITY)
    rounded: Reals = np.round(probability / probability.sum(axis=1, keepdims=True), DECIMALS)
    return rounded


def _normal(scores: Reals) -> Reals:
    return scores - log_sum(scores)[:, None]
