"""The model's file: what each run of letters adds to a text's place, and where each language lies."""

import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cupel.errors import CheckerError
from cupel.modalities.text.languages.alphabets import Flags, alphabet_names
from cupel.store.files import open_file

SHIPPED = Path(__file__).with_name("model.npz")


class Model(NamedTuple):
    """What `identify` reads.

    Attributes:
        rows: int8, shape (2^k, dimensions): what a run of letters adds.
        weights: float32, shape (dimensions, languages): how a place speaks for each language; the scale of
            `rows` is in it.
        biases: float32, shape (languages,).
        languages: Labels, language_Script, in the order of the weights: those written alike side by side.
        starts: int32, shape (ways of writing + 1,): where the languages of each begin, and the end.
        alphabets: For each way of writing the alphabets that it uses, as `alphabet_names` has them, with a space
            between.
    """

    rows: NDArray[np.int8]
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    languages: tuple[str, ...]
    starts: NDArray[np.int32]
    alphabets: tuple[str, ...]

    @property
    def shift(self) -> np.uint64:
        """64 less the bits of a row's number."""
        return np.uint64(64 - len(self.rows).bit_length() + 1)

    @property
    def uses(self) -> Flags:
        """Shape (ways of writing, alphabets of Unicode): which alphabets each uses."""
        return uses_of(self.alphabets)


def uses_of(alphabets: tuple[str, ...]) -> Flags:
    """Return which of all alphabets each way of writing uses, its names with a space between."""
    names = alphabet_names()
    return np.array([[name in way.split() for name in names] for way in alphabets], np.bool_)


@cache
def load(path: Path = SHIPPED) -> Model:
    """Return a model.

    Raises:
        CheckerError: There is no file, or it is no model.
    """
    try:
        with open_file(path) as file, np.load(file, allow_pickle=False) as parts:
            model = Model(
                parts["rows"], parts["weights"], parts["biases"], tuple(parts["languages"].tolist()),
                parts["starts"], tuple(parts["alphabets"].tolist()),
            )  # fmt: skip
    except (OSError, KeyError, ValueError) as error:
        raise CheckerError(f"{path}: no model of languages ({error}); benchmarks.train_languages makes one") from error
    size, dimensions = model.rows.shape
    is_whole = model.weights.shape == (dimensions, len(model.languages)) and model.starts[-1] == len(model.languages)
    if size & (size - 1) or not is_whole or len(model.starts) != len(model.alphabets) + 1:
        raise CheckerError(f"{path}: the shapes of the model do not fit; benchmarks.train_languages makes a new one")
    return model


def content(model: Model) -> bytes:
    """Return the bytes of a model's file: the same model, the same bytes."""
    file = io.BytesIO()
    np.savez_compressed(
        file, rows=model.rows, weights=model.weights, biases=model.biases, languages=np.array(model.languages),
        starts=model.starts, alphabets=np.array(model.alphabets),
    )  # fmt: skip
    return file.getvalue()
