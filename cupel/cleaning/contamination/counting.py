"""Counting: the words and runs of the texts that a model learns from; counted once, while answers are awaited."""

import contextlib
import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from cupel.cleaning.contamination.candidates import LEAST_RUNS, LEAST_WORDS, matrix
from cupel.modalities.text.hashed_words import Vocabulary, vocabulary
from cupel.store.files import delete_folder, is_file, new_file, open_file

# More are counted anew: 8 bytes each would fill the disk for the sake of a few minutes.
MOST_REMEMBERED = 50_000_000


class Counted(NamedTuple):
    """What stands in some texts: the vocabulary, and a sparse matrix of shape texts x vocabulary."""

    known: Vocabulary
    features: Any


Count = Callable[[pa.ChunkedArray], Counted]


def counted(texts: pa.ChunkedArray) -> Counted:
    """Count words and runs of texts."""
    known = vocabulary(texts, LEAST_WORDS, LEAST_RUNS)
    return Counted(known, matrix(texts, known))


class Remembered:
    """Counts texts, and remembers what it counted until it is told to forget.

    Learning is begun anew each round, with the same texts. What is remembered can be lost at any time: it is counted
    anew then, and where it cannot be read.

    Args:
        folder: Where it is kept; nothing else may lie there.
        version: Changes when the code that counts does.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self._version = version

    def __call__(self, texts: pa.ChunkedArray) -> Counted:
        """Return what was counted of the same texts before, or count them."""
        path = self._folder / f"{_name(texts, self._version)}.npz"
        if is_file(path):
            with contextlib.suppress(OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
                return _read(path)
        found = counted(texts)
        if found.features.nnz <= MOST_REMEMBERED:
            self.forget()
            with (
                contextlib.suppress(OSError),
                new_file(path, is_private=True) as file,
            ):  # the disk is full: then it is counted again
                _write(file, found)
        return found

    def forget(self) -> None:
        """Remove what was remembered."""
        with contextlib.suppress(OSError):
            delete_folder(self._folder)


def _name(texts: pa.ChunkedArray, version: str) -> str:
    """Return what names texts: a hash of them and their lengths."""
    digest = hashlib.blake2b(version.encode(), digest_size=16)
    for text in texts.to_pylist():
        content = text.encode()
        digest.update(len(content).to_bytes(8, "big"))
        digest.update(content)
    return digest.hexdigest()


def _write(file: Any, found: Counted) -> None:
    features = found.features
    parts = {"data": features.data, "indices": features.indices, "indptr": features.indptr}
    np.savez(file, slots=found.known.slots, weights=found.known.weights, shape=np.array(features.shape), **parts)


def _read(path: Path) -> Counted:
    from scipy.sparse import csr_matrix

    with open_file(path) as file, np.load(file, allow_pickle=False) as parts:
        features = csr_matrix((parts["data"], parts["indices"], parts["indptr"]), tuple(parts["shape"].tolist()))
        return Counted(Vocabulary(parts["slots"], parts["weights"]), features)
