"""What people said of items: the first answer that counts, for whatever purpose it was asked."""

import hashlib
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.attempts import ALPHA_TOTAL, attempt_alpha
from cupel.cleaning.contamination.learning import Flags, Places


class Said(NamedTuple):
    """Of each item of a list: the sequence number of the first answer on it, 0 for none, and whether it is unwanted."""

    sequence: Places
    is_unwanted: Flags

    @property
    def is_answered(self) -> Flags:
        """Somebody has answered."""
        return self.sequence > 0


def said_of(item_ids: pa.ChunkedArray, answers: pa.Table, good: str) -> Said:
    """Return what people said of items; whoever cannot say that an item is wanted has said that it is not.

    Args:
        item_ids: The items.
        answers: Columns sequence, item_id and label of CONTAMINATION_ANSWERS, any order.
        good: The answer that says that an item is wanted.
    """
    answers = answers.select(["sequence", "item_id", "label"]).sort_by("sequence")
    first = pc.index_in(item_ids, value_set=answers["item_id"].combine_chunks())
    is_answered = first.is_valid()
    row = first.fill_null(0).to_numpy().astype(np.int64)
    sequence = np.zeros(len(item_ids), np.int64)
    is_unwanted = np.zeros(len(item_ids), np.bool_)
    flags = is_answered.to_numpy().astype(np.bool_)
    if answers.num_rows:
        sequence[flags] = answers["sequence"].to_numpy()[row[flags]]
        labels = answers["label"].to_pylist()
        is_unwanted[flags] = [labels[place] != good for place in row[flags]]
    return Said(sequence, is_unwanted)


def alpha_of(confidence: float, attempt: int) -> float:
    """Return what an attempt may spend; all attempts together spend less than the confidence leaves.

    >>> alpha_of(0.95, 1), alpha_of(0.9, 2)
    (0.04, 0.01)
    """
    left = (1 - Fraction(repr(confidence))) / Fraction(repr(ALPHA_TOTAL))
    return float(left * Fraction(repr(attempt_alpha(attempt))))


def seed_of(*parts: object) -> int:
    """Return a seed, 63 bits, made of all that is fixed."""
    digest = hashlib.sha256("/".join(map(str, ("contamination", *parts))).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
