"""Splits: which part of a release an item goes to. A group is never divided."""

import hashlib
from collections.abc import Sequence

from cupel.project import Splits


def split_of(group_id: str, seed: int, shares: Splits) -> str:
    """Return the split of a group: always the same for the same group and seed.

    Args:
        group_id: Items that must stay together.
        seed: The release settings' seed.
        shares: Share of each split, of groups rather than of items.

    >>> split_of("movies/17", 1, Splits()) == split_of("movies/17", 1, Splits())
    True
    """
    digest = hashlib.sha256(f"split/{seed}/{group_id}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < shares.train:
        return "train"
    return "validation" if place < shares.train + shares.validation else "test"


def splits(group_ids: Sequence[str], seed: int, shares: Splits) -> list[str]:
    """Return the split of each item, given its group."""
    known = {group: split_of(group, seed, shares) for group in set(group_ids)}
    return [known[group] for group in group_ids]
