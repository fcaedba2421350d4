"""Signals to signatures: the shingles of each text, and the MinHash bands that bring similar texts together."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.cleaning.fingerprints import fingerprints
from cupel.cleaning.minhash import Banding
from cupel.cleaning.privacy.tokens import KEYED
from cupel.cleaning.settings import Cleaning
from cupel.cleaning.shingles import Shape, Shingles
from cupel.tables import SIGNATURES

# Two texts of Jaccard similarity s share a band with chance 1 - (1 - s^4)^32, .87 at .5.
BANDING = Banding(32, 4)


def signatures(signals: pa.Table, batch: str, settings: Cleaning) -> pa.Table:
    """Return what finding duplicates needs of each item; a batch may be taken in pieces.

    A shingle is a run of characters (or words) of the folded text (lower-cased, white space as one space); a shorter
    text is one shingle. Hashes are the same on every machine and in every run.

    Args:
        signals: `item_signals`, any part of them.
        batch: The batch that they are of.
        settings: What a shingle is.

    Returns:
        `signatures`, a row an item, in the same order.

    Source: Broder (1997), On the resemblance and containment of documents; Leskovec, Rajaraman and
    Ullman, Mining of Massive Datasets, chapter 3 (bands).
    """
    # Who is spoken of makes no two texts: only the kind of what was masked counts.
    texts = pc.replace_substring_regex(signals.column("text"), KEYED, r"<\1>")
    found = fingerprints(texts, shape_of(settings), BANDING, keep_shingles=True)
    columns = [
        pa.repeat(batch, signals.num_rows).cast(pa.string()),
        signals.column("item_id"),
        signals.column("text_sha256"),
        pa.array(found.sizes),
        _lists(found.shingles, np.append(0, np.cumsum(found.sizes))),
        _rows(found.bands),
        _rows(found.sketches.view(np.uint32)),
    ]
    return pa.table(columns, schema=SIGNATURES.schema)


def shape_of(settings: Cleaning) -> Shape:
    """Return what a project calls a shingle."""
    if settings.shingle_words is not None:
        return Shape(settings.shingle_words, of_words=True)
    return Shape(settings.shingle_characters)


def _rows(values: Shingles) -> pa.ListArray:
    count, width = values.shape
    return _lists(values.ravel(), np.arange(0, count * width + 1, width))


def _lists(values: Shingles, offsets: NDArray[np.int64]) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values))


def matrix(lists: pa.ChunkedArray, width: int) -> Shingles:
    """Return a column of lists that all have `width` hashes, a row a list."""
    return flat(lists).reshape(-1, width)


def flat(lists: pa.ChunkedArray) -> Shingles:
    """Return the hashes of a column of lists, one list after the other."""
    return np.ascontiguousarray(pc.list_flatten(lists).to_numpy())
