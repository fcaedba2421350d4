"""Which texts of a batch and of the batches before it resemble each other, as numbers that decisions can follow."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.jaccard import Positions, Shares
from cupel.errors import TableError

EARLIER_ITEMS = pa.schema(
    [
        pa.field("batch", pa.string(), nullable=False),
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("text_sha256", pa.string(), nullable=False),
        pa.field("group_id", pa.string()),
        pa.field("group_place", pa.int64()),
        pa.field("licence", pa.string()),
    ]
)


class Alike(NamedTuple):
    """Texts as numbers (the same for the same `text_sha256`), and for each the texts that resemble it.

    `own` holds the text of each of the batch's items, `earlier` that of each earlier item. Text t resembles
    the texts `others[starts[t] : starts[t + 1]]`, with `similarities` at the same places.
    """

    own: Positions
    earlier: Positions
    starts: Positions
    others: Positions
    similarities: Shares

    def of(self, text: int) -> tuple[list[int], list[float]]:
        """Return the texts that resemble a text, and how much."""
        if self.starts[text] == self.starts[text + 1]:
            return [], []
        places = slice(self.starts[text], self.starts[text + 1])
        return self.others[places].tolist(), self.similarities[places].tolist()


class Cleaned(NamedTuple):
    """An earlier batch, its tables to be read when they are needed.

    `signatures()` returns item_id and text_sha256 of its `signatures`, `clean_items()` item_id, group_id, source_file
    and line of its `clean_items`.
    """

    batch: str
    signatures: Callable[[], pa.Table]
    clean_items: Callable[[], pa.Table]


def earlier_items(texts: pa.ChunkedArray, similar: pa.Table, batches: Sequence[Cleaned]) -> pa.Table:
    """Return what decisions on a batch need of earlier ones; of these, one at a time is held.

    Args:
        texts: `text_sha256` of the batch's items.
        similar: `similar_items` of the batch.
        batches: The earlier batches, in the register's order.

    Returns:
        `EARLIER_ITEMS`, batch by batch: kept items in the order of their delivery, then rejected ones, whose group and
        licence are null. Only items with the text of one of the batch's items, or of an item that one resembles.
        `group_place` orders groups by their first item, whether it is among these or not.
    """
    wanted = pc.unique(pa.chunked_array([*texts.chunks, *_resembled(similar, batches)], pa.string()))
    pieces = [EARLIER_ITEMS.empty_table()]
    for cleaned in batches:
        signed = cleaned.signatures()
        signed = signed.filter(pc.is_in(signed.column("text_sha256"), wanted))
        if signed.num_rows:
            joined = signed.join(cleaned.clean_items(), "item_id", join_type="left outer")
            named = joined.append_column("batch", pa.repeat(cleaned.batch, joined.num_rows))
            pieces.append(_in_order(named.append_column("group_place", pa.nulls(joined.num_rows, pa.int64()))))
    items = pa.concat_tables([piece.select(EARLIER_ITEMS.names).cast(EARLIER_ITEMS) for piece in pieces])
    places = pa.array(_group_places(items.column("group_id"), batches), pa.int64())
    return items.set_column(EARLIER_ITEMS.get_field_index("group_place"), "group_place", places)


def _resembled(similar: pa.Table, batches: Sequence[Cleaned]) -> list[pa.Array]:
    """Return the texts of the earlier batches' items that a pair names."""
    found = []
    for cleaned in batches:
        named = similar.filter(pc.equal(similar.column("earlier_batch"), cleaned.batch)).column("earlier_item_id")
        if len(named):
            signed = cleaned.signatures()
            found += signed.filter(pc.is_in(signed.column("item_id"), pc.unique(named))).column("text_sha256").chunks
    return found


def _in_order(items: pa.Table) -> pa.Table:
    return items.sort_by([(name, "ascending") for name in ("source_file", "line", "item_id")])


def _group_places(group_ids: pa.ChunkedArray, batches: Sequence[Cleaned]) -> list[int | None]:
    """Return for each group its place in the order of the groups' first items; none where there is no group."""
    wanted = pc.unique(group_ids).drop_null()
    place_of: dict[str, int] = {}
    for cleaned in batches if len(wanted) else ():
        clean = cleaned.clean_items()
        for group in pc.unique(_in_order(clean.filter(pc.is_in(clean.column("group_id"), wanted))).column("group_id")):
            place_of.setdefault(group.as_py(), len(place_of))
    return [None if group is None else place_of[group] for group in group_ids.to_pylist()]


def alike(
    batch: str, item_ids: pa.ChunkedArray, hashes: pa.ChunkedArray, similar: pa.Table, earlier: pa.Table
) -> Alike:
    """Bring the similar items of a batch together by text.

    A pair of items is a pair of texts: what is true of one item is true of every other with its text.

    Args:
        batch: The batch.
        item_ids: Ids of its items.
        hashes: Their `text_sha256`.
        similar: `similar_items` of the batch.
        earlier: `EARLIER_ITEMS` of all batches that `similar` may name.

    Raises:
        TableError: A pair names an item that is not there.
    """
    both = pa.chunked_array([*hashes.chunks, *earlier.column("text_sha256").chunks], pa.string())
    distinct = pc.unique(both)
    texts = pc.index_in(both, distinct).to_numpy().astype(np.int64)
    own, before = texts[: len(item_ids)], texts[len(item_ids) :]
    names = pa.chunked_array([_names(batch, item_ids), _names(earlier.column("batch"), earlier.column("item_id"))])
    left = _places(_names(batch, similar.column("item_id")), names)
    right = _places(_names(similar.column("earlier_batch"), similar.column("earlier_item_id")), names)
    one, other = texts[left], texts[right]
    differ = one != other
    one, other = np.append(one[differ], other[differ]), np.append(other[differ], one[differ])
    similarity = np.tile(similar.column("similarity").to_numpy()[differ], 2)
    order = np.lexsort((other, one))
    starts = np.searchsorted(one[order], np.arange(len(distinct) + 1))
    return Alike(own, before, starts, other[order], similarity[order])


def _names(batch: str | pa.ChunkedArray, item_ids: pa.ChunkedArray) -> pa.Array:
    # A batch is a slug and holds no slash, so that no two items have the same name.
    names = pc.binary_join_element_wise(batch, item_ids, "/")
    return names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names


def _places(wanted: pa.Array, names: pa.ChunkedArray) -> Positions:
    places = pc.index_in(wanted, names.combine_chunks())
    if places.null_count:
        missing = wanted.filter(pc.is_null(places))[0].as_py()
        raise TableError(
            f"table similar_items: {missing!r} is neither an item of the batch nor among the earlier items; "
            "run the cleaning stage again, and pass every earlier batch"
        )
    return np.asarray(places.to_numpy(zero_copy_only=False), np.int64)
