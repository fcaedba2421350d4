"""Signatures to similar items: pairs that share a band, with their exact similarity."""

from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.cleaning.jaccard import HashSets, Positions, Shares
from cupel.project import Cleaning
from cupel.tables import SIGNATURES, SIMILAR_ITEMS, conform

# In a band, an item is compared with so many of the first texts and of the last before it: with all of them, as long
# as no more than twice as many precede it.
COMPARED_AT_EACH_END = 32
# Of its candidates an item is compared with so many that are the earliest (of a crowd of duplicates the one that is
# kept is among them), and with so many others that share most bands with it.
COMPARED_OF_EACH_KIND = 50
# Items whose candidates are looked for at once, so that memory is bounded whatever the texts.
ITEMS_AT_ONCE = 8_192

_PLACED = """
    CREATE TEMP TABLE placed AS
    SELECT band, position, row_number() OVER (PARTITION BY band ORDER BY position) - 1 AS place
    FROM bands
"""
_CANDIDATES = """
    WITH asked AS (
        SELECT band, position AS later, unnest(
            CASE WHEN place <= 2 * $ends THEN range(0, place)
            ELSE list_concat(range(0, $ends), range(place - $ends, place)) END
        ) AS place
        FROM placed WHERE position >= $first AND position < $end
    ),
    ranked AS (
        SELECT later, placed.position AS earlier,
            row_number() OVER (PARTITION BY later ORDER BY placed.position) AS age_rank,
            row_number() OVER (PARTITION BY later ORDER BY count(*) DESC, placed.position) AS alike_rank
        FROM asked JOIN placed USING (band, place) GROUP BY later, placed.position
    )
    SELECT later, earlier, age_rank <= $most OR alike_rank <= $most AS is_compared
    FROM ranked ORDER BY later, earlier
"""
_NOT_PLACED = """
    SELECT coalesce(sum(place - 2 * $ends), 0)::BIGINT FROM placed
    WHERE place > 2 * $ends AND position >= $first AND position < $end
"""


_NONE = np.empty(0, np.int64)


class Similar(NamedTuple):
    """What the search found, and how far it went.

    `pairs` is `similar_items`. `compared` counts candidate pairs whose exact similarity was taken.
    `not_compared` bounds the pairs that share a band only because very many texts do, and were left out:
    0 is certain to be complete, otherwise pairs that share no smaller band may be missing.
    """

    pairs: pa.Table
    compared: int
    not_compared: int


def similar_items(
    own: pa.Table,
    earlier: pa.Table,
    raw: pa.Table,
    settings: Cleaning,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> Similar:
    """Find the items of a batch that resemble earlier ones, in the batch or in batches before.

    Texts that are equal (`text_sha256`) are compared once: every later one points to the first with
    similarity 1, and only the first of the batch points to others. `cupel.cleaning.decide` knows.

    Args:
        own: `signatures` of the batch, any order.
        earlier: `signatures` of the batches before it, in the register's order.
        raw: `raw_items` of the batch, any order; of them only item_id, source_file and line are read.
        settings: The least similarity that is kept, group_similarity.
        connection: DuckDB connection that bounds memory and threads; a new one by default.

    Returns:
        Pairs from a later item of the batch to an earlier item, and how complete they are.
    """
    items = _Items.of(own, earlier, raw)
    firsts = _firsts(items.texts)
    own_firsts = items.first_own + _firsts(items.texts[items.first_own :])
    everywhere = np.arange(len(firsts))
    # An own text is compared even if an earlier batch has it: its twin there may have been rejected.
    is_compared = np.concatenate([firsts[: items.first_own], own_firsts]) == everywhere
    later, before, not_compared = _candidates(items, is_compared, connection)
    differ = items.texts[later] != items.texts[before]
    later, before = later[differ], before[differ]
    similarity = _similarities(items, later, before, settings.group_similarity)
    alike = np.flatnonzero(similarity)
    copies = items.first_own + np.flatnonzero((firsts != everywhere)[items.first_own :])
    pairs = items.pairs(
        np.concatenate([copies, later[alike]]),
        np.concatenate([firsts[copies], before[alike]]),
        np.concatenate([np.ones(len(copies)), similarity[alike]]),
    )
    return Similar(pairs, len(later), not_compared)


def delivery_ranks(table: pa.Table, raw: pa.Table) -> Positions:
    """Return the place of each of a batch's rows in the order of the delivery: by file and line; the first is 0.

    Args:
        table: Any table of the batch with `item_id`.
        raw: `raw_items` of the batch, any order.
    """
    ordered = raw.select(["item_id", "source_file", "line"]).sort_by(
        [("source_file", "ascending"), ("line", "ascending")]
    )
    ranks = pc.index_in(table.column("item_id"), ordered.column("item_id").combine_chunks())
    return np.asarray(ranks.to_numpy(), np.int64)


class _Items(NamedTuple):
    """Signatures of the earlier batches and the batch's own; a position is a place in the register's order.

    `row_at` is the row of the table at each position, `texts` a number a position, the same for the same text.
    """

    table: pa.Table
    first_own: int
    row_at: Positions
    texts: Positions

    @classmethod
    def of(cls, own: pa.Table, earlier: pa.Table, raw: pa.Table) -> "_Items":
        table = pa.concat_tables([conform(part, SIGNATURES) for part in (earlier, own)])
        row_at = np.concatenate([np.arange(earlier.num_rows), earlier.num_rows + np.argsort(delivery_ranks(own, raw))])
        hashes = table.column("text_sha256")
        texts = pc.index_in(hashes, pc.unique(hashes)).to_numpy().astype(np.int64)
        return cls(table, earlier.num_rows, row_at, texts[row_at])

    def pairs(self, later: Positions, earlier: Positions, similarity: Shares) -> pa.Table:
        """Return `similar_items` of positions, ordered by them."""
        order = np.lexsort((earlier, later))
        later_rows, earlier_rows = pa.array(self.row_at[later[order]]), pa.array(self.row_at[earlier[order]])
        columns = [
            self.table.column("item_id").take(later_rows),
            self.table.column("batch").take(earlier_rows),
            self.table.column("item_id").take(earlier_rows),
            pa.array(similarity[order]),
        ]
        return pa.table(columns, schema=SIMILAR_ITEMS.schema)


def _firsts(texts: Positions) -> Positions:
    """Return, for each position, the first position of the same text."""
    _, first, inverse = np.unique(texts, return_index=True, return_inverse=True)
    return first[inverse]


def _candidates(
    items: _Items, is_compared: NDArray[np.bool_], connection: duckdb.DuckDBPyConnection | None
) -> tuple[Positions, Positions, int]:
    """Return positions that share a band, the later one the batch's own; and how many pairs were left out at most."""
    position_of = np.empty(len(items.row_at), np.int64)
    position_of[items.row_at] = np.arange(len(items.row_at))
    lists = items.table.column("bands")
    positions = np.repeat(position_of, pc.list_value_length(lists).to_numpy())
    bands = pc.list_flatten(lists).to_numpy()[is_compared[positions]]
    positions = positions[is_compared[positions]]
    # Nearly all bands belong to one text only: the join need not see them.
    order = np.argsort(bands)
    is_same = bands[order[1:]] == bands[order[:-1]]
    shared = order[np.append(is_same, False) | np.append(False, is_same)] if len(order) else order
    table = pa.table({"band": bands[shared], "position": positions[shared]})
    with (connection or duckdb.connect()).cursor() as cursor:
        cursor.register("bands", table)
        cursor.execute(_PLACED)
        pieces = [_piece(cursor, first, end) for first, end in _slices(items.first_own, len(items.row_at))]
    later, earlier, left_out = zip(*pieces, strict=True) if pieces else ([_NONE], [_NONE], [0])
    # A pair is left out once a band; there are never more pairs than items before each of the batch's own.
    every_pair = sum(range(items.first_own, len(items.row_at)))
    return np.concatenate(later), np.concatenate(earlier), min(sum(left_out), every_pair)


def _slices(first: int, end: int) -> list[tuple[int, int]]:
    return [(start, min(start + ITEMS_AT_ONCE, end)) for start in range(first, end, ITEMS_AT_ONCE)]


def _piece(cursor: duckdb.DuckDBPyConnection, first: int, end: int) -> tuple[Positions, Positions, int]:
    bounds = {"first": first, "end": end, "ends": COMPARED_AT_EACH_END}
    found = cursor.execute(_CANDIDATES, {**bounds, "most": COMPARED_OF_EACH_KIND}).to_arrow_table()
    row = cursor.execute(_NOT_PLACED, bounds).fetchone()
    chosen = found.filter(found.column("is_compared"))
    left_out = found.num_rows - chosen.num_rows + (int(row[0]) if row else 0)
    return chosen.column("later").to_numpy(), chosen.column("earlier").to_numpy(), left_out


def _similarities(items: _Items, later: Positions, earlier: Positions, least: float) -> Shares:
    """Return the exact similarity of each pair, 0 where it is below the least; pairs come ordered by the later."""
    used, inverse = np.unique(np.concatenate([later, earlier]), return_inverse=True)
    sets = HashSets(items.table.column("shingles").take(pa.array(items.row_at[used])))
    return sets.similarities(inverse[: len(later)], inverse[len(later) :], least)
