"""With verdicts: the consensus of annotators whom experts' verdicts on some of the items have made known."""

from collections.abc import Callable, Collection, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.consensus.coding import by_item
from cupel.contract.columns import TEXT

# A verdict counts like so many annotators of one mind who are never wrong: it outweighs what an item's own say.
EXPERTS = 10

# Returns CONSENSUS of annotations.
Read = Callable[[pa.Table], pa.Table]


def consensus_with_verdicts(
    annotations: pa.Table, plain: pa.Table, verdicts: Mapping[str, str], read: Read
) -> pa.Table:
    """Return what annotators say together, each believed as far as experts' verdicts bear them out.

    A verdict settles its item while annotators are estimated, so that those who are often wrong on these items count
    less on all others. What is believed of an item that has a verdict itself comes from the verdicts on half of the
    others alone (those at every other place in the order of ids): so it can be held against its own verdict.

    Args:
        annotations: ANNOTATIONS of one batch, any order.
        plain: Their CONSENSUS without verdicts.
        verdicts: Experts' labels by item id; items of the batch, labels that `read` knows.
        read: A consensus method: returns CONSENSUS of all items of the batch.

    Returns:
        CONSENSUS by item id; votes, agreement and majority are the annotators' alone.
    """
    plain = by_item(plain)
    if not verdicts:
        return plain
    names = sorted(verdicts)
    found = by_item(read(_add_experts(annotations, verdicts, names)))
    for place in (0, 1):
        others = by_item(read(_add_experts(annotations, verdicts, names[1 - place :: 2])))
        found = _take_beliefs(found, others, pc.is_in(plain["item_id"], value_set=pa.array(names[place::2], TEXT)))
    return _take_beliefs(plain, found, pc.is_valid(plain["posterior"]))


def _add_experts(annotations: pa.Table, verdicts: Mapping[str, str], names: Collection[str]) -> pa.Table:
    """Return the annotations, and the verdict on each of these items as the answer of several annotators."""
    experts = [f"\N{NULL}expert {number}" for number in range(EXPERTS)]
    columns = {
        "item_id": np.repeat(list(names), EXPERTS).tolist(),
        "annotator": experts * len(names),
        "label": np.repeat([verdicts[name] for name in names], EXPERTS).tolist(),
    }
    fields = {name: annotations.schema.field(name).type for name in columns}
    added = pa.table({name: pa.array(column, TEXT).cast(fields[name]) for name, column in columns.items()})
    return pa.concat_tables([annotations, added], promote_options="default")


def _take_beliefs(table: pa.Table, other: pa.Table, is_other: pa.ChunkedArray) -> pa.Table:
    """Return a CONSENSUS with the posterior and the consensus label of another one in some rows."""
    for name in ("consensus_label", "posterior"):
        place, field = table.column_names.index(name), table.schema.field(name)
        table = table.set_column(place, field, pc.if_else(is_other, other[name], table[name]).cast(field.type))
    return table
