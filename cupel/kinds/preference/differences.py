"""The linear checker of comparisons: which response reads better, learned from how the two differ."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from cupel.checking.fitting import MIN_TEXTS_WORD, MIN_TRAINING_ITEMS
from cupel.checking.opinions import Batch, classes_of
from cupel.checking.out_of_fold import opinions_of, out_of_fold
from cupel.config.checking import Checking
from cupel.contract.modality import Learned
from cupel.modalities.comparison import from_text

MODEL = "linear difference"
# Raised by hand when a change of this module changes predictions for the same settings.
REVISION = 1


def learn(batches: Sequence[Batch], settings: Checking) -> Learned:
    """Return the linear checker's opinion of every comparison, from models that never saw its answers.

    The models see what the first response has and the second has not, and the other way round: words and pairs of
    words weighted by TF-IDF, and the lengths; and how alike the two are, for ties. They learn from the consensus,
    never from gold. Comparisons of one group share a fold.

    Args:
        batches: The batch as each part of a label sees it; items have a text, as `as_text` makes it.
        settings: Folds, seed and regularisation.

    Returns:
        Its opinions, a part at a time; silent where there was too little to learn from.
    """
    enough = [bool((~np.isnan(batch.crowd[:, 0])).sum() >= MIN_TRAINING_ITEMS) for batch in batches]
    seen = differences(batches[0].items["text"].to_pylist()) if any(enough) else None
    said = [
        out_of_fold(seen, batch, settings) if is_enough else opinions_of(np.full(batch.crowd.shape, np.nan))
        for batch, is_enough in zip(batches, enough, strict=True)
    ]
    parts = (MODEL, REVISION, classes_of(batches), settings.folds, settings.seed, settings.regularisation)
    return Learned(said, MODEL, hashlib.sha256(repr(parts).encode()).hexdigest()[:12])


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
