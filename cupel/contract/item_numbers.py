"""Places: items as numbers, so that rows of several tables that speak of one item find each other."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Places = NDArray[np.int64]


def places(*tables: pa.Table, names: tuple[str, ...] = ("batch", "item_id")) -> list[Places]:
    """Return a number for each row: the same where the named columns are the same, in whichever table.

    Args:
        tables: Tables that have these columns, none of them null.
        names: The columns.

    Returns:
        For each table an array of its rows' numbers; they run from 0 without gaps over all tables.

    >>> one = pa.table({"batch": ["a", "a"], "item_id": ["1", "2"]})
    >>> other = pa.table({"batch": ["b", "a"], "item_id": ["2", "2"]})
    >>> [numbers.tolist() for numbers in places(one, other)]
    [[0, 1], [2, 1]]
    """
    numbers = np.zeros(sum(table.num_rows for table in tables), np.int64)
    for name in names:
        column = pa.chunked_array(
            [chunk for table in tables for chunk in table[name].cast(pa.string()).chunks], pa.string()
        )
        coded = column.combine_chunks().dictionary_encode()
        numbers = numbers * max(1, len(coded.dictionary)) + coded.indices.to_numpy()
        # Without gaps again, so that the product of the next column is far from what a number can hold.
        numbers = np.unique(numbers, return_inverse=True)[1].astype(np.int64)
    return np.split(numbers, np.cumsum([table.num_rows for table in tables])[:-1])


def ranks(numbers: Places) -> Places:
    """Return of each row how many rows before it have the same number.

    >>> ranks(np.array([5, 7, 5, 5, 7])).tolist()
    [0, 0, 1, 2, 1]
    """
    order = np.argsort(numbers, kind="stable")
    ordered = numbers[order]
    starts = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] - 1))
    found = np.empty(len(numbers), np.int64)
    found[order] = np.arange(len(numbers)) - np.repeat(starts, np.diff(starts, append=len(numbers)))
    return found
