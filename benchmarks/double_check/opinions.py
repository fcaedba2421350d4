"""Opinions: the model's word on each item, trained on the consensus, or an external model's as it was given."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.double_check.folder import Crowd
from cupel.checking import linear
from cupel.checking.calibration import MIN_PROBABILITY
from cupel.checking.opinions import Batch, Opinions, batch_of, predictions_of, reasons
from cupel.checking.out_of_fold import out_of_fold
from cupel.consensus.coding import Reals
from cupel.project import Checking
from cupel.tables import TEXT

SETTINGS = Checking()
# Scaled features are many and dense: a stronger penalty than that of sparse words.
FEATURE_SETTINGS = Checking(regularisation=0.01)
VERSION = "1"

Flags = NDArray[np.bool_]


def opinions(crowd: Crowd, consensus: pa.Table) -> pa.Table:
    """Return PREDICTIONS of all items: of the external model, the linear checker, or nobody.

    Args:
        crowd: What a method may see.
        consensus: CONSENSUS, or the same table with a later round's belief as its posterior.
    """
    ids = pa.array(crowd.item_ids, TEXT)
    items = pa.table({"item_id": ids, "group_id": pa.nulls(len(ids), TEXT)})
    if crowd.model is None and crowd.texts is not None:
        items = items.append_column("text", crowd.texts.fill_null(""))
        return linear.predictions(items, consensus, crowd.classes, SETTINGS)
    batch = batch_of(items, consensus, crowd.classes, SETTINGS)
    if crowd.model is not None:
        return predictions_of(batch, _external(crowd.model), "external", VERSION)
    if crowd.features is not None:
        return predictions_of(batch, _of_features(crowd.features, batch), "linear on features", VERSION)
    silent = np.full(batch.crowd.shape, np.nan)
    return predictions_of(batch, Opinions(silent, reasons(np.isnan(silent[:, 0]), "no model")), "none", VERSION)


def _external(model: Reals) -> Opinions:
    """Return an external model's opinions; it abstains where its numbers are no probabilities."""
    is_sound: Flags = np.isfinite(model).all(axis=1) & (model >= 0).all(axis=1) & (np.nansum(model, axis=1) > 0)
    shares = np.where(is_sound[:, None], model, 1.0)
    scores = np.log(np.maximum(shares / shares.sum(axis=1, keepdims=True), MIN_PROBABILITY))
    return Opinions(np.where(is_sound[:, None], scores, np.nan), reasons(~is_sound, "no probabilities"))


def _of_features(features: Reals, batch: Batch) -> Opinions:
    """Return the opinions of a linear model of scaled features; items without features neither train nor count."""
    is_seen = np.isfinite(features).all(axis=1)
    known = features[is_seen]
    scale = known.std(axis=0)
    scaled = np.zeros(features.shape)
    scaled[is_seen] = (known - known.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    trained = batch._replace(crowd=np.where(is_seen[:, None], batch.crowd, np.nan))
    said = out_of_fold(scaled, trained, FEATURE_SETTINGS)
    scores = np.where(is_seen[:, None], said.scores, np.nan)
    return Opinions(scores, reasons(np.isnan(scores[:, 0]), "no features, or too few items to learn from"))
