"""How the model is trained: a linear classifier over summed rows, one text at a time, the same bytes each time."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.compiled_loops import numba as nb
from cupel.modalities.text.languages.alphabets import Flags, alphabet_codes, find_writings, written_in
from cupel.modalities.text.languages.grams import MOST_LETTERS, MOST_ROWS, Rows, gram_rows, read_letters
from cupel.modalities.text.languages.letters import SPACE, folded
from cupel.modalities.text.languages.model import Model, uses_of
from cupel.modalities.text.scan.decoding import Bytes, Codes, decode

Reals = NDArray[np.float32]
# Rows hold whole numbers from -LARGEST to LARGEST: coarser ones make a smaller file of the same use.
LARGEST = 11


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

    bits: int = 19
    dimensions: int = 40
    visits: int = 1_000_000
    rate: float = 0.3
    whole_share: float = 0.4
    left_out_share: float = 0.4
    balance: float = 0.5
    seed: int = 1895


def train(
    texts: pa.Array, languages: list[str], settings: Settings, weights_of: Sequence[float] | None = None
) -> Model:
    """Return a model of the languages of some texts.

    Args:
        texts: Strings, none null.
        languages: The label of each, language_Script.
        settings: How.
        weights_of: How much each counts as; None: all alike.
    """
    ways = {name: " ".join(sorted(own)) for name, own in written_in(texts.to_pylist(), languages).items()}
    known = sorted(ways, key=lambda name: (ways[name], name))
    alphabets, starts = np.unique([ways[name] for name in known], return_index=True)
    place = {name: number for number, name in enumerate(known)}
    coded = np.array([place[name] for name in languages])
    rng = np.random.default_rng(settings.seed)
    counts = np.ones(len(coded)) if weights_of is None else np.asarray(weights_of, np.float64)
    chance = counts * np.bincount(coded, counts)[coded] ** (settings.balance - 1.0)
    drawn = rng.choice(len(coded), settings.visits, p=chance / chance.sum())
    column = texts.cast(pa.large_binary())
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    data = np.frombuffer(column.buffers()[2], np.uint8)
    # What is never shown stays 0: it adds nothing to a text, and takes no room in the file.
    rows: Reals = np.zeros((1 << settings.bits, settings.dimensions), np.float32)
    weights: Reals = rng.uniform(-1, 1, (settings.dimensions, len(known))).astype(np.float32)
    biases = np.zeros(len(known), np.float32)
    ends = np.append(starts, len(known)).astype(np.int32)
    _descend(
        data, offsets, coded, drawn, folded(), np.uint64(64 - settings.bits), rows, weights, biases,
        settings.rate, settings.whole_share, settings.left_out_share, settings.seed, alphabet_codes(),
        uses_of(tuple(alphabets.tolist())), ends,
    )  # fmt: skip
    return _whole_numbers(Model(rows, weights, biases, tuple(known), ends, tuple(alphabets.tolist())))


def _whole_numbers(model: Model) -> Model:
    """Return the model with its rows as int8; the few largest are cut to what fits."""
    rows = model.rows
    largest = np.abs(rows[:: max(1, len(rows) // 65536)])
    scale = np.quantile(largest[largest > 0], 0.9999) / LARGEST
    small = np.clip(np.rint(rows / scale), -LARGEST, LARGEST).astype(np.int8)
    return model._replace(rows=small, weights=(model.weights * scale).astype(np.float32))


@nb.njit(nogil=True, cache=True)
def _descend(
    data: Bytes, offsets: NDArray[np.int64], coded: NDArray[np.int64], drawn: NDArray[np.int64], table: Codes,
    shift: np.uint64, rows: Reals, weights: Reals, biases: Reals, first_rate: float, whole_share: float,
    left_out_share: float, seed: int, alphabets: NDArray[np.int16], uses: Flags, starts: NDArray[np.int32],
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
    covered = np.empty(len(uses), np.int32)
    for visit in range(len(drawn)):
        text = drawn[visit]
        count = decode(data, offsets[text], min(offsets[text + 1], offsets[text] + (1 << 16)), codes)
        size, _ = read_letters(codes, count, table, letters)
        first, behind = 0, size
        if np.random.random() > whole_share:
            first, behind = _piece(letters, size)
        count = _left(shown, gram_rows(letters, first, behind, shift, shown), left_out_share)
        least = find_writings(letters[first:behind], behind - first, alphabets, uses, covered)
        if count == 0 or least == 0:
            continue
        begin, end = _span(covered, least, starts)
        truth = coded[text]
        if not begin <= truth < end:
            continue  # a foreign name alone
        rate = np.float32(first_rate * (1 - visit / len(drawn)))
        _show(shown, count, begin, end, rows, weights, biases, place, odds)
        odds[truth] -= np.float32(1)
        _learn(shown, count, begin, end, rate, rows, weights, biases, row_squares, weight_squares, place, back, odds)


@nb.njit(nogil=True, cache=True)
def _piece(letters: Codes, size: int) -> tuple[int, int]:
    """Draw a piece of 8 to 70 letters, widened to whole words where one ends near."""
    length = np.random.randint(8, 70)
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
def _span(covered: Codes, least: int, starts: NDArray[np.int32]) -> tuple[int, int]:
    """Return the first of the languages in question, and the one behind the last."""
    begin, end = -1, 0
    for way in range(len(covered)):
        if covered[way] >= least:
            begin = starts[way] if begin < 0 else begin
            end = starts[way + 1]
    return begin, end


@nb.njit(nogil=True, cache=True)
def _show(
    shown: Rows, count: int, begin: int, end: int, rows: Reals, weights: Reals, biases: Reals, place: Reals, odds: Reals
) -> None:
    """Write a text's place, and the probability of each of the languages [begin, end)."""
    dimensions = weights.shape[0]
    place[:] = 0
    for number in range(count):
        row = rows[shown[number]]
        for axis in range(dimensions):
            place[axis] += row[axis]
    place *= np.float32(1 / np.sqrt(count))
    odds[begin:end] = biases[begin:end]
    for axis in range(dimensions):
        for label in range(begin, end):
            odds[label] += place[axis] * weights[axis, label]
    most, total = odds[begin:end].max(), np.float32(0)
    for label in range(begin, end):
        odds[label] = np.exp(odds[label] - most)
        total += odds[label]
    odds[begin:end] /= total


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
    shown: Rows, count: int, begin: int, end: int, rate: np.float32, rows: Reals, weights: Reals, biases: Reals,
    row_squares: Reals, weight_squares: Reals, place: Reals, back: Reals, odds: Reals,
) -> None:  # fmt: skip
    """Take one step down the slope; `odds` holds probability less truth."""
    dimensions = weights.shape[0]
    for axis in range(dimensions):
        back[axis] = _product(odds[begin:end], weights[axis][begin:end])
        for label in range(begin, end):
            slope = odds[label] * place[axis]
            weight_squares[axis, label] += slope * slope
            weights[axis, label] -= rate * slope / np.sqrt(weight_squares[axis, label])
    for label in range(begin, end):
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
