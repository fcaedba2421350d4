"""Frequent sets: the few sets that stand for all others where measures of people count answers."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import Integers
from cupel.contract.columns import TEXT
from cupel.kinds.multilabel.label_sets import has_class
from cupel.kinds.multilabel.masi_alpha import masi_distance

# With many sets a crowd's answers say little of any, and who guesses much decides what items are: with 16 and more
# hardly anybody who guesses was found on made crowds. So there are few, but more where most items have no class: there
# nearly all answers would be alike, and 3 in 100 honest annotators were called guessing. With MOST_SETS it was 1 of
# 750; but then who guesses is hardly found there, and only who copies is.
FEWEST_SETS, MOST_SETS = 8, 32
MOST_SHARE = 1 / 3
DECIMALS = 9


def frequent_sets(labels: pa.Array | pa.ChunkedArray, classes: Sequence[str]) -> list[str]:
    """Return the sets that are given most often, the first by text of equally frequent ones.

    There are FEWEST_SETS; where one of these would stand for more than MOST_SHARE of the answers there are MOST_SETS.

    Args:
        labels: Canonical texts; nulls are left out.
        classes: The ontology.

    >>> frequent_sets(pa.array(['["a"]', "[]", "[]", None]), ("a", "b"))
    ['[]', '["a"]']
    """
    counts = pc.value_counts(labels.drop_null())
    if not len(counts):
        return []
    rows = sorted(counts.to_pylist(), key=lambda row: (-row["counts"], row["values"]))
    texts, given = [row["values"] for row in rows], np.array([row["counts"] for row in rows])
    few = texts[:FEWEST_SETS]
    stands_for = np.bincount(_nearest(texts, few, classes), given, len(few))
    return few if stands_for.max() <= MOST_SHARE * given.sum() else texts[:MOST_SETS]


def nearest_sets(labels: pa.Array | pa.ChunkedArray, frequent: Sequence[str], classes: Sequence[str]) -> pa.Array:
    """Return for each label the frequent set that stands for it: the nearest by MASI, the more frequent of two.

    Which one that is depends on the label alone. So whoever gave it, and whatever the others said, an answer is changed
    in the same way, and answers that were independent of each other stay so. What is lost is the difference between
    sets with the same neighbour: to confuse them is no mistake any more.

    Args:
        labels: Canonical texts, or null.
        frequent: The sets that may stand for others, the most frequent first.
        classes: The ontology.

    Returns:
        One of the frequent sets each, null where the label is null or there are no frequent sets.

    >>> nearest_sets(pa.array(['["a","b"]', "[]", None]), ["[]", '["a"]'], ("a", "b")).to_pylist()
    ['["a"]', '[]', None]
    """
    column = labels.combine_chunks() if isinstance(labels, pa.ChunkedArray) else labels
    encoded = column.cast(TEXT).dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    if not texts or not frequent:
        return pa.nulls(len(column), TEXT)
    nearest = pa.array(_nearest(texts, frequent, classes))
    return pa.array(frequent, TEXT).take(nearest).take(encoded.indices)


def _nearest(texts: Sequence[str], frequent: Sequence[str], classes: Sequence[str]) -> Integers:
    distances = masi_distance(has_class(texts, classes), has_class(frequent, classes))
    return np.asarray(np.round(distances, DECIMALS).argmin(axis=1))
