"""Freezing a release: its items, labels and risk order, fixed and hashed before anybody audits them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.sample import draw
from cupel.project import Release
from cupel.release.splits import joined, splits
from cupel.tables import RELEASE_ITEMS, conform

_FROM_LABELS = ("label", "decided_by", "majority_label", "consensus_label", "predicted_label", "log_odds")


class Frozen(NamedTuple):
    """A release's items in risk order, their hash, and the seed that drew the audit."""

    items: pa.Table
    sha256: str
    seed: int


def freeze(
    release: str,
    labels: Sequence[pa.Table],
    clean_items: Sequence[pa.Table],
    settings: Release,
    attempt: int,
    similar: Sequence[tuple[str, pa.Table]] = (),
) -> Frozen:
    """Put the items of a release in their risk order, split them, hash them, and draw the audit.

    The audit's seed is made of the hash, so it is known to nobody before the labels are frozen, and the
    same labels give the same audit on every machine. A further attempt draws afresh.

    Args:
        release: Name of the release.
        labels: LABELS of each batch.
        clean_items: CLEAN_ITEMS of each batch, in the same order.
        settings: The project's release settings.
        attempt: How often these batches are put to an audit, this time included.
        similar: Batch and its SIMILAR_ITEMS, where groups of several batches are to be joined.

    Returns:
        RELEASE_ITEMS in risk order, the safest first (equal log-odds are ordered by a hash of batch and
        id), their hash, and the seed.
    """
    parts = [
        items.join(own.select(["item_id", *_FROM_LABELS]), "item_id", join_type="inner")
        for items, own in zip(clean_items, labels, strict=True)
    ]
    table = _in_risk_order(pa.concat_tables(parts))
    size = table.num_rows
    table = table.append_column("risk_rank", pa.array(np.arange(1, size + 1)))
    sha256 = items_sha256(table)
    seed = audit_seed(sha256, settings.seed, attempt)
    names = list(zip(table["batch"].to_pylist(), table["item_id"].to_pylist(), strict=True))
    is_audited = np.zeros(size, dtype=bool)
    is_audited[draw(names, min(settings.audit_size, size), seed)] = True
    groups = joined(table["group_id"].to_pylist(), _alike(names, similar))
    table = table.set_column(table.column_names.index("group_id"), "group_id", pa.array(groups, pa.string()))
    added = {
        "release": pa.array([release] * size, pa.string()),
        "split": pa.array(splits(groups, settings.seed, settings.splits), pa.string()),
        "is_audited": pa.array(is_audited),
    }
    for name, column in added.items():
        table = table.append_column(name, column)
    return Frozen(conform(table, RELEASE_ITEMS), sha256, seed)


def audit_seed(sha256: str, seed: int, attempt: int) -> int:
    """Return the seed of an audit's draw: 63 bits made of what is frozen, the project's seed, and the attempt."""
    digest = hashlib.sha256(f"audit/{sha256}/{seed}/{attempt}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def items_sha256(items: pa.Table) -> str:
    """Return the hash of what a certificate speaks of: ids, labels and risk order.

    Args:
        items: Columns batch, item_id, label, risk_rank of RELEASE_ITEMS, any row order.
    """
    digest = hashlib.sha256()
    for row in items.select(["risk_rank", "batch", "item_id", "label"]).sort_by("risk_rank").to_pylist():
        digest.update(json.dumps(list(row.values()), separators=(",", ":")).encode())
    return digest.hexdigest()


def _alike(names: Sequence[tuple[str, str]], similar: Sequence[tuple[str, pa.Table]]) -> Iterator[tuple[int, int]]:
    """Yield the places of items that resemble each other, where both are in the release."""
    places = {name: place for place, name in enumerate(names)}
    for batch, pairs in similar:
        for pair in pairs.to_pylist():
            left = places.get((batch, pair["item_id"]))
            right = places.get((pair["earlier_batch"], pair["earlier_item_id"]))
            if left is not None and right is not None:
                yield left, right


def _in_risk_order(table: pa.Table) -> pa.Table:
    order = [
        hashlib.sha256(json.dumps(name).encode()).hexdigest()
        for name in zip(table["batch"].to_pylist(), table["item_id"].to_pylist(), strict=True)
    ]
    table = table.append_column("order", pa.array(order, pa.string()))
    indices = pc.sort_indices(table, [("log_odds", "descending"), ("order", "ascending")])
    return table.take(indices).drop_columns("order")
