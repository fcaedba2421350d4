"""Copies: of items of several batches that are alike, a release holds the one with the better licence."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.duplicates.kept_items import (
    EARLIER_ITEMS,
    DuplicateRule,
    PairLikeness,
    choose_kept_items,
    join_pairs,
    rank_licences,
)
from cupel.contract.columns import TEXT
from cupel.contract.item_numbers import Places
from cupel.contract.table import conform
from cupel.contract.tables.release import LEFT_OUT_ITEMS
from cupel.errors import ReleaseError
from cupel.release.names import find_rows

BETTER_LICENCE = "better_licence"
NEEDED_ITEMS = ("batch", "item_id", "source_file", "line", "licence")
_NAMES = ["batch", "item_id"]


def left_out_items(
    release: str, items: pa.Table, signatures: pa.Table, similar: Sequence[tuple[str, pa.Table]],
    order: Sequence[str], rule: DuplicateRule,
) -> pa.Table:  # fmt: skip
    """Return the items that a release leaves out, because it holds a copy of each with a better licence.

    Cleaning keeps a copy with a better licence beside the item of an earlier batch, which may have been released. A
    release that holds both is where they meet.

    Args:
        release: Its name.
        items: The columns `NEEDED_ITEMS` of the clean items of its batches, in the register's order.
        signatures: batch, item_id and text_sha256 of all raw items of these, and of those that `similar` names.
        similar: The batches, each with its SIMILAR_ITEMS.
        order: The project's licences, the better first.
        rule: When items are copies beside those of equal text.

    Returns:
        LEFT_OUT_ITEMS; the evidence is batch and id of the copy that the release holds.

    Raises:
        ReleaseError: An item has no signature.
    """
    texts, one, other, likeness = _numbered(items, signatures, similar)
    is_pair = rule.find_held(likeness) & (one != other)
    is_pair &= np.isin(one, texts) & np.isin(other, texts)
    one, other, likeness = one[is_pair], other[is_pair], likeness.choose(is_pair)
    met = np.concatenate([one, other, np.flatnonzero(np.bincount(texts) > 1)])
    rows = np.flatnonzero(np.isin(texts, met))
    some = items.take(pa.array(rows))
    names = pc.binary_join_element_wise(some["batch"], some["item_id"], "/").to_pylist()
    found = choose_kept_items(
        names, rank_licences(some, order), [True] * len(names), join_pairs(texts[rows], one, other, likeness),
        EARLIER_ITEMS.empty_table(), [], rule,
    )  # fmt: skip
    is_left_out = pa.array([kept is not None for kept in found], pa.bool_())
    left = some.filter(is_left_out)
    columns = {name: left[name] for name in NEEDED_ITEMS} | {
        "release": pa.repeat(pa.scalar(release, TEXT), left.num_rows),
        "reason": pa.repeat(pa.scalar(BETTER_LICENCE, TEXT), left.num_rows),
        "evidence": pa.array([kept.name for kept in found if kept is not None], TEXT),
    }
    return conform(pa.table(columns), LEFT_OUT_ITEMS)


def without(items: pa.Table, batch: str, left_out: pa.Table) -> pa.Table:
    """Return the items of a batch that are not left out."""
    own = left_out.filter(pc.equal(left_out["batch"], batch))["item_id"].combine_chunks()
    return items.filter(pc.invert(pc.is_in(items["item_id"], value_set=own))) if len(own) else items


def _numbered(
    items: pa.Table, signatures: pa.Table, similar: Sequence[tuple[str, pa.Table]]
) -> tuple[Places, Places, Places, PairLikeness]:
    """Return the text of each item as a number, and the two texts of each pair of items and how alike they are."""
    batches = [pa.repeat(pa.scalar(name, TEXT), pairs.num_rows) for name, pairs in similar]
    later = pa.concat_tables(
        pa.table([batch, pairs["item_id"]], _NAMES) for batch, (_, pairs) in zip(batches, similar, strict=True)
    )
    earlier = pa.concat_tables(
        pairs.select(["earlier_batch", "earlier_item_id"]).rename_columns(_NAMES) for _, pairs in similar
    )
    likeness = PairLikeness.join(PairLikeness.of(pairs) for _, pairs in similar)
    rows = find_rows(signatures, items, later, earlier)
    if any((part < 0).any() for part in rows):
        raise ReleaseError("table signatures: it lacks items of the batches; run their cleaning stage again")
    text = signatures["text_sha256"].combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    own, left, right = (text[part] for part in rows)
    return own, left, right, likeness
