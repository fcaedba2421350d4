"""The model's file: what each run of letters adds to a text's place, and where each language lies."""

import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.errors import CheckerError
from cupel.store.files import open_file

SHIPPED = Path(__file__).with_name("model.npz")


class Model(NamedTuple):
    """What `identify` reads.

    Attributes:
        rows: int8, shape (2^k, dimensions): what a run of letters adds.
        weights: float32, shape (dimensions, languages): how a place speaks for each language; the scale of
            `rows` is in it.
        biases: float32, shape (languages,).
        languages: Labels, language_Script, in the order of the weights.
    """

    rows: NDArray[np.int8]
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    languages: tuple[str, ...]

    @property
    def shift(self) -> np.uint64:
        """64 less the bits of a row's number."""
        return np.uint64(64 - len(self.rows).bit_length() + 1)


@cache
def load(path: Path = SHIPPED) -> Model:
    """Return a model.

    Raises:
        CheckerError: There is no file, or it is no model.
    """
    try:
        with open_file(path) as file, np.load(file, allow_pickle=False) as parts:
            model = Model(parts["rows"], parts["weights"], parts["biases"], tuple(parts["languages"].tolist()))
    except (OSError, KeyError, ValueError) as error:
        raise CheckerError(f"{path}: no model of languages ({error}); benchmarks.train_languages makes one") from error
    size, dimensions = model.rows.shape
    if size & (size - 1) or model.weights.shape != (dimensions, len(model.languages)):
        raise CheckerError(f"{path}: the shapes of the model do not fit; benchmarks.train_languages makes a new one")
    return model


def content(model: Model) -> bytes:
    """Return the bytes of a model's file: the same model, the same bytes."""
    file = io.BytesIO()
    np.savez_compressed(
        file, rows=model.rows, weights=model.weights, biases=model.biases, languages=np.array(model.languages)
    )
    return file.getvalue()
