"""Earlier batches: what people said of their items trains the model of this one, and vouches for nothing here."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.contamination.answered import said_of
from cupel.cleaning.contamination.candidates import Examples, shortened
from cupel.config.contamination import Contamination
from cupel.tables import TEXT

# The last answers say most of what comes next, and so many are enough.
MOST_EARLIER = 5_000


def earlier_examples(
    answers: Sequence[tuple[str, pa.Table]],
    texts: Mapping[str, Callable[[], Iterator[pa.Table]]],
    before: int,
    settings: Contamination,
) -> Examples:
    """Return texts of earlier batches and what was said of them.

    Args:
        answers: Earlier batches, in the order of the register, with their ANSWERS for contamination and its audit.
        texts: For each the pieces of its item_id and text.
        before: Sequence number; only answers before it count, so that those that come later change nothing.
        settings: The project's words.

    Returns:
        At most `MOST_EARLIER` items, those whose answers came last.
    """
    words = pa.array([settings.good, settings.what], TEXT)
    parts = [pa.schema([("batch", TEXT), ("item_id", TEXT), ("sequence", pa.int64())]).empty_table()]
    valid: dict[str, pa.Table] = {}
    for batch, given in answers:
        counts = pc.and_(pc.less(given["sequence"], before), pc.is_in(given["label"], value_set=words))
        valid[batch] = given.filter(counts)
        ids = pc.unique(valid[batch]["item_id"])
        said = said_of(pa.chunked_array([ids], TEXT), valid[batch], settings.good)
        columns = {"batch": pa.repeat(pa.scalar(batch, TEXT), len(ids)), "item_id": ids}
        parts.append(pa.table(columns | {"sequence": pa.array(said.sequence)}))
    last = pa.concat_tables(parts).sort_by([("sequence", "descending")]).slice(0, MOST_EARLIER)
    found, flags = [], [np.zeros(0, np.bool_)]
    for batch in valid:
        ids = last.filter(pc.equal(last["batch"], batch))["item_id"].combine_chunks()
        for piece in texts[batch]() if len(ids) else ():
            own = piece.filter(pc.is_in(piece["item_id"], value_set=ids))
            found += shortened(own["text"]).chunks
            flags.append(said_of(own["item_id"], valid[batch], settings.good).is_unwanted)
    return Examples(pa.chunked_array(found, TEXT), np.concatenate(flags))
