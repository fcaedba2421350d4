"""Which images resemble an earlier one, in their batch or in one before it, by their perceptual hashes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.cleaning.duplicates.similar_items import delivery_ranks
from cupel.contract.columns import TEXT
from cupel.contract.tables.cleaning import SIMILAR_ITEMS
from cupel.modalities.image.perceptual_hash import BITS
from cupel.modalities.image.similar_hashes import similar_hashes

# Of images with the very same hash the first so many stand for all: frames of a film would make pairs without end.
MOST_OF_ONE_HASH = 20


class SimilarImages(NamedTuple):
    """SIMILAR_ITEMS of a batch, and how many images of a common hash were compared with the first of it alone."""

    pairs: pa.Table
    beyond: int


class HashedBatch(NamedTuple):
    """A batch and its `image_signals`: item_id and perceptual_hash."""

    batch: str
    signals: pa.Table


def similarity_of_bits(bits: int) -> float:
    """Return the similarity of images whose hashes differ in so many bits.

    >>> similarity_of_bits(8)
    0.875
    """
    return 1 - bits / BITS


def similar_images(own: HashedBatch, earlier: Sequence[HashedBatch], raw: pa.Table, most_bits: int) -> SimilarImages:
    """Return the pairs of a batch's images with earlier ones whose hashes differ in at most so many bits.

    Args:
        own: The batch.
        earlier: The batches before it in the register, in its order.
        raw: `raw_items` of the batch, any order; item_id, source_file and line.
        most_bits: The most bits of a pair.
    """
    order = pa.array(np.argsort(delivery_ranks(own.signals["item_id"], raw)))
    batches = [*earlier, HashedBatch(own.batch, own.signals.take(order))]
    table = pa.concat_tables(
        pa.table(
            {
                "batch": pa.repeat(pa.scalar(one.batch, TEXT), one.signals.num_rows),
                "item_id": one.signals["item_id"],
                "hash": one.signals["perceptual_hash"],
                "is_own": pa.repeat(place == len(earlier), one.signals.num_rows),
            }
        )
        for place, one in enumerate(batches)
    )
    table = table.filter(pa.compute.is_valid(table["hash"]))
    hashes = np.array([int(one, 16) for one in table["hash"].to_pylist()], np.uint64)
    later, before, distances, beyond = _pairs(hashes, most_bits)
    is_own = table["is_own"].to_numpy()[later]
    later, before, distances = later[is_own], before[is_own], distances[is_own]
    pairs = pa.table(
        {
            "item_id": table["item_id"].take(pa.array(later)),
            "earlier_batch": table["batch"].take(pa.array(before)),
            "earlier_item_id": table["item_id"].take(pa.array(before)),
            "similarity": pa.array(1 - distances / BITS, pa.float64()),
        }
    )
    for name in SIMILAR_ITEMS.schema.names[pairs.num_columns :]:
        pairs = pairs.append_column(name, pa.nulls(pairs.num_rows, SIMILAR_ITEMS.schema.field(name).type))
    return SimilarImages(pairs.cast(SIMILAR_ITEMS.schema), beyond)


def _pairs(
    hashes: NDArray[np.uint64], most_bits: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], int]:
    """Return later and earlier places of pairs, the bits in which they differ, and how many are beyond the first."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(hashes) else np.empty(0, np.int64)
    counts = np.diff(np.append(starts, len(hashes)))
    number = np.empty(len(hashes), np.int64)
    number[order] = np.arange(len(hashes)) - np.repeat(starts, counts)
    first = np.empty(len(hashes), np.int64)
    first[order] = np.repeat(order[starts], counts)
    compared = np.flatnonzero(number < MOST_OF_ONE_HASH)
    beyond = np.flatnonzero(number >= MOST_OF_ONE_HASH)
    found = similar_hashes(hashes[compared], most_bits)
    return (
        np.concatenate([compared[found.later], beyond]),
        np.concatenate([compared[found.earlier], first[beyond]]),
        np.concatenate([found.distances.astype(np.int64), np.zeros(len(beyond), np.int64)]),
        len(beyond),
    )
