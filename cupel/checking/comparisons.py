"""The linear checker of comparisons: which response reads better, learned from how the two differ."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cupel.checking.fitting import MIN_TEXTS_WORD, MIN_TRAINING_ITEMS
from cupel.checking.opinions import batch_of, predictions_of
from cupel.checking.out_of_fold import opinions_of, out_of_fold
from cupel.config.checking import Checking
from cupel.kinds.preference.comparison import from_text

MODEL = "linear difference"
# Raised by hand when a change of this module changes predictions for the same settings.
REVISION = 1


def predictions(items: pa.Table, consensus: pa.Table, classes: Sequence[str], settings: Checking) -> pa.Table:
    """Return the linear checker's opinion of every comparison, from models that never saw its answers.

    The models see what the first response has and the second has not, and the other way round: words and pairs of
    words weighted by TF-IDF, and the lengths; and how alike the two are, for ties. They learn from the consensus,
    never from gold. Comparisons of one group share a fold.

    Args:
        items: CLEAN_ITEMS of one batch: item_id, group_id, and text as `as_text` makes it.
        consensus: CONSENSUS of the same items.
        classes: The ontology.
        settings: Folds, seed and regularisation.

    Returns:
        PREDICTIONS, one row per item, by item id; an abstention where there was too little to learn from.
    """
    batch = batch_of(items.select(["item_id", "text", "group_id"]), consensus, classes, settings)
    if (~np.isnan(batch.crowd[:, 0])).sum() < MIN_TRAINING_ITEMS:
        said = opinions_of(np.full(batch.crowd.shape, np.nan))
    else:
        said = out_of_fold(differences(batch.items["text"].to_pylist()), batch, settings)
    parts = (MODEL, REVISION, list(classes), settings.folds, settings.seed, settings.regularisation)
    return predictions_of(batch, said, MODEL, hashlib.sha256(repr(parts).encode()).hexdigest()[:12])


def differences(texts: Sequence[str]) -> Any:
    """Return what a model sees of each comparison; exchanged, all but the last column change sign.

    Args:
        texts: Comparisons, as `as_text` makes them.

    Returns:
        A sparse matrix: TF-IDF of the first response less that of the second, the difference of the logarithms of
        their lengths, and the cosine of the two.
    """
    from scipy.sparse import csr_array, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    pairs = [from_text(text)[1:] for text in texts]
    responses = [response for pair in pairs for response in pair]
    try:
        words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=MIN_TEXTS_WORD).fit_transform(responses)
    except ValueError:
        # Responses that share no word leave an empty vocabulary, which is an error there.
        words = csr_array((len(responses), 1), dtype=np.float64)
    first, second = csr_array(words)[0::2], csr_array(words)[1::2]
    lengths = np.log1p([[len(response) for response in pair] for pair in pairs])
    alike = np.asarray(first.multiply(second).sum(axis=1)).ravel()
    return csr_array(hstack([first - second, np.column_stack([lengths[:, 0] - lengths[:, 1], alike])]))
