"""Frequent sets: the few sets that stand for all others where measures of people count answers."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT
from cupel.kinds.multilabel.label_sets import has_class
from cupel.kinds.multilabel.masi_alpha import masi_distance

# More sets make tables of confusions that nobody has answers enough for: those who guess were not told any more. With
# half as many, honest annotators of rare classes were called guessing (both on made crowds).
MOST_SETS = 16
DECIMALS = 9


def frequent_sets(labels: pa.Array | pa.ChunkedArray) -> list[str]:
    """Return the sets that are given most often, at most MOST_SETS; of equally frequent ones the first by text.

    Args:
        labels: Canonical texts; nulls are left out.

    >>> frequent_sets(pa.array(['["a"]', "[]", "[]", None]))
    ['[]', '["a"]']
    """
    counts = pc.value_counts(labels.drop_null())
    rows = sorted(counts.to_pylist(), key=lambda row: (-row["counts"], row["values"]))
    return [row["values"] for row in rows[:MOST_SETS]]


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
    distances = masi_distance(has_class(texts, classes), has_class(frequent, classes))
    nearest = pa.array(np.round(distances, DECIMALS).argmin(axis=1))
    return pa.array(frequent, TEXT).take(nearest).take(encoded.indices)
