"""Embedding: the checker that sees what a text means too, a linear model of its embedding and its words."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pyarrow as pa

from cupel.checking import minilm
from cupel.checking.linear import features
from cupel.checking.minilm import Embedder, Embeddings
from cupel.checking.opinions import Batch, predictions_of
from cupel.checking.out_of_fold import out_of_fold
from cupel.checking.sampled import must_be_sampled
from cupel.config.checking import Checking
from cupel.store.files import put_file as replace_file

MODEL = f"words and {minilm.MODEL}"
# Raised by hand when a change of this package changes predictions for the same settings.
REVISION = 1


def predictions(batch: Batch, settings: Checking, folder: Path, name: str) -> pa.Table:
    """Return a linear model's opinion of every item from embedding and words, by models that never saw its answers.

    It sees the embedding beside what the linear checker sees, and is trained and calibrated as that is; of
    a batch that the linear checker would only sample, it sees the embedding alone.

    Args:
        batch: The batch; its items have a text.
        settings: Folds, seed and regularisation.
        folder: Where embeddings are kept between rounds.
        name: The batch's name.

    Returns:
        PREDICTIONS, one row per item, by item id.

    Raises:
        CheckerError: The extra `embedding` is not installed.
    """
    from scipy.sparse import csr_array, hstack

    texts = batch.items["text"]
    meaning, is_large = kept(texts, folder, name).astype(np.float64), must_be_sampled(texts)
    seen = meaning if is_large else csr_array(hstack([features(texts.to_pylist()), csr_array(meaning)]))
    said = out_of_fold(seen, batch, settings)
    return predictions_of(batch, said, MODEL, version(batch.classes, settings, is_large))


def version(classes: tuple[str, ...], settings: Checking, is_large: bool = False) -> str:
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
    path = folder / f"{name}@{digest.hexdigest()[:24]}.npy"
    if path.is_file():
        found: Embeddings = np.load(path, allow_pickle=False)
        return found
    made = Embedder().embed(texts.to_pylist())
    content = io.BytesIO()
    np.save(content, made, allow_pickle=False)
    folder.mkdir(parents=True, exist_ok=True)
    for before in folder.glob(f"{name}@*.npy"):
        before.unlink()
    replace_file(path, content.getvalue())
    return made
