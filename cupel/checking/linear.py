"""Linear: the checker that is built in, a linear model of words and characters, always out of sample."""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from cupel.checking.fitting import MIN_TEXTS_CHARACTERS, MIN_TEXTS_WORD, MIN_TRAINING_ITEMS
from cupel.checking.opinions import Batch, Opinions, batch_of, classes_of, predictions_of
from cupel.checking.out_of_fold import opinions_of, out_of_fold
from cupel.checking.sampled import SAMPLED_CHARACTERS, SAMPLED_ITEMS, must_be_sampled, sampled_scores
from cupel.config.checking import Checking
from cupel.contract.modality import Learned

MODEL = "linear"
# Raised by hand when a change of this package changes predictions for the same settings; of sampled batches.
REVISION = 2
SAMPLED_REVISION = 2


def predictions(items: pa.Table, consensus: pa.Table, classes: Sequence[str], settings: Checking) -> pa.Table:
    """Return the linear checker's opinion of every item, from models that never saw the item's answers.

    Word pairs and runs of 3 to 5 characters within words, weighted by TF-IDF, go into a multinomial
    logistic regression. It is trained on the consensus, never on gold: an item counts for each class as
    much as the consensus believes in it. Items of one group share a fold. The temperature of a fold is
    the one under which the answers of the other folds are likeliest.

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
    batch = batch_of(items.select(["item_id", "text", "group_id"]), consensus, classes, settings)
    found = learn([batch], settings)
    return predictions_of(batch, found.opinions[0], found.model, found.version)


def learn(batches: Sequence[Batch], settings: Checking) -> Learned:
    """Return what the linear checker says of each part of a label; see `predictions`.

    Args:
        batches: The batch as each part sees it; the items, which have a text, are the same.
        settings: Folds, seed and regularisation.
    """
    texts = batches[0].items["text"]
    is_sampled = must_be_sampled(texts)
    version = model_version(classes_of(batches), settings, is_sampled)
    seen = None if is_sampled or not any(map(_has_enough, batches)) else features(texts.to_pylist())
    return Learned([_opinions(batch, settings, seen) for batch in batches], MODEL, version)


def model_version(classes: Sequence[object], settings: Checking, is_sampled: bool = False) -> str:
    """Return 12 hexadecimal digits that change with the classes or with a setting that changes predictions."""
    parts: tuple[object, ...] = (MODEL, REVISION, list(classes), settings.folds, settings.seed, settings.regularisation)
    parts += (SAMPLED_ITEMS, SAMPLED_CHARACTERS, SAMPLED_REVISION) if is_sampled else ()
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def _has_enough(batch: Batch) -> bool:
    return bool((~np.isnan(batch.crowd[:, 0])).sum() >= MIN_TRAINING_ITEMS)


def _opinions(batch: Batch, settings: Checking, seen: Any) -> Opinions:
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    if not _has_enough(batch):
        return opinions_of(np.full(batch.crowd.shape, np.nan))
    if seen is not None:
        return out_of_fold(seen, batch, settings)
    with threadpool_limits(limits=1):
        return opinions_of(sampled_scores(batch.ids, batch.items["text"], batch.crowd, batch.fold, settings))


def features(texts: list[str]) -> Any:
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
