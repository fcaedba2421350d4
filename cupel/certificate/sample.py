"""The draw: a simple random sample that anybody can repeat from the ids and the recorded seed."""

from collections import Counter
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from cupel.certificate.digests import digests
from cupel.errors import AuditError

Name = tuple[str, str]

_MARK_BITS = 53


def draw(ids: Collection[Name], size: int, seed: int) -> list[int]:
    """Draw a simple random sample of items: those with the smallest hashes of seed, batch and id.

    Why this is a simple random sample: SHA-256 is treated as a random function. Distinct items then have
    independent, uniform places in the order of the hashes, so each set of `size` items is equally likely to
    come first. Labels and the order of the rows do not enter. This needs a seed that nobody knew while the
    labels could still change: with the seed at hand, one could compute the sample and mend only its labels.
    The first m of a larger sample are the sample of size m, so an audit can be extended.

    Args:
        ids: Batch (a slug) and item id of each item; no two alike. They are taken one after another.
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
    words = digests(f"{seed}/{batch}/{item}".encode() for batch, item in ids)
    order = np.lexsort(words.T[::-1])
    is_same = (words[order[1:]] == words[order[:-1]]).all(axis=1)
    if not is_same.any():
        return [int(place) for place in order[:size]]
    names = list(ids)
    if len(set(names)) != len(names):
        batch, item_id = next(name for name, times in Counter(names).items() if times > 1)
        raise AuditError(f"batch {batch}, item_id {item_id!r}: occurs twice; ids must be unique within a batch")
    # Only where a batch is no slug do two items look alike to the hash; then their names decide.
    return sorted(range(len(names)), key=lambda place: (*words[place].tolist(), *names[place]))[:size]


def marks(ids: Collection[Name], seed: int) -> NDArray[np.float64]:
    """Return a mark for each item, independent and uniform from 0 to below 1: its hash, read as a fraction.

    Args:
        ids: Batch and item id of each item; `draw` draws those with the smallest marks.
        seed: Recorded with the release.

    Returns:
        Marks of shape items.

    >>> ids = [("movies", str(number)) for number in range(8)]
    >>> marks(ids, seed=7).argsort().tolist() == draw(ids, 8, seed=7)
    True
    """
    words = digests(f"{seed}/{batch}/{item}".encode() for batch, item in ids)
    # The highest bits that a float holds exactly.
    return (words[:, 0] >> (64 - _MARK_BITS)).astype(np.float64) / 2.0**_MARK_BITS
