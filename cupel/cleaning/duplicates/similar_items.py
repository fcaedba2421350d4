"""Similar items of a project: the signatures of each batch, and the pairs of a batch with itself and earlier ones."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.cleaning.duplicates.candidates import (
    MOST_ITEMS,
    EarlierPiece,
    Flags,
    OwnItems,
    Positions,
    find_candidate_pairs,
    find_earlier_candidates,
    join_candidates,
)
from cupel.cleaning.duplicates.contained_candidates import KeyedItems, choose_key_runs, find_contained_pairs
from cupel.cleaning.duplicates.fingerprints import (
    SKETCH_WORDS,
    Banding,
    Hashes,
    Shingles,
    ShingleShape,
    take_fingerprints,
)
from cupel.cleaning.duplicates.similarity import ComparedPairs, HashSets, find_first_equal, verify_pairs
from cupel.compiled_loops import numba as nb
from cupel.config.cleaning import Cleaning
from cupel.contract.tables.cleaning import SIGNATURES, SIMILAR_ITEMS
from cupel.errors import TableError
from cupel.modalities.text.privacy.tokens import KEYED

# Two texts of Jaccard similarity s share a band with chance 1 - (1 - s^4)^32, .87 at .5.
BANDING = Banding(32, 4)
_COMPARED_BY = ["bands", "sketch", "shingle_count"]
_CONTAINED_BY = ["keys", "sketch", "shingle_count"]


def signatures(signals: pa.Table, batch: str, settings: Cleaning) -> pa.Table:
    """Return what finding duplicates needs of each item; a batch may be taken in pieces.

    A shingle is a run of characters (or words) of the folded text (lower-cased, white space as one space); a shorter
    text is one shingle. Hashes are the same on every machine and in every run.

    Args:
        signals: `item_signals`, any part of them.
        batch: The batch that they are of.
        settings: What a shingle is.

    Returns:
        `signatures`, a row an item, in the same order.

    Source: Broder (1997), On the resemblance and containment of documents; Leskovec, Rajaraman and
    Ullman, Mining of Massive Datasets, chapter 3 (bands).
    """
    # Who is spoken of makes no two texts: only the kind of what was masked counts.
    texts = pc.replace_substring_regex(signals.column("text"), KEYED, r"<\1>")
    runs = choose_key_runs(settings.duplicate_containment)
    found = take_fingerprints(texts, choose_shape(settings), BANDING, keep_shingles=True, runs=runs)
    keys = pa.nulls(signals.num_rows, pa.large_binary())
    if runs.width:
        keys = _bytes(found.keys, np.append(0, np.cumsum(found.key_counts)))
    columns = [
        pa.repeat(batch, signals.num_rows).cast(pa.string()),
        signals.column("item_id"),
        signals.column("text_sha256"),
        pa.array(found.sizes),
        _bytes(found.shingles, np.append(0, np.cumsum(found.sizes))),
        _rows(found.bands),
        _rows(found.sketches.view(np.uint32)),
        _rows(found.numberless.view(np.uint32).reshape(-1, 2)),
        keys,
    ]
    return pa.table(columns, schema=SIGNATURES.schema)


def choose_shape(settings: Cleaning) -> ShingleShape:
    """Return what a project calls a shingle."""
    if settings.shingle_words is not None:
        return ShingleShape(settings.shingle_words, of_words=True, fold_accents=settings.fold_accents)
    return ShingleShape(settings.shingle_characters, fold_accents=settings.fold_accents)


def _rows(values: Shingles) -> pa.LargeBinaryArray:
    count, width = values.shape
    return _bytes(values.ravel(), np.arange(0, count * width + 1, max(width, 1)))


def _bytes(values: Shingles, offsets: NDArray[np.int64]) -> pa.LargeBinaryArray:
    buffers = [None, pa.py_buffer(4 * offsets), pa.py_buffer(np.ascontiguousarray(values, "<u4"))]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)


def _read_matrix(hashes: pa.ChunkedArray, width: int) -> Shingles:
    """Return a column of `width` hashes each, a row an item."""
    return _read_hashes(hashes)[0].reshape(-1, width)


def _read_hashes(hashes: pa.ChunkedArray) -> tuple[Shingles, NDArray[np.int64]]:
    """Return the hashes of a column, one row after the other, and how many each row has."""
    column = hashes.combine_chunks()
    if not len(column):
        return np.empty(0, np.uint32), np.empty(0, np.int64)
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    held = np.frombuffer(column.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    return np.require(held.view("<u4"), requirements="A"), np.diff(offsets) // 4


class BatchSignatures(NamedTuple):
    """The `signatures` of a batch: `pieces(columns)` yields these columns, always the same rows in the same order."""

    batch: str
    pieces: Callable[[Sequence[str]], Iterable[pa.Table]]

    @classmethod
    def of(cls, table: pa.Table, batch: str) -> "BatchSignatures":
        """Return a table that is held in memory, as signatures of a batch."""
        return cls(batch, lambda columns: [table.select(list(columns))])


class ItemPositions:
    """Every item of some batches has a position: its place in the order in which items came.

    Earlier batches stand in the register's order, their items in that of their tables; the items of the
    batch itself come last, in the order of its delivery.

    Args:
        own: Signatures of the batch.
        earlier: Signatures of the batches before it, in the register's order.
        raw: `raw_items` of the batch, any order; of them only item_id, source_file and line are read.
    """

    def __init__(self, own: BatchSignatures, earlier: Sequence[BatchSignatures], raw: pa.Table) -> None:
        self._batches = [*earlier, own]
        texts, self._starts = _read_texts(self._batches)
        self.first_own, self.count = int(self._starts[-2]), int(self._starts[-1])
        own_ids = _read_item_ids(own)
        self._own_position = self.first_own + delivery_ranks(own_ids, raw)
        self._own_ids = own_ids.take(pa.array(np.argsort(self._own_position)))
        texts[self._own_position] = texts[self.first_own :].copy()
        # The first position of the same text: equal for equal texts.
        self.firsts: Positions = find_first_equal(texts)

    def iterate_earlier(
        self, columns: Sequence[str], wanted: NDArray[np.bool_] | None = None
    ) -> Iterator[tuple[Positions, pa.Table]]:
        """Yield these columns of the earlier batches' signatures, in pieces, and the positions of their rows.

        Batches in which no position is wanted are not read.
        """
        for signed, start, end in zip(self._batches[:-1], self._starts[:-1], self._starts[1:], strict=False):
            if wanted is None or wanted[start:end].any():
                for rows, piece in _number_rows(signed.pieces(columns)):
                    yield start + rows, piece

    def iterate_own(self, columns: Sequence[str]) -> Iterator[tuple[Positions, pa.Table]]:
        """Yield these columns of the batch's own signatures, in pieces, and the positions of their rows."""
        for rows, piece in _number_rows(self._batches[-1].pieces(columns)):
            yield self._own_position[rows], piece

    def find_names(self, positions: Positions) -> tuple[pa.Array, pa.Array]:
        """Return batch and item id at each position."""
        wanted, inverse = np.unique(positions, return_inverse=True)
        number = np.searchsorted(self._starts, wanted, side="right") - 1
        batches = pa.array([signed.batch for signed in self._batches], pa.string()).take(pa.array(number))
        ids = [pa.array([], pa.string())]
        for place, signed in enumerate(self._batches[:-1]):
            rows = wanted[number == place] - self._starts[place]
            if len(rows):
                ids.append(_read_item_ids(signed).take(pa.array(rows)))
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


def _number_rows(pieces: Iterable[pa.Table]) -> Iterator[tuple[Positions, pa.Table]]:
    """Yield pieces of a table with the numbers of their rows; the first is 0."""
    first = 0
    for piece in pieces:
        yield np.arange(first, first + piece.num_rows), piece
        first += piece.num_rows


def _read_item_ids(signed: BatchSignatures) -> pa.Array:
    chunks = [chunk for piece in signed.pieces(["item_id"]) for chunk in piece.column(0).chunks]
    return pa.concat_arrays([pa.array([], pa.string()), *chunks])


def _read_texts(batches: Sequence[BatchSignatures]) -> tuple[Hashes, Positions]:
    """Return the first 16 bytes of each text's hash, as two numbers a row; and the first row of each batch."""
    halves, starts = [np.empty((0, 2), np.uint64)], [0]
    for signed in batches:
        count = starts[-1]
        for piece in signed.pieces(["text_sha256"]):
            digests = piece.column(0).cast(pa.large_binary()).combine_chunks()
            first = int(np.frombuffer(digests.buffers()[1], np.int64)[digests.offset]) if len(digests) else 0
            halves.append(_parse_halves(np.frombuffer(digests.buffers()[2] or b"", np.uint8)[first:], len(digests)))
            count += piece.num_rows
        starts.append(count)
    return np.concatenate(halves), np.array(starts)


@nb.njit(nogil=True, cache=True)
def _parse_halves(digits: NDArray[np.uint8], count: int) -> Hashes:
    """Return the first 32 of each 64 hexadecimal digits as two numbers."""
    halves = np.zeros((count, 2), np.uint64)
    for row in range(count):
        for place in range(32):
            digit = digits[row * 64 + place]
            value = digit - 48 if digit < 58 else digit - 87
            halves[row, place >> 4] = (halves[row, place >> 4] << np.uint64(4)) | np.uint64(value)
    return halves


class SimilarItems(NamedTuple):
    """What the search found, and how far it went.

    `pairs` is `similar_items`. `compared` counts candidate pairs that were held against each other.
    `not_compared` bounds the pairs that share a band only because very many texts do, and were left out:
    0 is certain to be complete, otherwise pairs that share no smaller band may be missing.
    """

    pairs: pa.Table
    compared: int
    not_compared: int


def similar_items(
    own: BatchSignatures, earlier: Sequence[BatchSignatures], raw: pa.Table, settings: Cleaning
) -> SimilarItems:
    """Find the items of a batch that resemble earlier ones, in the batch or in batches before.

    Texts that are equal (`text_sha256`) are compared once: every later one points to the first with
    similarity 1, and only the first of the batch points to others. `cupel.cleaning.decide` knows.
    Signatures are read in pieces. Of earlier items those that share a band are held, and shingles are read of those
    only that their sketches do not rule out.

    Args:
        own: `signatures` of the batch.
        earlier: `signatures` of the batches before it, in the register's order.
        raw: `raw_items` of the batch, any order; of them only item_id, source_file and line are read.
        settings: The least similarity that is kept, group_similarity, and the least containment.

    Returns:
        Pairs from a later item of the batch to an earlier item, and how complete they are.

    Raises:
        TableError: There are more than 2,147,483,647 items.
    """
    items = ItemPositions(own, earlier, raw)
    if items.count > MOST_ITEMS:
        raise TableError(f"table signatures: {items.count} items in all batches; at most {MOST_ITEMS} can be compared")
    everywhere = np.arange(items.count)
    # An own text is compared even if an earlier batch has it: its copy there may have been rejected.
    is_compared = items.firsts == everywhere
    own_firsts = np.unique(items.firsts[items.first_own :], return_index=True)[1]
    is_compared[items.first_own :] = False
    is_compared[items.first_own + own_firsts] = True
    batch = _read_own(items, is_compared)
    before = find_earlier_candidates(batch.bands[batch.takes_part], _read_earlier(items, is_compared))
    found = find_candidate_pairs(batch, before, items.firsts, settings.group_similarity)
    sizes = np.zeros(items.count, np.int64)
    sizes[items.first_own :], sizes[before.there] = batch.sizes, before.sizes
    del batch, before
    least = settings.duplicate_containment
    if least is not None:
        own_items, earlier_items = _read_keyed(items, is_compared)
        for keyed in (own_items, earlier_items):
            sizes[keyed.positions] = keyed.sizes
        found = join_candidates(found, find_contained_pairs(own_items, earlier_items, items.firsts, least))
        del own_items, earlier_items
    shares = verify_pairs(
        found.later, found.earlier, sizes, lambda used: _read_sets(items, used), settings.group_similarity,
        least_contained=least,
    )  # fmt: skip
    chosen = np.flatnonzero(shares.containment)
    later, before_it = found.later[chosen], found.earlier[chosen]
    alike = _AlikePairs(
        later, before_it, shares.choose(chosen), sizes[later] > sizes[before_it],
        _find_other_digits(items, later, before_it),
    )  # fmt: skip
    copies = items.first_own + np.flatnonzero((items.firsts != everywhere)[items.first_own :])
    return SimilarItems(_pairs_table(items, alike, copies), found.compared, found.not_compared)


class _AlikePairs(NamedTuple):
    """Positions of pairs of different texts, what they share, and how they differ."""

    later: Positions
    earlier: Positions
    shares: ComparedPairs
    is_longer: Flags
    differs_in_digits: Flags


def _read_keyed(items: ItemPositions, is_compared: Flags) -> tuple[KeyedItems, KeyedItems]:
    """Return the batch's own items with their keys, and the earlier ones that share a key with one."""
    nothing = KeyedItems.of_none()
    own = KeyedItems.join([nothing, *(
        _read_keys(positions, piece, is_compared) for positions, piece in items.iterate_own(_CONTAINED_BY)
    )]).sort()  # fmt: skip
    keys = np.unique(own.keys)
    earlier = KeyedItems.join([nothing, *(
        _read_keys(positions, piece, is_compared).choose_sharing(keys)
        for positions, piece in items.iterate_earlier(_CONTAINED_BY)
    )])  # fmt: skip
    return own, earlier


def _read_keys(positions: Positions, piece: pa.Table, is_compared: Flags) -> KeyedItems:
    takes_part = is_compared[positions]
    piece = piece.filter(pa.array(takes_part))
    keys, counts = _read_hashes(piece.column("keys"))
    sketches = _read_matrix(piece.column("sketch"), 2 * SKETCH_WORDS).view(np.uint64)
    sizes = np.asarray(piece.column("shingle_count").to_numpy(), np.int64)
    return KeyedItems(positions[takes_part], keys, counts, sketches, sizes)


def _find_other_digits(items: ItemPositions, later: Positions, earlier: Positions) -> Flags:
    """Tell which pairs of different texts are the same but for their numbers."""
    hashes = np.zeros((items.count, 2), np.uint32)
    is_wanted = np.zeros(items.count, np.bool_)
    is_wanted[later], is_wanted[earlier] = True, True
    read = (items.iterate_earlier(["numberless"], is_wanted), items.iterate_own(["numberless"]))
    for positions, piece in chain(*read):
        hashes[positions] = _read_matrix(piece.column("numberless"), 2)
    return np.asarray((hashes[later] == hashes[earlier]).all(axis=1))


def _read_own(items: ItemPositions, is_compared: Flags) -> OwnItems:
    """Return the batch's own items by position."""
    count = items.count - items.first_own
    bands, sketches = np.zeros((count, BANDING.bands), np.uint32), np.zeros((count, SKETCH_WORDS), np.uint64)
    sizes = np.zeros(count, np.int64)
    for positions, piece in items.iterate_own(_COMPARED_BY):
        found, places = _read_piece(positions, piece), positions - items.first_own
        bands[places], sketches[places], sizes[places] = found.bands, found.sketches, found.sizes
    return OwnItems(bands, sketches, sizes, is_compared[items.first_own :])


def _read_earlier(items: ItemPositions, is_compared: Flags) -> Iterator[EarlierPiece]:
    """Yield the earlier items that take part; of equal texts one does."""
    for positions, piece in items.iterate_earlier(_COMPARED_BY):
        yield _read_piece(positions, piece).choose(is_compared[positions])


def _read_piece(positions: Positions, piece: pa.Table) -> EarlierPiece:
    return EarlierPiece(
        positions,
        _read_matrix(piece.column("bands"), BANDING.bands),
        _read_matrix(piece.column("sketch"), 2 * SKETCH_WORDS).view(np.uint64),
        piece.column("shingle_count").to_numpy(),
    )


def _read_sets(items: ItemPositions, used: Positions) -> HashSets:
    """Read the shingles of the items at these positions, which ascend."""
    is_wanted = np.zeros(items.count, np.bool_)
    is_wanted[used] = True
    places, lists = [], []
    for positions, piece in chain(items.iterate_earlier(["shingles"], is_wanted), items.iterate_own(["shingles"])):
        there = is_wanted[positions]
        if there.any():
            places.append(positions[there])
            lists += piece.column(0).filter(pa.array(there)).chunks
    order = np.argsort(np.concatenate(places))
    ordered = pa.chunked_array(lists).take(pa.array(order))
    return HashSets(*_read_hashes(ordered))


def _pairs_table(items: ItemPositions, alike: _AlikePairs, copies: Positions) -> pa.Table:
    """Return `similar_items` of pairs and of copies of earlier texts, in the order of their positions."""
    later = np.concatenate([copies, alike.later])
    earlier = np.concatenate([items.firsts[copies], alike.earlier])
    order = np.lexsort((earlier, later))
    shares = (np.concatenate([np.ones(len(copies)), share])[order] for share in alike.shares)
    flags = (
        np.concatenate([np.zeros(len(copies), np.bool_), flag])[order]
        for flag in (alike.is_longer, alike.differs_in_digits)
    )
    _, item_ids = items.find_names(later[order])
    batches, earlier_ids = items.find_names(earlier[order])
    columns = [item_ids, batches, earlier_ids, *map(pa.array, shares), *map(pa.array, flags)]
    return pa.table(columns, schema=SIMILAR_ITEMS.schema)
