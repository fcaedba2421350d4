"""Which texts of a batch and of the batches before it resemble each other, as numbers that decisions can follow."""

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
        places = slice(self.starts[text], self.starts[text + 1])
        return self.others[places].tolist(), self.similarities[places].tolist()


def earlier_items(signatures: pa.Table, clean_items: pa.Table) -> pa.Table:
    """Return what decisions need of an earlier batch; batches are put together in the register's order.

    Args:
        signatures: `signatures` of the batch.
        clean_items: `clean_items` of the batch.

    Returns:
        `EARLIER_ITEMS`: kept items in the order of their delivery, then rejected ones, whose group is null.
    """
    clean = clean_items.select(["item_id", "group_id", "source_file", "line"])
    joined = signatures.select(["batch", "item_id", "text_sha256"]).join(clean, "item_id", join_type="left outer")
    ordered = joined.sort_by([(name, "ascending") for name in ("source_file", "line", "item_id")])
    return ordered.select(EARLIER_ITEMS.names).cast(EARLIER_ITEMS)


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
