"""Embedding: the checker that sees what a text means too, a linear model of its embedding and its words."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from cupel.checking import minilm
from cupel.checking.linear import features
from cupel.checking.minilm import Embedder, Embeddings
from cupel.checking.opinions import Batch, classes_of
from cupel.checking.out_of_fold import out_of_fold
from cupel.checking.sampled import must_be_sampled
from cupel.config.checking import Checking
from cupel.contract.modality import Learned
from cupel.store.local import LocalStore

MODEL = f"words and {minilm.MODEL}"
# Raised by hand when a change of this package changes predictions for the same settings.
REVISION = 1


def learn(batches: Sequence[Batch], settings: Checking, folder: Path, name: str) -> Learned:
    """Return what a linear model of embedding and words says of each part of a label, always out of sample.

    It sees the embedding beside what the linear checker sees, and is trained and calibrated as that is; of
    a batch that the linear checker would only sample, it sees the embedding alone.

    Args:
        batches: The batch as each part sees it; the items, which have a text, are the same.
        settings: Folds, seed and regularisation.
        folder: Where embeddings are kept between rounds.
        name: The batch's name.

    Raises:
        CheckerError: The extra `embedding` is not installed.
    """
    from scipy.sparse import csr_array, hstack

    texts = batches[0].items["text"]
    meaning, is_large = kept(texts, folder, name).astype(np.float64), must_be_sampled(texts)
    seen = meaning if is_large else csr_array(hstack([features(texts.to_pylist()), csr_array(meaning)]))
    said = [out_of_fold(seen, batch, settings) for batch in batches]
    return Learned(said, MODEL, version(classes_of(batches), settings, is_large))


def version(classes: Sequence[object], settings: Checking, is_large: bool = False) -> str:
    """Return 12 hexadecimal digits that change with the classes or with a setting that changes predictions."""
    parts = (MODEL, REVISION, is_large, list(classes), settings.folds, settings.seed, settings.regularisation)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:12]


def kept(texts: pa.ChunkedArray, folder: Path, name: str) -> Embeddings:
    """Return the embeddings of texts, from the file that an earlier round left, where it is of the same texts.

    Args:
        texts: The texts.
        folder: Folder of the files; one of a batch is kept, that of its last texts.
        name: The batch's name.
    """
    digest = hashlib.sha256(repr((minilm.MODEL, REVISION, len(texts))).encode())
    for text in texts.to_pylist():
        digest.update(hashlib.sha256(text.encode()).digest())
    store, file = LocalStore(folder, is_private=True), f"{name}@{digest.hexdigest()[:24]}.npy"
    if store.stat(file) is not None:
        with store.open(file) as source:
            found: Embeddings = np.load(source, allow_pickle=False)
        return found
    made = Embedder().embed(texts.to_pylist())
    for before in [one.name for one in store.list() if one.name.startswith(f"{name}@")]:
        store.delete(before)
    with store.new() as new:
        np.save(new.file, made, allow_pickle=False)
        new.put(file)
    return made
