"""Splits: which part of a release an item goes to. A group is never divided."""

import hashlib
from collections.abc import Iterable, Sequence

from cupel.config.release import Splits


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


def joined(group_ids: Sequence[str], alike: Iterable[tuple[int, int]]) -> list[str]:
    """Return the group of each item after groups that hold alike items became one.

    Batches are cleaned one after another, so an item of a later batch may show that two groups of earlier
    ones belong together. Their names cannot change there any more; a release that holds them all joins them.

    Args:
        group_ids: The group of each item.
        alike: Pairs of places in `group_ids`.

    Returns:
        The least name of the joined groups, for each item.

    >>> joined(["a", "b", "c"], [(2, 1)])
    ['a', 'b', 'b']
    """
    head = {group: group for group in group_ids}

    def root(group: str) -> str:
        while head[group] != group:
            head[group] = head[head[group]]
            group = head[group]
        return group

    for left, right in alike:
        first, second = sorted((root(group_ids[left]), root(group_ids[right])))
        head[second] = first
    return [root(group) for group in group_ids]
