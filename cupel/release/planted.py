"""Planted items: items whose label the project knows, put to the auditors among all others, to see what they miss."""

import hashlib
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.sample import marks
from cupel.certificate.sequence import Flags
from cupel.contract.columns import TEXT
from cupel.contract.item_numbers import Places
from cupel.contract.table import conform
from cupel.contract.tables.release import PLANTED_ITEMS
from cupel.errors import ReleaseError
from cupel.release.names import Names, find_rows

_NAME = ["batch", "item_id"]


def planted_items(items: pa.Table, gold: Mapping[str, pa.Table], planted: int, seed: int) -> pa.Table:
    """Return the items of a release whose label is known, and draw those that are planted.

    Args:
        items: RELEASE_ITEMS; the columns release, batch, item_id and log_odds will do.
        gold: Known labels by batch, columns item_id and label; null or without a row where none is known.
        planted: How many are declared, at least 1.
        seed: Of the audit's draw.

    Returns:
        PLANTED_ITEMS, in the order of the items.

    Raises:
        ReleaseError: The release has fewer items of known label than are to be planted.
    """
    known = [_of_batch(batch, rows) for batch, rows in gold.items()]
    labels = pa.concat_tables([pa.table({name: pa.array([], TEXT) for name in (*_NAME, "known_label")}), *known])
    (row,) = find_rows(labels, items)
    known_label = labels["known_label"].take(pa.array(row, mask=row < 0))
    pool = items.select(["release", *_NAME, "log_odds"]).append_column("known_label", known_label)
    pool = pool.filter(pc.is_valid(pool["known_label"]))
    if pool.num_rows < planted:
        raise ReleaseError(
            f"release.certificate.planted_errors: found {planted}, but only {pool.num_rows} items of the release have "
            "a label in the file of labeling.gold; plant fewer, or give more known labels, in a new release"
        )
    is_planted = draw_to_plant(pool, planted, seed)
    return conform(pool.drop_columns("log_odds").append_column("is_planted", pa.array(is_planted)), PLANTED_ITEMS)


def _of_batch(batch: str, rows: pa.Table) -> pa.Table:
    known = rows.filter(pc.is_valid(rows["label"]))
    columns = [
        pa.repeat(pa.scalar(batch, TEXT), known.num_rows),
        known["item_id"].cast(TEXT),
        known["label"].cast(TEXT),
    ]
    return pa.table(columns, names=[*_NAME, "known_label"])


def draw_to_plant(pool: pa.Table, size: int, seed: int) -> Flags:
    """Draw without replacement, each item with a weight: the chance that its label is wrong, by its log-odds.

    Wrong labels gather where the log-odds are low. Items that are as hard as those must be planted, else auditors
    look better than they are on what they are there to find.

    Args:
        pool: The items of known label; columns batch, item_id and log_odds.
        size: How many are planted.
        seed: Of the audit's draw.

    Returns:
        Flags of shape pool.

    Source: Efraimidis and Spirakis (2006), Information Processing Letters 97(5).
    """
    digest = hashlib.sha256(f"planted/{seed}".encode()).digest()
    own = marks(Names(pool), int.from_bytes(digest[:8], "big") >> 1)
    with np.errstate(divide="ignore"):
        late = np.log(-np.log1p(-own)) + np.logaddexp(0.0, pool["log_odds"].to_numpy())
    order: Places = np.argsort(late, kind="stable")
    flags = np.zeros(pool.num_rows, np.bool_)
    flags[order[:size]] = True
    return flags
