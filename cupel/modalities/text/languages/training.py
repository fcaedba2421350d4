"""How the model is trained: a linear classifier over summed rows, one text at a time, the same bytes each time."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.languages.grams import MOST_LETTERS, MOST_ROWS, Rows, gram_rows, read_letters
from cupel.modalities.text.languages.letters import SPACE, folded
from cupel.modalities.text.languages.model import Model
from cupel.modalities.text.scan.decoding import Bytes, Codes, decode

Reals = NDArray[np.float32]


class Settings(NamedTuple):
    """How to train.

    Attributes:
        bits: The model has 2^bits rows.
        dimensions: Numbers a row.
        visits: How many texts are shown, in all.
        rate: First step of the descent (Adagrad, one scale a row), falling to 0.
        whole_share: Share of visits that show the whole text; the others a piece of it.
        left_out_share: Share of a text's rows that a visit does not show.
        balance: Languages are visited in proportion to their texts to this power: 1 as they are, 0 equally.
        seed: Of all that is drawn.
    """

    bits: int = 18
    dimensions: int = 40
    visits: int = 700_000
    rate: float = 0.3
    whole_share: float = 0.4
    left_out_share: float = 0.3
    balance: float = 0.6
    seed: int = 1895


def train(texts: pa.Array, languages: list[str], settings: Settings) -> Model:
    """Return a model of the languages of some texts.

    Args:
        texts: Strings, none null.
        languages: The label of each, language_Script.
        settings: How.
    """
    known, coded = np.unique(np.array(languages), return_inverse=True)
    rng = np.random.default_rng(settings.seed)
    chance = np.bincount(coded)[coded] ** (settings.balance - 1.0)
    drawn = rng.choice(len(coded), settings.visits, p=chance / chance.sum())
    column = texts.cast(pa.large_binary())
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    data = np.frombuffer(column.buffers()[2], np.uint8)
    drawn_rows = rng.uniform(-1, 1, (1 << settings.bits, settings.dimensions)) / settings.dimensions
    rows: Reals = drawn_rows.astype(np.float32)
    weights = np.zeros((settings.dimensions, len(known)), np.float32)
    biases = np.zeros(len(known), np.float32)
    _descend(
        data, offsets, coded.astype(np.int64), drawn, folded(), np.uint64(64 - settings.bits), rows, weights, biases,
        settings.rate, settings.whole_share, settings.left_out_share, settings.seed,
    )  # fmt: skip
    return _whole_numbers(rows, weights, biases, tuple(known.tolist()))


def _whole_numbers(rows: Reals, weights: Reals, biases: Reals, languages: tuple[str, ...]) -> Model:
    """Return the model with its rows as int8; the few largest are cut to what fits."""
    scale = np.quantile(np.abs(rows[:: max(1, len(rows) // 65536)]), 0.9999) / 127
    small = np.clip(np.rint(rows / scale), -127, 127).astype(np.int8)
    return Model(small, (weights * scale).astype(np.float32), biases, languages)


@nb.njit(nogil=True, cache=True)
def _descend(
    data: Bytes, offsets: NDArray[np.int64], coded: NDArray[np.int64], drawn: NDArray[np.int64], table: Codes,
    shift: np.uint64, rows: Reals, weights: Reals, biases: Reals, first_rate: float, whole_share: float,
    left_out_share: float, seed: int,
) -> None:  # fmt: skip
    """Show the texts that were drawn, in that order, and change rows, weights and biases in place."""
    np.random.seed(seed)
    dimensions, classes = weights.shape
    row_squares = np.full(len(rows), 1e-6, np.float32)
    weight_squares = np.full((dimensions, classes), 1e-4, np.float32)
    codes, letters = np.empty(1 << 16, np.int32), np.empty(MOST_LETTERS, np.int32)
    shown = np.empty(MOST_ROWS, np.int32)
    place, back, odds = (
        np.empty(dimensions, np.float32),
        np.empty(dimensions, np.float32),
        np.empty(classes, np.float32),
    )
    for visit in range(len(drawn)):
        text = drawn[visit]
        count = decode(data, offsets[text], min(offsets[text + 1], offsets[text] + (1 << 16)), codes)
        size = read_letters(codes, count, table, letters)
        first, behind = 0, size
        if np.random.random() > whole_share:
            first, behind = _piece(letters, size)
        count = _left(shown, gram_rows(letters, first, behind, shift, shown), left_out_share)
        if count == 0:
            continue
        rate = np.float32(first_rate * (1 - visit / len(drawn)))
        _show(shown, count, rows, weights, biases, place, odds)
        odds[coded[text]] -= np.float32(1)
        _learn(shown, count, rate, rows, weights, biases, row_squares, weight_squares, place, back, odds)


@nb.njit(nogil=True, cache=True)
def _piece(letters: Codes, size: int) -> tuple[int, int]:
    """Draw a piece of 10 to 80 letters, widened to whole words where one ends near."""
    length = np.random.randint(10, 80)
    if size <= length:
        return 0, size
    first = np.random.randint(0, size - length)
    behind = first + length
    for _ in range(12):
        if first > 0 and letters[first] != SPACE:
            first -= 1
        if behind < size and letters[behind - 1] != SPACE:
            behind += 1
    return first, behind


@nb.njit(nogil=True, cache=True)
def _left(shown: Rows, count: int, left_out_share: float) -> int:
    """Leave some rows out at random; return how many are left."""
    left = 0
    for number in range(count):
        if np.random.random() >= left_out_share:
            shown[left] = shown[number]
            left += 1
    return left


@nb.njit(nogil=True, cache=True)
def _show(shown: Rows, count: int, rows: Reals, weights: Reals, biases: Reals, place: Reals, odds: Reals) -> None:
    """Write a text's place, and the probability of each language."""
    dimensions, classes = weights.shape
    place[:] = 0
    for number in range(count):
        row = rows[shown[number]]
        for axis in range(dimensions):
            place[axis] += row[axis]
    place *= np.float32(1 / np.sqrt(count))
    odds[:] = biases
    for axis in range(dimensions):
        for label in range(classes):
            odds[label] += place[axis] * weights[axis, label]
    most, total = odds.max(), np.float32(0)
    for label in range(classes):
        odds[label] = np.exp(odds[label] - most)
        total += odds[label]
    odds /= total


@nb.njit(nogil=True, cache=True, fastmath=True)
def _product(one: Reals, other: Reals) -> np.float32:
    """Return the sum of products, in whichever order is fast."""
    total = np.float32(0)
    for place in range(len(one)):
        total += one[place] * other[place]
    return total


# Without a check of each division for zero, the loop over languages is done eight at a time; none divides by zero.
@nb.njit(nogil=True, cache=True, error_model="numpy")
def _learn(
    shown: Rows, count: int, rate: np.float32, rows: Reals, weights: Reals, biases: Reals, row_squares: Reals,
    weight_squares: Reals, place: Reals, back: Reals, odds: Reals,
) -> None:  # fmt: skip
    """Take one step down the slope; `odds` holds probability less truth."""
    dimensions, classes = weights.shape
    for axis in range(dimensions):
        back[axis] = _product(odds, weights[axis])
        for label in range(classes):
            slope = odds[label] * place[axis]
            weight_squares[axis, label] += slope * slope
            weights[axis, label] -= rate * slope / np.sqrt(weight_squares[axis, label])
    for label in range(classes):
        biases[label] -= np.float32(0.01) * rate * odds[label]
    back *= np.float32(1 / np.sqrt(count))
    square = np.float32(0)
    for axis in range(dimensions):
        square += back[axis] * back[axis]
    square /= np.float32(dimensions)
    for number in range(count):
        at = shown[number]
        row_squares[at] += square
        step = rate / np.sqrt(row_squares[at])
        for axis in range(dimensions):
            rows[at, axis] -= step * back[axis]
