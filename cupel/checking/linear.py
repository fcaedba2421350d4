"""Linear: the checker that is built in, a linear model of words and characters, always out of sample."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cupel.checking.fitting import MIN_PROBABILITY, MIN_TEXTS_CHARACTERS, MIN_TEXTS_WORD, MIN_TRAINING_ITEMS, fit, score
from cupel.checking.sampled import SAMPLED_CHARACTERS, SAMPLED_ITEMS, must_be_sampled, sampled_scores
from cupel.consensus.coding import Integers, Reals, by_item, lists_of, sorted_ids, vectors
from cupel.consensus.passes import log_sum
from cupel.errors import TableError
from cupel.project import Checking
from cupel.tables import PREDICTIONS, TEXT, conform

MODEL = "linear"
# Raised by hand when a change of this package changes predictions for the same settings; of sampled batches.
REVISION = 1
SAMPLED_REVISION = 1
DECIMALS = 9
TEMPERATURES = np.exp(np.linspace(np.log(0.25), np.log(4.0), 33))
PIECE_ITEMS = 65_536


def predictions(items: pa.Table, consensus: pa.Table, classes: Sequence[str], settings: Checking) -> pa.Table:
    """Return the linear checker's opinion of every item, from models that never saw the item's answers.

    Word pairs and runs of 3 to 5 characters within words, weighted by TF-IDF, go into a multinomial
    logistic regression. It is trained on the consensus, never on gold: an item counts for each class as
    much as the consensus believes in it. Items of one group share a fold. The temperature of a fold is
    the one that fits the consensus of the other folds best.

    Of a batch of more than 50,000 items or 20 million characters, models are trained on that many items
    with answers, drawn by a hash of their ids; the others are only scored.

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
    items = by_item(items.select(["item_id", "text", "group_id"]))
    consensus = by_item(consensus.select(["item_id", "posterior"]))
    ids = sorted_ids(items["item_id"])
    if not ids.equals(sorted_ids(consensus["item_id"])):
        raise TableError("tables clean_items and consensus hold different items; make the consensus of these items")
    target = vectors(consensus["posterior"], len(classes))
    fold, is_sampled = _folds_of(items, settings), must_be_sampled(items["text"])
    posterior = _calibrated(_out_of_fold(items, target, fold, settings, is_sampled), target, fold)
    is_known = ~np.isnan(posterior[:, 0])
    best = np.where(is_known, np.nan_to_num(posterior).argmax(axis=1), 0)
    columns = {
        "item_id": ids,
        "predicted_label": pa.array(classes, TEXT).take(pa.array(best, mask=~is_known)),
        "posterior": lists_of(posterior, is_known),
        "fold": pa.array(fold, mask=~is_known),
        "model": pa.repeat(pa.scalar(MODEL, TEXT), len(ids)),
        "model_version": pa.repeat(pa.scalar(model_version(classes, settings, is_sampled), TEXT), len(ids)),
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


def model_version(classes: Sequence[str], settings: Checking, is_sampled: bool = False) -> str:
    """Return 12 hexadecimal digits that change with the classes or with a setting that changes predictions."""
    parts: tuple[object, ...] = (MODEL, REVISION, list(classes), settings.folds, settings.seed, settings.regularisation)
    parts += (SAMPLED_ITEMS, SAMPLED_CHARACTERS, SAMPLED_REVISION) if is_sampled else ()
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _folds_of(items: pa.Table, settings: Checking) -> Integers:
    pieces = [items.slice(start, PIECE_ITEMS) for start in range(0, items.num_rows, PIECE_ITEMS)]
    found = [folds(piece["item_id"].to_pylist(), piece["group_id"].to_pylist(), settings) for piece in pieces]
    return np.concatenate([np.zeros(0, np.int64), *found])


def _out_of_fold(items: pa.Table, target: Reals, fold: Integers, settings: Checking, is_sampled: bool) -> Reals:
    """Return log-probabilities, shape items x classes; NaN rows where no model could be trained."""
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if (~np.isnan(target[:, 0])).sum() < MIN_TRAINING_ITEMS:
        return np.full(target.shape, np.nan)
    # Sums that several threads share differ in the last digits from run to run.
    with threadpool_limits(limits=1):
        if is_sampled:
            return sampled_scores(items["item_id"].combine_chunks(), items["text"], target, fold, settings)
        return _whole_scores(items["text"].to_pylist(), target, fold, settings)


def _whole_scores(texts: list[str], target: Reals, fold: Integers, settings: Checking) -> Reals:
    scores = np.full(target.shape, np.nan)
    is_answered = ~np.isnan(target[:, 0])
    features = _features(texts)
    for held_out in range(settings.folds):
        test = np.flatnonzero(fold == held_out)
        if len(test):
            model = fit(features, target, np.flatnonzero(is_answered & (fold != held_out)), settings.regularisation)
            if model is not None:
                scores[test] = score(model, features[test], target.shape[1])
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


def _calibrated(scores: Reals, target: Reals, fold: Integers) -> Reals:
    """Return probabilities at the temperature that fits the consensus of the other folds best; NaN stays."""
    is_judge = ~np.isnan(scores[:, 0]) & ~np.isnan(target[:, 0])
    judges = {held_out: np.flatnonzero(is_judge & (fold != held_out)) for held_out in np.unique(fold).tolist()}
    # How well the consensus of each fold's judges is foretold at each temperature.
    fits: dict[int, list[float]] = {held_out: [] for held_out in judges}
    for temperature in TEMPERATURES:
        foretold = (target * _normal(scores / temperature)).sum(axis=1)
        for held_out, others in judges.items():
            # Added up one after the other: the order of a sum decides its last digits.
            fits[held_out].append(np.cumsum(foretold[others])[-1] if len(others) else 0.0)
    probability = np.full(scores.shape, np.nan)
    for held_out, others in judges.items():
        temperature = TEMPERATURES[np.argmax(fits[held_out])] if len(others) else 1.0
        rows = fold == held_out
        probability[rows] = np.exp(_normal(scores[rows] / temperature))
    probability = np.maximum(probability, MIN_PROBABILITY)
    rounded: Reals = np.round(probability / probability.sum(axis=1, keepdims=True), DECIMALS)
    return rounded


def _normal(scores: Reals) -> Reals:
    return scores - log_sum(scores)[:, None]
