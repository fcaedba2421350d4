"""Signatures to similar items: pairs that share a band, with their exact similarity."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.cleaning.bands import MOST_ITEMS, Flags, Piece, sharing
from cupel.cleaning.candidates import Own, alike
from cupel.cleaning.jaccard import HashSets, Positions, Shares, verified
from cupel.cleaning.register import Register, Signed
from cupel.cleaning.signatures import BANDING, matrix, numbers
from cupel.cleaning.sketches import WORDS
from cupel.config.cleaning import Cleaning
from cupel.errors import TableError
from cupel.tables import SIMILAR_ITEMS

_COLUMNS = ["bands", "sketch", "shingle_count"]


class Similar(NamedTuple):
    """What the search found, and how far it went.

    `pairs` is `similar_items`. `compared` counts candidate pairs that were held against each other.
    `not_compared` bounds the pairs that share a band only because very many texts do, and were left out:
    0 is certain to be complete, otherwise pairs that share no smaller band may be missing.
    """

    pairs: pa.Table
    compared: int
    not_compared: int


def similar_items(own: Signed, earlier: Sequence[Signed], raw: pa.Table, settings: Cleaning) -> Similar:
    """Find the items of a batch that resemble earlier ones, in the batch or in batches before.

    Texts that are equal (`text_sha256`) are compared once: every later one points to the first with
    similarity 1, and only the first of the batch points to others. `cupel.cleaning.decide` knows.
    Signatures are read in pieces. Of earlier items those that share a band are held, and shingles are read of those
    only that their sketches do not rule out.

    Args:
        own: `signatures` of the batch.
        earlier: `signatures` of the batches before it, in the register's order.
        raw: `raw_items` of the batch, any order; of them only item_id, source_file and line are read.
        settings: The least similarity that is kept, group_similarity.

    Returns:
        Pairs from a later item of the batch to an earlier item, and how complete they are.

    Raises:
        TableError: There are more than 2,147,483,647 items.
    """
    items = Register(own, earlier, raw)
    if items.count > MOST_ITEMS:
        raise TableError(f"table signatures: {items.count} items in all batches; at most {MOST_ITEMS} can be compared")
    everywhere = np.arange(items.count)
    # An own text is compared even if an earlier batch has it: its twin there may have been rejected.
    is_compared = items.firsts == everywhere
    own_firsts = np.unique(items.firsts[items.first_own :], return_index=True)[1]
    is_compared[items.first_own :] = False
    is_compared[items.first_own + own_firsts] = True
    batch = _own(items, is_compared)
    before = sharing(batch.bands[batch.takes_part], _earlier(items, is_compared))
    found = alike(batch, before, items.firsts, settings.group_similarity)
    sizes = np.zeros(items.count, np.int64)
    sizes[items.first_own :], sizes[before.there] = batch.sizes, before.sizes
    del batch, before
    similarity = verified(found.later, found.earlier, sizes, lambda used: _sets(items, used), settings.group_similarity)
    is_alike = np.flatnonzero(similarity)
    copies = items.first_own + np.flatnonzero((items.firsts != everywhere)[items.first_own :])
    pairs = _pairs(
        items,
        np.concatenate([copies, found.later[is_alike]]),
        np.concatenate([items.firsts[copies], found.earlier[is_alike]]),
        np.concatenate([np.ones(len(copies)), similarity[is_alike]]),
    )
    return Similar(pairs, found.compared, found.not_compared)


def _own(items: Register, is_compared: Flags) -> Own:
    """Return the batch's own items by position."""
    count = items.count - items.first_own
    bands, sketches = np.zeros((count, BANDING.bands), np.uint32), np.zeros((count, WORDS), np.uint64)
    sizes = np.zeros(count, np.int64)
    for positions, piece in items.own(_COLUMNS):
        found, places = _read(positions, piece), positions - items.first_own
        bands[places], sketches[places], sizes[places] = found.bands, found.sketches, found.sizes
    return Own(bands, sketches, sizes, is_compared[items.first_own :])


def _earlier(items: Register, is_compared: Flags) -> Iterator[Piece]:
    """Yield the earlier items that take part; of equal texts one does."""
    for positions, piece in items.earlier(_COLUMNS):
        yield _read(positions, piece).those(is_compared[positions])


def _read(positions: Positions, piece: pa.Table) -> Piece:
    return Piece(
        positions,
        matrix(piece.column("bands"), BANDING.bands),
        matrix(piece.column("sketch"), 2 * WORDS).view(np.uint64),
        piece.column("shingle_count").to_numpy(),
    )


def _sets(items: Register, used: Positions) -> HashSets:
    """Read the shingles of the items at these positions, which ascend."""
    is_wanted = np.zeros(items.count, np.bool_)
    is_wanted[used] = True
    places, lists = [], []
    for positions, piece in chain(items.earlier(["shingles"], is_wanted), items.own(["shingles"])):
        there = is_wanted[positions]
        if there.any():
            places.append(positions[there])
            lists += piece.column(0).filter(pa.array(there)).chunks
    order = np.argsort(np.concatenate(places))
    ordered = pa.chunked_array(lists).take(pa.array(order))
    return HashSets(*numbers(ordered))


def _pairs(items: Register, later: Positions, earlier: Positions, similarity: Shares) -> pa.Table:
    """Return `similar_items` of positions, ordered by them."""
    order = np.lexsort((earlier, later))
    _, item_ids = items.names(later[order])
    batches, earlier_ids = items.names(earlier[order])
    return pa.table([item_ids, batches, earlier_ids, pa.array(similarity[order])], schema=SIMILAR_ITEMS.schema)
