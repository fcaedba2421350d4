"""The linear checker of images: a linear model of a few numbers of each, always out of sample."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking import features
from cupel.checking.opinions import Batch, classes_of
from cupel.config.checking import Checking
from cupel.consensus.coding import Reals
from cupel.contract.modality import Learned

MODEL = "linear of images"
# Raised by hand when a change of this package or of the features changes predictions for the same images.
REVISION = 1


def learn(batches: Sequence[Batch], settings: Checking) -> Learned:
    """Return what a linear model of colours and gradients says of each part of a label.

    It is weak: it learns what differs in colour and rough shape. Trained and calibrated as the linear checker of
    texts is, it is silent where too few other images have answers, and says little where it learned little.

    Args:
        batches: The batch as each part sees it; the items, which have `features`, are the same.
        settings: Folds, seed and regularisation.
    """
    values = as_matrix(batches[0].items["features"])
    said = [features.best_opinions(values, batch, settings) for batch in batches]
    scaled = [one.scaling for one in said]
    parts = (MODEL, REVISION, scaled, classes_of(batches), settings.folds, settings.seed, settings.regularisation)
    version = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
    return Learned([one.opinions for one in said], MODEL, version)


def as_matrix(column: pa.ChunkedArray) -> Reals:
    """Return lists of numbers as a matrix, shape items x numbers; a row of NaN where there is no list."""
    width = int(pc.max(pc.list_value_length(column)).as_py() or 1)
    found = np.full((len(column), width), np.nan)
    is_there = pc.is_valid(column).to_numpy()
    found[is_there] = pc.list_flatten(column).to_numpy().reshape(-1, width)
    return found
