"""Opinions: the model's word on each item, trained on the consensus, or an external model's as it was given."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.double_check.folder import Crowd
from cupel.checking import features, linear
from cupel.checking.calibration import MIN_PROBABILITY
from cupel.checking.opinions import Opinions, batch_of, predictions_of, reasons
from cupel.config.checking import Checking
from cupel.consensus.coding import Reals
from cupel.tables import TEXT

SETTINGS = Checking()
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
        return features.predictions(items, crowd.features, consensus, crowd.classes, SETTINGS)
    silent = np.full(batch.crowd.shape, np.nan)
    return predictions_of(batch, Opinions(silent, reasons(np.isnan(silent[:, 0]), "no model")), "none", VERSION)


def _external(model: Reals) -> Opinions:
    """Return an external model's opinions; it abstains where its numbers are no probabilities."""
    is_sound: Flags = np.isfinite(model).all(axis=1) & (model >= 0).all(axis=1) & (np.nansum(model, axis=1) > 0)
    shares = np.where(is_sound[:, None], model, 1.0)
    scores = np.log(np.maximum(shares / shares.sum(axis=1, keepdims=True), MIN_PROBABILITY))
    return Opinions(np.where(is_sound[:, None], scores, np.nan), reasons(~is_sound, "no probabilities"))
