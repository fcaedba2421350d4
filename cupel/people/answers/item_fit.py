"""Item fit: which answers say something that cannot be of their item, as a mark behind the end of its text."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.contract.columns import TEXT
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology

IsMisfit = Callable[[pa.Table], NDArray[np.bool_]]


def find_misfits(items: pa.Table, kind: Kind, ontology: Ontology) -> IsMisfit | None:
    """Return what tells which of some answers cannot be of their item; None for a kind of which all can.

    Args:
        items: Columns item_id and text, each item once.
        kind: The label kind.
        ontology: What a label may say.

    Returns:
        A function of answers (columns item_id and label). An answer about another item, or that is no label, is no
        misfit.
    """
    fits = kind.fits
    if fits is None:
        return None
    ids, texts = items["item_id"].combine_chunks().cast(TEXT), items["text"].combine_chunks()

    def are_misfits(answers: pa.Table) -> NDArray[np.bool_]:
        label = kind.parse(answers["label"], ontology)
        text = texts.take(pc.index_in(answers["item_id"].cast(TEXT), value_set=ids).combine_chunks())
        is_known = pc.and_(label.is_valid(), text.is_valid())
        found = np.zeros(answers.num_rows, np.bool_)
        rows = np.flatnonzero(np.asarray(is_known, np.bool_))
        found[rows] = ~np.asarray(fits(label.filter(is_known), text.filter(is_known)), np.bool_)
        return found

    return are_misfits
