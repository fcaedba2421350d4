"""Sampled: the linear checker of a batch that is too large to train on whole."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.fitting import MIN_TEXTS_CHARACTERS, MIN_TEXTS_WORD, fit, score
from cupel.config.checking import Checking
from cupel.consensus.coding import Integers, Reals
from cupel.modalities.text.hashed_words import Vocabulary, features, vocabulary

# Answered items that models are trained on, and characters of their texts; a batch of more of either is sampled.
SAMPLED_ITEMS = 50_000
SAMPLED_CHARACTERS = 20_000_000
PIECE_IDS = 65_536


def must_be_sampled(texts: pa.ChunkedArray) -> bool:
    """Tell whether a batch is too large to train on whole."""
    return len(texts) > SAMPLED_ITEMS or (pc.sum(pc.utf8_length(texts)).as_py() or 0) > SAMPLED_CHARACTERS


def sampled_scores(ids: pa.Array, texts: pa.ChunkedArray, target: Reals, fold: Integers, settings: Checking) -> Reals:
    """Return what models trained on a sample say of every item, always out of sample.

    The sample is drawn by a hash of the item's id, from those that are answered. The vocabulary and its
    frequencies are those of the sample, held as hashes.
    Items are scored piece by piece, each by the model that never saw its fold.

    Args:
        ids: The items.
        texts: Their texts.
        target: What the consensus believes, shape items x classes; NaN rows where it has no answers.
        fold: The fold of each item.
        settings: Seed, folds and regularisation.

    Returns:
        Log-probabilities, shape items x classes; NaN rows where no model could be trained.
    """
    sample = drawn(ids, texts, np.flatnonzero(~np.isnan(target[:, 0])), settings.seed)
    known, models = _trained(texts.take(pa.array(sample)), target[sample], fold[sample], settings)
    scores, start = np.full(target.shape, np.nan), 0
    for piece in features(texts, known):
        here = fold[start : start + piece.shape[0]]
        for held_out, model in models.items():
            rows = np.flatnonzero(here == held_out)
            if len(rows):
                scores[start + rows] = score(model, piece[rows], target.shape[1])
        start += piece.shape[0]
    return scores


def drawn(ids: pa.Array, texts: pa.ChunkedArray, candidates: Integers, seed: int) -> Integers:
    """Return the places of the items that are trained on, ascending: those whose hash is lowest.

    Args:
        ids: The items.
        texts: Their texts.
        candidates: Places of items that may be trained on.
        seed: Enters the hash.
    """
    digests = [np.zeros(0, np.uint64)]
    for start in range(0, len(candidates), PIECE_IDS):
        names = ids.take(pa.array(candidates[start : start + PIECE_IDS])).to_pylist()
        found = (hashlib.sha256(f"{seed}:sample:{name}".encode()).digest() for name in names)
        digests.append(np.array([int.from_bytes(digest[:8], "big") for digest in found], np.uint64))
    order = candidates[np.argsort(np.concatenate(digests), kind="stable")[:SAMPLED_ITEMS]]
    characters = np.cumsum(pc.utf8_length(texts).to_numpy()[order])
    return np.sort(order[characters <= SAMPLED_CHARACTERS])


def _trained(
    texts: pa.ChunkedArray, target: Reals, fold: Integers, settings: Checking
) -> tuple[Vocabulary, dict[int, Any]]:
    """Return the vocabulary, and a model for each fold that one could be trained for on the items of the others."""
    known = vocabulary(texts, MIN_TEXTS_WORD, MIN_TEXTS_CHARACTERS)
    matrix = _stacked(features(texts, known))
    models = {}
    for held_out in range(settings.folds):
        model = fit(matrix, target, np.flatnonzero(fold != held_out), settings.regularisation)
        if model is not None:
            models[held_out] = model
    return known, models


def _stacked(pieces: Iterator[Any]) -> Any:
    """Return sparse matrices one under the other; scipy's own way holds everything twice."""
    from scipy.sparse import csr_matrix

    values, places, ends, width = [], [], [np.zeros(1, np.int64)], 0
    for piece in pieces:
        values.append(piece.data)
        places.append(piece.indices)
        ends.append(ends[-1][-1] + piece.indptr[1:].astype(np.int64))
        width = piece.shape[1]
    value = np.concatenate(values)
    values.clear()
    place = np.concatenate(places)
    places.clear()
    end = np.concatenate(ends)
    # scipy and scikit-learn are faster where 32 bits are enough, which they are for any sample.
    return csr_matrix((value, place, end.astype(place.dtype)), (len(end) - 1, width))
