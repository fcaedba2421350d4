"""Freezing a release: its items, labels and risk order, fixed and hashed before anybody audits them."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring_ascii as encoded
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.digests import digests
from cupel.config.release import Release
from cupel.contract.columns import TEXT
from cupel.contract.item_numbers import Places
from cupel.contract.table import conform
from cupel.contract.tables.cleaning import CLEAN_ITEMS
from cupel.contract.tables.release import RELEASE_ITEMS
from cupel.errors import ReleaseError
from cupel.release.names import PIECE_ROWS, Names, as_json, find_rows
from cupel.release.splits import joined, splits

_FROM_LABELS = ("label", "decided_by", "majority_label", "consensus_label", "predicted_label", "log_odds")
# What an item brings along; nothing is computed from it.
CARRIED = ("source_file", "line", "text", "language", "licence")
# By which an item is the same whatever delivery brought it; read beside the clean items.
FOLDED = "text_sha256"
NEEDED_LABELS = ("item_id", *_FROM_LABELS)
NEEDED_ITEMS = tuple(column.name for column in CLEAN_ITEMS.columns if column.name not in CARRIED)


class Frozen(NamedTuple):
    """A release's items in risk order, nothing drawn of them yet, and their hash."""

    items: pa.Table
    sha256: str


def freeze(
    release: str,
    labels: Sequence[pa.Table],
    clean_items: Sequence[pa.Table],
    settings: Release,
    similar: Sequence[tuple[str, pa.Table]] = (),
) -> Frozen:
    """Put the items of a release in their risk order, split them, and hash them; nothing random is in it.

    Args:
        release: Name of the release.
        labels: LABELS of each batch; the columns `NEEDED_LABELS` will do.
        clean_items: CLEAN_ITEMS of each batch, in the same order, with their `content_sha256`; the columns
            `NEEDED_ITEMS` will do, see `with_carried`.
        settings: The project's release settings.
        similar: Batch and its SIMILAR_ITEMS, where groups of several batches are to be joined.

    Returns:
        RELEASE_ITEMS in risk order, the safest first (equal log-odds are ordered by a hash of batch and id), without
        `is_audited`, and their hash. Of `CARRIED` the items have what they came with.
    """
    parts = [
        items.join(own.select(NEEDED_LABELS), "item_id", join_type="inner")
        for items, own in zip(clean_items, labels, strict=True)
    ]
    table = _in_risk_order(pa.concat_tables(parts))
    size = table.num_rows
    table = table.append_column("risk_rank", pa.array(np.arange(1, size + 1)))
    groups = _groups(table, similar)
    table = table.set_column(table.column_names.index("group_id"), "group_id", groups)
    added = {
        "release": pa.repeat(pa.scalar(release, TEXT), size),
        "split": _splits(groups, settings),
    }
    for name, column in added.items():
        table = table.append_column(name, column)
    left_out = {*CARRIED, FOLDED} - set(table.column_names) | {"is_audited"}
    columns = tuple(column for column in RELEASE_ITEMS.columns if column.name not in left_out)
    return Frozen(conform(table, RELEASE_ITEMS._replace(columns=columns)), items_sha256(table))


def with_carried(items: pa.Table, clean_items: Iterable[tuple[str, Iterator[pa.Table]]]) -> Iterator[pa.Table]:
    """Yield frozen items with what they bring along, in the order of the key, never holding all of it.

    Args:
        items: RELEASE_ITEMS without the columns `CARRIED`, any row order.
        clean_items: Batches in ascending order, each with its CLEAN_ITEMS, and their `text_sha256`, in pieces in the
            order of their key.

    Raises:
        ReleaseError: A frozen item is not among the clean items.
    """
    items = items.sort_by([(name, "ascending") for name in RELEASE_ITEMS.key])
    for batch, pieces in clean_items:
        own = items.filter(pc.equal(items["batch"], batch))
        for piece in pieces:
            next_items = own.slice(0, piece.num_rows)
            kept = piece.filter(pc.is_in(piece["item_id"], value_set=next_items["item_id"].combine_chunks()))
            next_items = next_items.slice(0, kept.num_rows)
            if not next_items["item_id"].equals(kept["item_id"]):
                raise ReleaseError(f"batch {batch}: its clean items changed while they were frozen; freeze it again")
            own = own.slice(kept.num_rows)
            for name in (*CARRIED, FOLDED):
                next_items = next_items.append_column(name, kept[name])
            yield conform(next_items, RELEASE_ITEMS)
        if own.num_rows:
            raise ReleaseError(f"batch {batch}: {own.num_rows} frozen items are not among its clean items")


def hash_content(text: str) -> str:
    """Return the hash of a text that an item is: of its UTF-8 bytes, as hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def items_sha256(items: pa.Table) -> str:
    """Return the hash of what a certificate speaks of: ids, labels, contents and risk order; groups and splits too.

    Args:
        items: Columns batch, item_id, label, risk_rank, content_sha256, group_id and split of RELEASE_ITEMS, any row
            order.
    """
    return _hash_rows(items, ["risk_rank", "batch", "item_id", "label", "content_sha256", "group_id", "split"])


def items_sha256_without_content(items: pa.Table) -> str:
    """Return the hash that stood in the plan up to format 3 of releases: of ids, labels and risk order alone."""
    return _hash_rows(items, ["risk_rank", "batch", "item_id", "label"])


def _hash_rows(items: pa.Table, columns: list[str]) -> str:
    digest = hashlib.sha256()
    for piece in items.select(columns).sort_by("risk_rank").to_batches(PIECE_ROWS):
        # JSON lists, written by hand: it is ten times as fast.
        ranks, *texts = (column.to_pylist() for column in piece.columns)
        words = ((f",{encoded(text)}" for text in column) for column in texts)
        digest.update("".join(f"[{''.join(row)}]" for row in zip(map(str, ranks), *words, strict=True)).encode())
    return digest.hexdigest()


def _in_risk_order(table: pa.Table) -> pa.Table:
    """Sort the safest first; the hash of batch and id decides among equal log-odds."""
    words = digests(as_json(name) for name in Names(table))
    order = np.lexsort((*words.T[::-1], -table["log_odds"].to_numpy()))
    return table.take(pa.array(order))


def _groups(table: pa.Table, similar: Sequence[tuple[str, pa.Table]]) -> pa.Array:
    """Return the group of each item, after groups became one that hold items alike."""
    coded = table["group_id"].combine_chunks().dictionary_encode()
    code = coded.indices.to_numpy()
    left, right = _alike(table, similar)
    pairs = np.unique(np.stack([code[left], code[right]], axis=1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    met = np.unique(pairs)
    names = coded.dictionary.take(pa.array(met)).to_pylist()
    heads = joined(names, np.searchsorted(met, pairs).tolist())
    place = {name: int(number) for name, number in zip(names, met, strict=True)}
    head = np.arange(len(coded.dictionary))
    head[met] = [place[name] for name in heads]
    return coded.dictionary.take(pa.array(head[code]))


def _alike(table: pa.Table, similar: Sequence[tuple[str, pa.Table]]) -> tuple[Places, Places]:
    """Return the places of items that resemble each other, where both are in the release."""
    later = [pairs.select(["item_id"]).add_column(0, "batch", _batch(name, pairs)) for name, pairs in similar]
    names = ["batch", "item_id"]
    earlier = [pairs.select(["earlier_batch", "earlier_item_id"]).rename_columns(names) for _, pairs in similar]
    if not similar:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    left, right = find_rows(table, pa.concat_tables(later), pa.concat_tables(earlier))
    both = (left >= 0) & (right >= 0)
    return left[both], right[both]


def _batch(name: str, table: pa.Table) -> pa.Array:
    return pa.repeat(pa.scalar(name, TEXT), table.num_rows)


def _splits(groups: pa.Array, settings: Release) -> pa.Array:
    coded = groups.dictionary_encode()
    pieces = [
        pa.array(splits(coded.dictionary.slice(start, PIECE_ROWS).to_pylist(), settings.seed, settings.splits), TEXT)
        for start in range(0, len(coded.dictionary), PIECE_ROWS)
    ]
    return pa.concat_arrays([pa.array([], TEXT), *pieces]).take(coded.indices)
