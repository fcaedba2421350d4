"""Items to signals: each text normalised and masked, then measured. Nothing is dropped here."""

import hashlib

import pyarrow as pa

from cupel.cleaning.normalise import normalise
from cupel.cleaning.privacy import mask
from cupel.cleaning.quality import quality
from cupel.cleaning.settings import Cleaning
from cupel.tables import ITEM_SIGNALS


def item_signals(items: pa.Table, settings: Cleaning) -> pa.Table:
    """Measure items; a batch may be measured in pieces.

    Args:
        items: `raw_items`, any part of them, in any order.
        settings: Normalisation form and region of phone numbers.

    Returns:
        `item_signals`, a row an item, in the same order. All measures but `is_changed` and the counts of
        masks speak of the text as it stands there: normalised and masked.
    """
    columns: dict[str, list[object]] = {column.name: [] for column in ITEM_SIGNALS.columns}
    columns["item_id"] = items.column("item_id").to_pylist()
    for raw in items.column("text").to_pylist():
        normal = normalise(raw, settings.normalisation)
        masked = mask(normal, settings.phone_region)
        columns["text"].append(masked.text)
        columns["text_sha256"].append(text_sha256(masked.text))
        columns["is_changed"].append(normal != raw)
        columns["emails_masked"].append(masked.emails)
        columns["phones_masked"].append(masked.phones)
        columns["cards_masked"].append(masked.cards)
        for name, value in quality(masked.text)._asdict().items():
            columns[name].append(value)
    return pa.table(columns, schema=ITEM_SIGNALS.schema)


def folded(text: str) -> str:
    r"""Return the text lower-cased, with runs of white space as one space: what duplicates are judged by.

    >>> folded("The  Same\nText")
    'the same text'
    """
    return " ".join(text.lower().split())


def text_sha256(text: str) -> str:
    """Return the hash of the folded text: equal for texts that differ in case and white space only."""
    return hashlib.sha256(folded(text).encode()).hexdigest()
