"""Same answers: what experts said of an item, with one text for all that count as the same."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.contract.columns import TEXT
from cupel.contract.item_numbers import Places, places, ranks
from cupel.contract.kind import Kind, are_equal
from cupel.contract.ontology import Ontology

Flags = NDArray[np.bool_]

# The columns that name an item.
ITEM = ("batch", "item_id")


def replace_same(
    answers: pa.Table, proposed: pa.Table, kind: Kind | None, ontology: Ontology, names: tuple[str, ...] = ITEM
) -> pa.Table:
    """Return experts' answers with one text for all labels of an item that count as the same.

    Two labels may each be the same as a third and yet not as each other, so what is the same has to be settled once,
    in the order of the answers. An answer that is the same as the proposed label becomes that label. Else it becomes
    the earliest answer on the item that it is the same as, of those that became nothing else themselves. Else it stays
    as it is. From then on labels are the same where their texts are: an answer has the text of the proposed label
    exactly where the kind finds the two the same. Later answers change nothing about earlier ones.

    Args:
        answers: All experts' answers on the items, whatever their purpose: columns `names`, sequence and label.
        proposed: The labels that are judged: columns `names` and label, an item once. On an item that is not there,
            answers are held against each other only.
        kind: The label kind; None where labels are the same if their texts are.
        ontology: What a label may say.
        names: The columns that name an item.

    Returns:
        The answers in the order of their sequence; as they came where labels are the same if their texts are.
    """
    if kind is None or kind.is_same is are_equal or not answers.num_rows:
        return answers
    answers = answers.sort_by("sequence")
    judged, item = places(proposed, answers, names=names)
    said, own = answers["label"].combine_chunks(), np.arange(len(item))
    row = np.full(max(judged.max(initial=-1), item.max(initial=-1)) + 1, -1, np.int64)
    row[judged] = np.arange(len(judged))
    first = proposed["label"].combine_chunks().take(pa.array(row[item], mask=row[item] < 0))
    is_proposed = _flags(kind.is_same(said, first, ontology))
    is_open = ~is_proposed & _flags(said.is_valid())
    head, rank = own.copy(), ranks(item)  # of each answer the one whose text it takes
    for place in range(1, int(rank.max(initial=0)) + 1):
        heads = np.flatnonzero(is_open & (head == own) & (rank < place))
        late, earlier = _pair(item, np.flatnonzero(is_open & (rank == place)), heads)
        is_same = _flags(kind.is_same(said.take(pa.array(late)), said.take(pa.array(earlier)), ontology))
        head[late[is_same][::-1]] = earlier[is_same][::-1]  # of several the earliest counts: it is written last
    label = pc.if_else(pa.array(is_proposed), first, said.take(pa.array(head))).cast(TEXT)
    return answers.set_column(answers.column_names.index("label"), "label", label)


def nothing_proposed() -> pa.Table:
    """Return proposals of no item: answers of before the freeze are held against each other only."""
    return pa.table({"item_id": pa.array([], TEXT), "label": pa.array([], TEXT)})


def _pair(item: Places, late: Places, heads: Places) -> tuple[Places, Places]:
    """Return each row of `late` beside every row of `heads` that is of its item, these in ascending order."""
    heads = heads[np.argsort(item[heads], kind="stable")]
    start, end = (np.searchsorted(item[heads], item[late], side) for side in ("left", "right"))
    count = end - start
    inside = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(late, count), heads[np.repeat(start, count) + inside]


def _flags(values: pa.Array | pa.ChunkedArray) -> Flags:
    """Return booleans; null is false."""
    return np.asarray(pc.fill_null(values, False), dtype=np.bool_)
