"""A comparison as preference trainers read it: a prompt, the chosen and the rejected response."""

from collections.abc import Iterator, Mapping
from typing import Any

from cupel.contract.ontology import Ontology
from cupel.modalities.comparison import FIRST, SECOND, TIE, from_text


def pairs(row: Mapping[str, Any], ontology: Ontology) -> Iterator[dict[str, Any]]:
    """Yield the pair that a row of a release makes; a tie prefers nothing, and makes none.

    Args:
        row: Of TRAINING_SET: batch, item_id, text and label.
        ontology: Not looked at.

    Returns:
        `prompt`, `chosen` and `rejected`, as trainers by direct preference optimisation read them, and `batch` and
        `item_id`, by which a label can be traced.

    Raises:
        ValueError: The text lays out no comparison, or the label is none of one.
    """
    if row["label"] == TIE:
        return
    prompt, first, second = from_text(row["text"])
    if row["label"] not in (FIRST, SECOND):
        raise ValueError(f"label {row['label']!r}; expected first, second or tie")
    chosen, rejected = (first, second) if row["label"] == FIRST else (second, first)
    pair = {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    yield pair | {"batch": row["batch"], "item_id": row["item_id"]}
