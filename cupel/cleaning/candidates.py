"""Bands to candidates: which earlier items an item is compared with, because they share a band."""

from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.cleaning.jaccard import Positions
from cupel.cleaning.register import Register

# In a band, an item is compared with so many of the first texts and of the last before it: with all of them, as long
# as no more than twice as many precede it.
COMPARED_AT_EACH_END = 32
# Of its candidates an item is compared with so many that are the earliest (of a crowd of duplicates the one that is
# kept is among them), and with so many others that share most bands with it.
COMPARED_OF_EACH_KIND = 50
# Items whose candidates are looked for at once, so that memory is bounded whatever the texts.
ITEMS_AT_ONCE = 4_096
ROWS_SORTED_AT_ONCE = 1 << 20

# Bands are marked by their first bits, in a table of at most so many slots.
_MOST_SLOT_BITS = 27
_ROW = pa.schema([("band", pa.uint64()), ("position", pa.int64())])

Hashes = NDArray[np.uint64]
Flags = NDArray[np.bool_]


class Candidates(NamedTuple):
    """Who is to be compared with whom, before the number of comparisons is bounded.

    `members` holds, band by band, the positions that share it, ascending; of earlier batches' items only those at
    both ends. Ask i is an own item, `later[i]`, that shares a band with `place[i]` items before it: it is compared with
    the members from `start[i]` on, all of them or those of the first end, and with those from `end_start[i]` on.
    """

    members: Positions
    later: Positions
    place: Positions
    start: Positions
    end_start: Positions

    def pieces(self, ends: int, most: int, at_once: int) -> Iterator[tuple[Positions, Positions, int]]:
        """Yield pairs to compare (positions of the later items, and of the earlier), and how many are left out."""
        order = np.argsort(self.later, kind="stable")
        later = self.later[order]
        first = 0
        while first < len(order):
            end = int(np.searchsorted(later, later[first] + at_once))
            yield self._piece(order[first:end], ends, most)
            first = end

    def _piece(self, asks: Positions, ends: int, most: int) -> tuple[Positions, Positions, int]:
        place, is_whole = self.place[asks], self.place[asks] <= 2 * ends
        at_first, at_last = np.where(is_whole, place, ends), np.where(is_whole, 0, ends)
        members = np.concatenate([_ranges(self.start[asks], at_first), _ranges(self.end_start[asks], at_last)])
        later = np.concatenate([np.repeat(self.later[asks], at_first), np.repeat(self.later[asks], at_last)])
        pairs, bands = _counted(later, self.members[members])
        left_out = int((place[~is_whole] - 2 * ends).sum())
        is_compared = _is_compared(pairs[0], bands, most)
        chosen = np.flatnonzero(is_compared)
        return pairs[0][chosen], pairs[1][chosen], left_out + len(is_compared) - len(chosen)


def candidates(register: Register, is_compared: Flags, ends: int, connection: duckdb.DuckDBPyConnection) -> Candidates:
    """Find the items that share a band.

    Args:
        register: The items.
        is_compared: For each position, whether the item takes part; of equal texts one does.
        ends: Members of a band that are kept at each end.
        connection: DuckDB connection that sorts; its settings bound memory and threads.
    """
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE shared (band UBIGINT, position BIGINT)")
        shared = pa.RecordBatchReader.from_batches(_ROW, _shared(register, is_compared))
        cursor.register("found", shared)
        cursor.execute("INSERT INTO shared SELECT * FROM found")
        sorted_rows = cursor.table("shared").order("band, position").to_arrow_reader(ROWS_SORTED_AT_ONCE)
        found = [_NO_CANDIDATES]
        members = 0
        for bands, positions in _whole_bands(sorted_rows):
            found.append(_of_bands(bands, positions, register.first_own, ends, members))
            members += len(found[-1].members)
    return Candidates(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _shared(register: Register, is_compared: Flags) -> Iterator[pa.RecordBatch]:
    """Yield bands and positions, leaving out nearly all bands that belong to one text or to none of the batch."""
    own = list(_rows(register.own(["bands"]), is_compared))
    shift = np.uint64(64 - _slot_bits(sum(len(bands) for bands, _ in own)))
    is_own, is_shared = (np.zeros(1 << (64 - int(shift)), np.bool_) for _ in range(2))
    ordered = np.sort(np.concatenate([np.empty(0, np.uint64), *(bands for bands, _ in own)]))
    is_own[ordered >> shift] = True
    is_shared[ordered[1:][ordered[1:] == ordered[:-1]] >> shift] = True
    del ordered
    for bands, positions in _rows(register.earlier(["bands"]), is_compared):
        there = is_own[bands >> shift]
        is_shared[bands[there] >> shift] = True
        yield _batch(bands[there], positions[there])
    for bands, positions in own:
        there = is_shared[bands >> shift]
        yield _batch(bands[there], positions[there])


def _rows(pieces: Iterator[tuple[Positions, pa.Table]], is_compared: Flags) -> Iterator[tuple[Hashes, Positions]]:
    """Yield the bands of those items that take part, and the position of each."""
    for positions, piece in pieces:
        there = is_compared[positions]
        lists = piece.column(0).filter(pa.array(there))
        lengths = pc.list_value_length(lists).to_numpy()
        yield pc.list_flatten(lists).to_numpy(), np.repeat(positions[there], lengths)


def _batch(bands: Hashes, positions: Positions) -> pa.RecordBatch:
    return pa.record_batch([pa.array(bands), pa.array(positions)], schema=_ROW)


def _slot_bits(bands: int) -> int:
    """Return how many bits number the slots: eight slots a band, as far as that is not too many."""
    return min(_MOST_SLOT_BITS, max(8, int(8 * bands).bit_length()))


def _whole_bands(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[Hashes, Positions]]:
    """Regroup sorted rows so that all rows of a band come together."""
    held: list[tuple[Hashes, Positions]] = []
    for batch in batches:
        bands, positions = (column.to_numpy() for column in batch.columns)
        first = int(np.searchsorted(bands, bands[-1])) if len(bands) else 0
        if first or (held and len(bands) and held[-1][0][-1] != bands[-1]):
            held.append((bands[:first], positions[:first]))
            yield np.concatenate([part[0] for part in held]), np.concatenate([part[1] for part in held])
            held = []
        held.append((bands[first:], positions[first:]))
    if held:
        yield np.concatenate([part[0] for part in held]), np.concatenate([part[1] for part in held])


def _of_bands(bands: Hashes, positions: Positions, first_own: int, ends: int, members: int) -> Candidates:
    """Return the candidates that some whole bands make; `members` is how many the bands before them have."""
    starts = np.flatnonzero(np.append(True, bands[1:] != bands[:-1])[: len(bands)])
    sizes = np.diff(np.append(starts, len(bands)))
    is_own = positions >= first_own
    earlier = np.add.reduceat(~is_own, starts, dtype=np.int64) if len(starts) else starts
    place = np.arange(len(bands)) - np.repeat(starts, sizes)
    # What stands between the ends of the earlier items is asked for by nobody, nor is a band without own items.
    left_out = np.maximum(earlier - 2 * ends, 0)
    is_between = ~is_own & (place >= ends) & (place < np.repeat(earlier - ends, sizes))
    is_wanted = np.repeat((earlier < sizes) & (sizes > 1), sizes)
    kept = is_wanted & ~is_between
    place_kept = np.cumsum(kept) - 1 + members
    asks = is_wanted & is_own & (place > 0)
    start = np.repeat(place_kept[starts], sizes)[asks]
    end_start = start + place[asks] - ends - np.repeat(left_out, sizes)[asks]
    return Candidates(positions[kept], positions[asks], place[asks], start, end_start)


def _ranges(starts: Positions, counts: Positions) -> Positions:
    """Return the numbers from each start on, so many of each."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - ends + counts, counts)


def _counted(later: Positions, earlier: Positions) -> tuple[tuple[Positions, Positions], Positions]:
    """Return the distinct pairs in order, and how often each was there."""
    if not len(later):
        return (later, earlier), later
    first = later.min()
    span = int(earlier.max()) + 1
    # One number a pair sorts several times as fast as two; items at once are few, so that it has room.
    keys = np.sort((later - first) * span + earlier)
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    distinct = keys[starts]
    return (distinct // span + first, distinct % span), np.diff(np.append(starts, len(keys)))


def _is_compared(later: Positions, bands: Positions, most: int) -> Flags:
    """Tell which of ordered pairs are compared: of each later item the earliest, and those that share most bands."""
    starts = np.flatnonzero(np.append(True, later[1:] != later[:-1])[: len(later)])
    counts = np.diff(np.append(starts, len(later)))
    rank = np.arange(len(later)) - np.repeat(starts, counts)
    is_compared: Flags = rank < most
    crowded = np.flatnonzero(np.repeat(counts > most, counts))
    order = crowded[np.lexsort((-bands[crowded], later[crowded]))]
    is_compared[order[rank[crowded] < most]] = True
    return is_compared


_NO_CANDIDATES = Candidates(*(np.empty(0, np.int64) for _ in range(5)))
