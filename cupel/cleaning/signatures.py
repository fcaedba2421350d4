"""Signals to signatures: the shingles of each text, and the MinHash bands that bring similar texts together."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.cleaning.fingerprints import fingerprints
from cupel.cleaning.minhash import Banding
from cupel.cleaning.privacy.tokens import KEYED
from cupel.cleaning.shingles import Shape, Shingles
from cupel.config.cleaning import Cleaning
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
        _bytes(found.shingles, np.append(0, np.cumsum(found.sizes))),
        _rows(found.bands),
        _rows(found.sketches.view(np.uint32)),
    ]
    return pa.table(columns, schema=SIGNATURES.schema)


def shape_of(settings: Cleaning) -> Shape:
    """Return what a project calls a shingle."""
    if settings.shingle_words is not None:
        return Shape(settings.shingle_words, of_words=True)
    return Shape(settings.shingle_characters)


def _rows(values: Shingles) -> pa.LargeBinaryArray:
    count, width = values.shape
    return _bytes(values.ravel(), np.arange(0, count * width + 1, max(width, 1)))


def _bytes(values: Shingles, offsets: NDArray[np.int64]) -> pa.LargeBinaryArray:
    buffers = [None, pa.py_buffer(4 * offsets), pa.py_buffer(np.ascontiguousarray(values, "<u4"))]
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)


def matrix(hashes: pa.ChunkedArray, width: int) -> Shingles:
    """Return a column of `width` hashes each, a row an item."""
    return numbers(hashes)[0].reshape(-1, width)


def numbers(hashes: pa.ChunkedArray) -> tuple[Shingles, NDArray[np.int64]]:
    """Return the hashes of a column, one row after the other, and how many each row has."""
    column = hashes.combine_chunks()
    if not len(column):
        return np.empty(0, np.uint32), np.empty(0, np.int64)
    offsets = np.frombuffer(column.buffers()[1], np.int64)[column.offset : column.offset + len(column) + 1]
    held = np.frombuffer(column.buffers()[2] or b"", np.uint8)[offsets[0] : offsets[-1]]
    return np.require(held.view("<u4"), requirements="A"), np.diff(offsets) // 4
