"""Features: the linear checker of items that are numbers already (of images, sounds, another model), not texts."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.calibration import MIN_JUDGES, answers_chance, calibrated
from cupel.checking.opinions import Batch, Opinions, batch_of, predictions_of
from cupel.checking.out_of_fold import TOO_LITTLE_TO_LEARN, out_of_fold
from cupel.config.checking import Checking
from cupel.consensus.coding import Reals, id_array
from cupel.consensus.passes import log_sum
from cupel.errors import TableError

MODEL = "linear of features"
# Raised by hand when a change of this package changes predictions for the same features.
REVISION = 1
# What is divided by instead of 0; what a column of one value may deviate by, as a share of it, in rounding.
TINIEST = np.finfo(np.float64).tiny
ROUNDING = 1e-9
NOT_FINITE = "a feature is missing or no finite number"


def predictions(
    items: pa.Table, features: Reals, consensus: pa.Table, classes: Sequence[str], settings: Checking
) -> pa.Table:
    """Return a linear model's opinion of every item, from models that never saw the item's answers.

    Trained and calibrated as the linear checker of texts is. Rows are brought to length 1, or their
    columns to mean 0 and deviation 1 before that: whichever makes people's answers likelier.

    Args:
        items: A table with item_id and group_id, any order.
        features: Numbers of the same items in the same order, shape items x features.
        consensus: CONSENSUS of the same items.
        classes: The ontology.
        settings: Folds, seed and regularisation.

    Returns:
        PREDICTIONS, one row per item, by item id. Abstains where a feature is no finite number, and
        where too few others have answers.

    Raises:
        TableError: Items, features and consensus do not fit each other.
    """
    if features.ndim != 2 or len(features) != items.num_rows or features.shape[1] == 0:
        raise TableError(f"features: found shape {features.shape}; expected {items.num_rows} rows, one per item")
    batch = batch_of(items.select(["item_id", "group_id"]), consensus, classes, settings)
    order = np.asarray(pc.index_in(batch.ids, value_set=id_array(items["item_id"])).to_numpy(), np.int64)
    values = np.asarray(features, np.float64)[order]
    said, best = best_opinions(values, batch, settings)
    parts = (
        MODEL,
        REVISION,
        best,
        features.shape[1],
        list(classes),
        settings.folds,
        settings.seed,
        settings.regularisation,
    )
    return predictions_of(batch, said, MODEL, hashlib.sha256(repr(parts).encode()).hexdigest()[:12])


class BestOpinions(NamedTuple):
    """What a linear model says, and how its features were scaled: `as is` or `standardised`."""

    opinions: Opinions
    scaling: str


def best_opinions(features: Reals, batch: Batch, settings: Checking) -> BestOpinions:
    """Return what a linear model says of every item, by whichever scaling makes people's answers likelier.

    Args:
        features: Shape items x features, in the batch's order.
        batch: The batch.
        settings: Folds and regularisation.
    """
    tried = {
        name: opinions(scaled(features, name == "standardised"), batch, settings) for name in ("as is", "standardised")
    }
    best = max(tried, key=lambda name: _worth(tried[name], batch))
    return BestOpinions(tried[best], best)


def opinions(features: Reals, batch: Batch, settings: Checking) -> Opinions:
    """Return what a linear model says of every item; items with a feature that is no finite number teach nothing.

    Args:
        features: Shape items x features, in the batch's order.
        batch: The batch.
        settings: Folds and regularisation.
    """
    is_whole = np.asarray(np.isfinite(features).all(axis=1), np.bool_)
    taught = batch._replace(crowd=np.where(is_whole[:, None], batch.crowd, np.nan))
    scores = out_of_fold(np.where(is_whole[:, None], features, 0.0), taught, settings).scores
    scores[~is_whole] = np.nan
    is_silent = np.isnan(scores[:, 0])
    why = pa.array([NOT_FINITE, TOO_LITTLE_TO_LEARN]).take(pa.array(is_whole.astype(np.int64), mask=~is_silent))
    return Opinions(scores, why)


def scaled(features: Reals, is_standardised: bool) -> Reals:
    """Return rows of length 1, after columns were brought to mean 0 and deviation 1 if wanted; rows of 0 stay."""
    values = np.where(np.isfinite(features).all(axis=1, keepdims=True), features, np.nan)
    if is_standardised and not np.isnan(values).all():
        values = values / np.maximum(np.nanmax(np.abs(values), axis=0), TINIEST)
        deviation = np.nanstd(values, axis=0)
        values = (values - np.nanmean(values, axis=0)) / np.where(deviation > ROUNDING, deviation, 1.0)
    # Divided by its largest first: squares of large numbers are infinite.
    values = values / np.maximum(np.abs(values).max(axis=1, keepdims=True), TINIEST)
    length = np.sqrt((values**2).sum(axis=1, keepdims=True))
    return np.asarray(values / np.where(length > 0, length, 1.0))


def _worth(said: Opinions, batch: Batch) -> float:
    """Return how likely people's answers are as the checker sees it."""
    posterior, chance = calibrated(said.scores, batch.crowd, batch.fold), answers_chance(batch.crowd)
    judges = np.flatnonzero(np.isfinite(posterior[:, 0] + chance[:, 0]))
    if len(judges) < MIN_JUDGES:
        return 0.0
    return float(np.cumsum(log_sum(np.log(posterior[judges]) + chance[judges]))[-1])
