"""Signatures to similar items: pairs that share a band, with their exact similarity."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from cupel.cleaning import candidates as bounds
from cupel.cleaning.candidates import candidates
from cupel.cleaning.jaccard import HashSets, Positions, Shares
from cupel.cleaning.register import Register, Signed
from cupel.cleaning.settings import Cleaning
from cupel.cleaning.sketches import Sketches
from cupel.tables import SIMILAR_ITEMS

# Hashes of shingles that are held at once, 8 bytes each.
HASHES_AT_ONCE = 1 << 25


class Similar(NamedTuple):
    """What the search found, and how far it went.

    `pairs` is `similar_items`. `compared` counts candidate pairs that were held against each other.
    `not_compared` bounds the pairs that share a band only because very many texts do, and were left out:
    0 is certain to be complete, otherwise pairs that share no smaller band may be missing.
    """

    pairs: pa.Table
    compared: int
    not_compared: int


def similar_items(
    own: Signed,
    earlier: Sequence[Signed],
    raw: pa.Table,
    settings: Cleaning,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> Similar:
    """Find the items of a batch that resemble earlier ones, in the batch or in batches before.

    Texts that are equal (`text_sha256`) are compared once: every later one points to the first with
    similarity 1, and only the first of the batch points to others. `cupel.cleaning.decide` knows.
    Signatures are read in pieces, several times over; of their shingles only a sketch is held.

    Args:
        own: `signatures` of the batch.
        earlier: `signatures` of the batches before it, in the register's order.
        raw: `raw_items` of the batch, any order; of them only item_id, source_file and line are read.
        settings: The least similarity that is kept, group_similarity.
        connection: DuckDB connection that bounds memory and threads; a new one by default.

    Returns:
        Pairs from a later item of the batch to an earlier item, and how complete they are.
    """
    items = Register(own, earlier, raw)
    everywhere = np.arange(items.count)
    # An own text is compared even if an earlier batch has it: its twin there may have been rejected.
    is_compared = items.firsts == everywhere
    own_firsts = np.unique(items.firsts[items.first_own :], return_index=True)[1]
    is_compared[items.first_own :] = False
    is_compared[items.first_own + own_firsts] = True
    found = _alike(items, is_compared, settings, connection or duckdb.connect())
    similarity = _similarities(items, found.later, found.earlier, found.sizes, settings.group_similarity)
    alike = np.flatnonzero(similarity)
    copies = items.first_own + np.flatnonzero((items.firsts != everywhere)[items.first_own :])
    pairs = _pairs(
        items,
        np.concatenate([copies, found.later[alike]]),
        np.concatenate([items.firsts[copies], found.earlier[alike]]),
        np.concatenate([np.ones(len(copies)), similarity[alike]]),
    )
    return Similar(pairs, found.compared, found.not_compared)


class _Alike(NamedTuple):
    """Pairs that may be similar, the sizes of the shingle sets by position, and how the pairs were found."""

    later: Positions
    earlier: Positions
    sizes: Positions
    compared: int
    not_compared: int


def _alike(
    items: Register, is_compared: bounds.Flags, settings: Cleaning, connection: duckdb.DuckDBPyConnection
) -> _Alike:
    """Hold the sketches of items that share a band against each other."""
    ends, most = bounds.COMPARED_AT_EACH_END, bounds.COMPARED_OF_EACH_KIND
    found = candidates(items, is_compared, ends, connection)
    place_of, sketches = _sketches(items, np.concatenate([found.members, found.later]))
    later, earlier = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    compared = left_out = 0
    for one, other, not_compared in found.pieces(ends, most, bounds.ITEMS_AT_ONCE):
        differ = items.firsts[one] != items.firsts[other]
        one, other = one[differ], other[differ]
        compared, left_out = compared + len(one), left_out + not_compared
        may_be = sketches.may_be_similar(place_of[one], place_of[other], settings.group_similarity)
        later.append(one[may_be])
        earlier.append(other[may_be])
    # A pair is left out once a band; there are never more pairs than items before each of the batch's own.
    own = items.count - items.first_own
    every_pair = own * items.first_own + own * (own - 1) // 2
    sizes = np.append(sketches.sizes, 0)[place_of]
    return _Alike(np.concatenate(later), np.concatenate(earlier), sizes, compared, min(left_out, every_pair))


def _sketches(items: Register, positions: Positions) -> tuple[Positions, Sketches]:
    """Return the place of each position in the sketches, and the sketches; positions not asked for have none."""
    is_wanted = np.zeros(items.count, np.bool_)
    is_wanted[positions] = True
    place_of = np.cumsum(is_wanted) - 1
    sketches = Sketches(int(is_wanted.sum()))
    for there, lists in _shingles(items, is_wanted):
        sketches.add(place_of[there], lists)
    return place_of, sketches


def _shingles(items: Register, is_wanted: bounds.Flags) -> Iterator[tuple[Positions, pa.ChunkedArray]]:
    if is_wanted.any():
        for positions, piece in chain(items.earlier(["shingles"]), items.own(["shingles"])):
            there = is_wanted[positions]
            if there.all():
                yield positions, piece.column(0)
            elif there.any():
                yield positions[there], piece.column(0).filter(pa.array(there))


def _similarities(items: Register, later: Positions, earlier: Positions, sizes: Positions, least: float) -> Shares:
    """Return the exact similarity of each pair, 0 where it is below the least; pairs come ordered by the later.

    `sizes` is how many shingles the item at each position has. Pairs of more items than may be held are divided.
    """
    used, inverse = np.unique(np.concatenate([later, earlier]), return_inverse=True)
    half = int(np.searchsorted(later, later[len(later) // 2])) if len(later) else 0
    if half and sizes[used].sum() > HASHES_AT_ONCE:
        parts = (slice(None, half), slice(half, None))
        return np.concatenate([_similarities(items, later[part], earlier[part], sizes, least) for part in parts])
    if not len(used):
        return np.empty(0)
    is_wanted = np.zeros(items.count, np.bool_)
    is_wanted[used] = True
    held = [(np.searchsorted(used, there), lists) for there, lists in _shingles(items, is_wanted)]
    order = np.argsort(np.concatenate([places for places, _ in held]))
    sets = HashSets(pa.chunked_array([chunk for _, lists in held for chunk in lists.chunks]).take(pa.array(order)))
    return sets.similarities(inverse[: len(later)], inverse[len(later) :], least)


def _pairs(items: Register, later: Positions, earlier: Positions, similarity: Shares) -> pa.Table:
    """Return `similar_items` of positions, ordered by them."""
    order = np.lexsort((earlier, later))
    _, item_ids = items.names(later[order])
    batches, earlier_ids = items.names(earlier[order])
    return pa.table([item_ids, batches, earlier_ids, pa.array(similarity[order])], schema=SIMILAR_ITEMS.schema)
