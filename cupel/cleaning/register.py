"""The signatures of a batch and of those before it as one row of positions, read in pieces as often as needed."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.cleaning.jaccard import Positions
from cupel.cleaning.scan.decoding import mix
from cupel.cleaning.shingles import Hashes
from cupel.loops import numba as nb


class Signed(NamedTuple):
    """The `signatures` of a batch: `pieces(columns)` yields these columns, always the same rows in the same order."""

    batch: str
    pieces: Callable[[Sequence[str]], Iterable[pa.Table]]

    @classmethod
    def of(cls, table: pa.Table, batch: str) -> "Signed":
        """Return a table that is held in memory, as signatures of a batch."""
        return cls(batch, lambda columns: [table.select(list(columns))])


class Register:
    """Every item of some batches has a position: its place in the order in which items came.

    Earlier batches stand in the register's order, their items in that of their tables; the items of the
    batch itself come last, in the order of its delivery.

    Args:
        own: Signatures of the batch.
        earlier: Signatures of the batches before it, in the register's order.
        raw: `raw_items` of the batch, any order; of them only item_id, source_file and line are read.
    """

    def __init__(self, own: Signed, earlier: Sequence[Signed], raw: pa.Table) -> None:
        self._batches = [*earlier, own]
        texts, self._starts = _texts(self._batches)
        self.first_own, self.count = int(self._starts[-2]), int(self._starts[-1])
        own_ids = _item_ids(own)
        self._own_position = self.first_own + delivery_ranks(own_ids, raw)
        self._own_ids = own_ids.take(pa.array(np.argsort(self._own_position)))
        texts[self._own_position] = texts[self.first_own :].copy()
        # The first position of the same text: equal for equal texts.
        self.firsts: Positions = first_equal(texts)

    def earlier(
        self, columns: Sequence[str], wanted: NDArray[np.bool_] | None = None
    ) -> Iterator[tuple[Positions, pa.Table]]:
        """Yield these columns of the earlier batches' signatures, in pieces, and the positions of their rows.

        Batches in which no position is wanted are not read.
        """
        for signed, start, end in zip(self._batches[:-1], self._starts[:-1], self._starts[1:], strict=False):
            if wanted is None or wanted[start:end].any():
                for rows, piece in _numbered(signed.pieces(columns)):
                    yield start + rows, piece

    def own(self, columns: Sequence[str]) -> Iterator[tuple[Positions, pa.Table]]:
        """Yield these columns of the batch's own signatures, in pieces, and the positions of their rows."""
        for rows, piece in _numbered(self._batches[-1].pieces(columns)):
            yield self._own_position[rows], piece

    def names(self, positions: Positions) -> tuple[pa.Array, pa.Array]:
        """Return batch and item id at each position."""
        wanted, inverse = np.unique(positions, return_inverse=True)
        number = np.searchsorted(self._starts, wanted, side="right") - 1
        batches = pa.array([signed.batch for signed in self._batches], pa.string()).take(pa.array(number))
        ids = [pa.array([], pa.string())]
        for place, signed in enumerate(self._batches[:-1]):
            rows = wanted[number == place] - self._starts[place]
            if len(rows):
                ids.append(_item_ids(signed).take(pa.array(rows)))
        ids.append(self._own_ids.take(pa.array(wanted[wanted >= self.first_own] - self.first_own)))
        order = pa.array(inverse)
        return batches.take(order), pa.concat_arrays(ids).take(order)


def delivery_ranks(item_ids: pa.Array | pa.ChunkedArray, raw: pa.Table) -> Positions:
    """Return the place of each of a batch's items in the order of the delivery: by file and line; the first is 0.

    Args:
        item_ids: Ids of the batch, any order.
        raw: `raw_items` of the batch, any order.
    """
    ordered = raw.select(["item_id", "source_file", "line"]).sort_by(
        [("source_file", "ascending"), ("line", "ascending")]
    )
    ranks = pc.index_in(item_ids, ordered.column("item_id").combine_chunks())
    return np.asarray(ranks.to_numpy(zero_copy_only=False), np.int64)


def _numbered(pieces: Iterable[pa.Table]) -> Iterator[tuple[Positions, pa.Table]]:
    """Yield pieces of a table with the numbers of their rows; the first is 0."""
    first = 0
    for piece in pieces:
        yield np.arange(first, first + piece.num_rows), piece
        first += piece.num_rows


def _item_ids(signed: Signed) -> pa.Array:
    chunks = [chunk for piece in signed.pieces(["item_id"]) for chunk in piece.column(0).chunks]
    return pa.concat_arrays([pa.array([], pa.string()), *chunks])


def _texts(batches: Sequence[Signed]) -> tuple[Hashes, Positions]:
    """Return the first 16 bytes of each text's hash, as two numbers a row; and the first row of each batch."""
    halves, starts = [np.empty((0, 2), np.uint64)], [0]
    for signed in batches:
        count = starts[-1]
        for piece in signed.pieces(["text_sha256"]):
            digests = piece.column(0).cast(pa.large_binary()).combine_chunks()
            first = int(np.frombuffer(digests.buffers()[1], np.int64)[digests.offset]) if len(digests) else 0
            halves.append(_halves(np.frombuffer(digests.buffers()[2] or b"", np.uint8)[first:], len(digests)))
            count += piece.num_rows
        starts.append(count)
    return np.concatenate(halves), np.array(starts)


@nb.njit(nogil=True, cache=True)
def _halves(digits: NDArray[np.uint8], count: int) -> Hashes:
    """Return the first 32 of each 64 hexadecimal digits as two numbers."""
    halves = np.zeros((count, 2), np.uint64)
    for row in range(count):
        for place in range(32):
            digit = digits[row * 64 + place]
            value = digit - 48 if digit < 58 else digit - 87
            halves[row, place >> 4] = (halves[row, place >> 4] << np.uint64(4)) | np.uint64(value)
    return halves


@nb.njit(nogil=True, cache=True)
def first_equal(texts: Hashes) -> Positions:
    """Return, for each row, the first row that equals it.

    >>> first_equal(np.array([[1, 2], [1, 3], [1, 2]], np.uint64)).tolist()
    [0, 1, 0]
    """
    room = 16
    while room < 2 * len(texts):
        room *= 2
    table = np.full(room, -1, np.int64)
    firsts = np.empty(len(texts), np.int64)
    for row in range(len(texts)):
        slot = np.int64(mix(texts[row, 0] ^ texts[row, 1])) & (room - 1)
        while table[slot] >= 0:
            other = table[slot]
            if texts[other, 0] == texts[row, 0] and texts[other, 1] == texts[row, 1]:
                break
            slot = (slot + 1) & (room - 1)
        if table[slot] < 0:
            table[slot] = row
        firsts[row] = table[slot]
    return firsts
