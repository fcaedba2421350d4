"""Comparisons as integers: which responses an item compares, and who said what of it."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.consensus.coding import Coded, by_item, code
from cupel.errors import TableError
from cupel.kinds.preference.bradley_terry import Compared
from cupel.modalities.comparison import CLASSES, from_text


class CodedComparisons(NamedTuple):
    """Comparisons and their answers.

    `coded` is the answers as any consensus sees them, classes in the project's order; `compared` the same with the
    responses, classes in the order of `CLASSES`. `prompt_ids` and `response_ids` have one entry per response.
    """

    coded: Coded
    compared: Compared
    prompt_ids: list[str]
    response_ids: list[str]


def code_comparisons(annotations: pa.Table, items: pa.Table, classes: Sequence[str]) -> CodedComparisons:
    """Return comparisons and answers as integers, in an order that does not depend on the order of rows.

    Responses are the same where prompt and text are: one that stands in several comparisons is one response.

    Args:
        annotations: ANNOTATIONS of one batch, any order.
        items: CLEAN_ITEMS of the batch, or any table with item_id and text; texts as `as_text` makes them.
        classes: The ontology: some of first, second and tie.

    Raises:
        TableError: A text lays out no comparison, an item stands twice, or an annotation's item or label is not
            known.
    """
    items = by_item(items.select(["item_id", "text"]))
    coded = code(annotations, items["item_id"], classes)
    pairs = [_pair(*row) for row in zip(items["item_id"].to_pylist(), items["text"].to_pylist(), strict=True)]
    known = sorted({side for pair in pairs for side in pair})
    place = {response: number for number, response in enumerate(known)}
    sides = np.array([(place[first], place[second]) for first, second in pairs], np.int64).reshape(-1, 2)
    said = np.array([CLASSES.index(name) for name in classes], np.int64)
    compared = Compared(
        sides[:, 0], sides[:, 1], coded.item, coded.annotator, said[coded.label], len(known), len(coded.annotators)
    )
    return CodedComparisons(coded, compared, [_id(prompt) for prompt, _ in known], [_id(*both) for both in known])


def _pair(item_id: str, text: str) -> tuple[tuple[str, str], tuple[str, str]]:
    try:
        prompt, first, second = from_text(text)
    except ValueError as error:
        raise TableError(
            f"table clean_items, item_id {item_id!r}: {error}; set first_field and second_field of its delivery"
        ) from error
    return (prompt, first), (prompt, second)


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
