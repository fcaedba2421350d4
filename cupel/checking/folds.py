"""Folds: which items are held out together, so that nothing is judged by what it taught."""

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cupel.config.checking import Checking
from cupel.consensus.coding import Integers

PIECE_ITEMS = 65_536


def folds(item_ids: Sequence[str], group_ids: Sequence[str | None], settings: Checking) -> Integers:
    """Return the fold of each item: a hash of its group (or of itself, without one) and the seed.

    >>> folds(["a", "b", "c"], ["g", "g", None], Checking()).tolist()
    [3, 3, 2]
    """
    names = [
        f"item:{item}" if group is None else f"group:{group}" for item, group in zip(item_ids, group_ids, strict=True)
    ]
    digests = (hashlib.sha256(f"{settings.seed}:{name}".encode()).digest() for name in names)
    return np.array([int.from_bytes(digest[:8], "big") % settings.folds for digest in digests], dtype=np.int64)


def folds_of(items: pa.Table, settings: Checking) -> Integers:
    """Return the fold of each row of a table with item_id and group_id."""
    pieces = [items.slice(start, PIECE_ITEMS) for start in range(0, items.num_rows, PIECE_ITEMS)]
    found = [folds(piece["item_id"].to_pylist(), piece["group_id"].to_pylist(), settings) for piece in pieces]
    return np.concatenate([np.zeros(0, np.int64), *found])
