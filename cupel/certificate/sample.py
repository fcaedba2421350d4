"""The draw: a simple random sample that anybody can repeat from the ids and the recorded seed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from cupel.certificate.digests import Digests, digests
from cupel.errors import AuditError

# So many ids are hashed at a time, so that few are held as Python strings.
PIECE_IDS = 65_536

Name = tuple[str, str]


def draw(ids: Sequence[Name], size: int, seed: int) -> list[int]:
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
    return draw_from(hashes(ids, seed), ids, size)


def hashes(ids: Iterable[Name], seed: int) -> Digests:
    """Return the hash of seed, batch and id that decides which items are drawn; shape ids x 4.

    Args:
        ids: Batch and item id of each item; they are taken one after another, and none is kept.
        seed: Recorded with the release.
    """
    found = [np.empty((0, 4), np.uint64)]
    rest = iter(ids)
    while piece := list(islice(rest, PIECE_IDS)):
        found.append(digests(f"{seed}/{batch}/{item}".encode() for batch, item in piece))
    return np.concatenate(found)
