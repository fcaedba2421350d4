"""Opinions: the model's word on each item, trained on the consensus, or an external model's as it was given."""

import numpy as np
import pyarrow as pa

from benchmarks.double_check.folder import Crowd
from cupel.checking.fitting import MIN_TRAINING_ITEMS, fit, score
from cupel.checking.linear import folds, predictions
from cupel.consensus.coding import Reals, lists_of, vectors
from cupel.project import Checking
from cupel.tables import PREDICTIONS, TEXT, conform

SETTINGS = Checking()


def opinions(crowd: Crowd, consensus: pa.Table) -> pa.Table:
    """Return PREDICTIONS of all items: of the external model, the linear checker, or nobody.

    Args:
        crowd: What a method may see.
        consensus: CONSENSUS, or the same table with a later round's belief as its posterior.
    """
    if crowd.model is not None:
        return _table(crowd, _whole(crowd.model), "external")
    if crowd.texts is not None:
        texts = crowd.texts.fill_null("")
        groups = pa.nulls(len(texts), TEXT)
        items = pa.table({"item_id": pa.array(crowd.item_ids, TEXT), "text": texts, "group_id": groups})
        return predictions(items, consensus, crowd.classes, SETTINGS)
    if crowd.features is not None:
        return _table(crowd, _of_features(crowd, consensus), "linear on features")
    return _table(crowd, np.full((len(crowd.item_ids), len(crowd.classes)), np.nan), "none")


def _whole(model: Reals) -> Reals:
    """Return an external model's probabilities, NaN rows where they are no probabilities: it abstains there."""
    with np.errstate(invalid="ignore"):
        is_sound = np.isfinite(model).all(axis=1) & (model >= 0).all(axis=1) & (model.sum(axis=1) > 0)
        shares = model / model.sum(axis=1, keepdims=True)
    return np.where(is_sound[:, None], shares, np.nan)


def _of_features(crowd: Crowd, consensus: pa.Table) -> Reals:
    target = vectors(consensus["posterior"], len(crowd.classes))
    said = np.full(target.shape, np.nan)
    features = crowd.features
    if features is None or (~np.isnan(target[:, 0])).sum() < MIN_TRAINING_ITEMS:
        return said
    is_seen = np.isfinite(features).all(axis=1)
    scale = features[is_seen].std(axis=0)
    scaled = (np.nan_to_num(features) - features[is_seen].mean(axis=0)) / np.where(scale > 0, scale, 1)
    fold = folds(crowd.item_ids, [None] * len(crowd.item_ids), SETTINGS)
    for held_out in range(SETTINGS.folds):
        train = np.flatnonzero(is_seen & ~np.isnan(target[:, 0]) & (fold != held_out))
        test = np.flatnonzero(is_seen & (fold == held_out))
        model = fit(scaled, target, train, 0.01)
        if model is not None and len(test):
            said[test] = np.exp(score(model, scaled[test], target.shape[1]))
    shares: Reals = said / said.sum(axis=1, keepdims=True)
    return shares


def _table(crowd: Crowd, said: Reals, model: str) -> pa.Table:
    is_known = ~np.isnan(said[:, 0])
    best = np.where(is_known, np.nan_to_num(said).argmax(axis=1), 0)
    size = len(said)
    columns = {
        "item_id": pa.array(crowd.item_ids, TEXT),
        "predicted_label": pa.array(crowd.classes, TEXT).take(pa.array(best, mask=~is_known)),
        "posterior": lists_of(said, is_known),
        "fold": pa.nulls(size, pa.int64()),
        "model": pa.repeat(pa.scalar(model, TEXT), size),
        "model_version": pa.repeat(pa.scalar("1", TEXT), size),
    }
    return conform(pa.table(columns), PREDICTIONS)
