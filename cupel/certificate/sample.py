"""The draw: a simple random sample that anybody can repeat from the ids and the recorded seed."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from cupel.errors import AuditError


def draw(ids: Sequence[tuple[str, str]], size: int, seed: int) -> list[int]:
    """Draw a simple random sample of items: those with the smallest hashes of seed, batch and id.

    Why this is a simple random sample: SHA-256 is treated as a random function. Distinct items then have
    independent, uniform places in the order of the hashes, so each set of `size` items is equally likely to
    come first. Labels and the order of the rows do not enter. This needs a seed that nobody knew while the
    labels could still change: with the seed at hand, one could compute the sample and mend only its labels.
    The first m of a larger sample are the sample of size m, so an audit can be extended.

    Args:
        ids: Batch (a slug) and item id of each item; no two alike.
        size: Items to draw, 0 <= size <= len(ids).
        seed: Recorded with the release.

    Returns:
        Positions in `ids`, in the order of the draw.

    Raises:
        AuditError: The size is impossible, or an id occurs twice.

    >>> ids = [("movies", str(number)) for number in range(8)]
    >>> draw(ids, 3, seed=7) == draw(ids, 5, seed=7)[:3]
    True
    """
    if not 0 <= size <= len(ids):
        raise AuditError(f"size of the sample: found {size}; expected 0 to {len(ids)}, the items there are")
    if len(set(ids)) != len(ids):
        batch, item_id = next(name for name, times in Counter(ids).items() if times > 1)
        raise AuditError(f"batch {batch}, item_id {item_id!r}: occurs twice; ids must be unique within a batch")
    keys = [(hashlib.sha256(f"{seed}/{batch}/{item}".encode()).digest(), batch, item) for batch, item in ids]
    return sorted(range(len(ids)), key=keys.__getitem__)[:size]
