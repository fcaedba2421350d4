"""Items to signals: each text normalised and masked, then measured. Nothing is dropped here."""

from collections.abc import Container
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.duplicates.folded_texts import hash_texts
from cupel.cleaning.kept_texts import kept_texts
from cupel.cleaning.overlap.index import Index
from cupel.cleaning.web_rules import PREFIX, stop_word_lists
from cupel.config.cleaning import Cleaning
from cupel.contract.tables.cleaning import ITEM_SIGNALS
from cupel.modalities.text.languages.codes import is_same
from cupel.modalities.text.languages.identify import identify
from cupel.modalities.text.scan.basics import basics
from cupel.modalities.text.scan.measures import measures


def item_signals(
    items: pa.Table,
    settings: Cleaning,
    repeated: Container[str] = frozenset(),
    key: bytes | None = None,
    index: Index | None = None,
) -> pa.Table:
    """Measure items; a batch may be measured in pieces.

    Args:
        items: `raw_items`, any part of them, in any order.
        settings: Normalisation form, repairs, region of phone numbers, rules for web text.
        repeated: The batch's repeated lines, where the project wants them removed.
        key: What makes the tokens of private data, see `cupel.cleaning.mask_key`; None: they tell its kind alone.
        index: What models are examined with; None: nothing is looked for.

    Returns:
        `item_signals`, a row an item, in the same order. All measures but `is_changed` and the counts of
        masks speak of the text normalised and masked, with the kind alone of each mask: no decision depends on
        the key.
    """
    texts, columns = kept_texts(items.column("text"), settings, repeated, key)
    found = identify(texts, settings.least_language_confidence)
    languages = found["language"].combine_chunks().dictionary_encode()
    stop_words = stop_word_lists(languages.dictionary.to_pylist(), settings.web_rules)
    measured = measures(texts, stop_words or [()], which=languages.indices.to_numpy())
    measured = measured.rename_columns([f"{PREFIX}{name}" for name in measured.column_names])
    whole = {"item_id": items.column("item_id"), **columns, "text_sha256": hash_texts(texts), **basics(texts)}
    whole |= {"language": found["language"], "language_confidence": pc.round(found["confidence"].cast(pa.float64()), 4)}
    whole |= {"language_variety": found["variety"], **_overlap(texts, index)}
    whole["is_declared_language"] = _as_declared(items.column("declared_language"), found["language"])
    whole |= dict(zip(measured.column_names, measured.columns, strict=True))
    return pa.table({name: whole[name] for name in ITEM_SIGNALS.schema.names}).cast(ITEM_SIGNALS.schema)


def _overlap(texts: pa.Array, index: Index | None) -> dict[str, pa.Array]:
    found = [None] * len(texts) if index is None else index.find(texts)
    return {
        "overlap_share": pa.array([None if match is None else round(match.share, 4) for match in found], pa.float64()),
        "overlap_with": pa.array([None if match is None else match.evidence for match in found], pa.string()),
    }


def _as_declared(declared: pa.ChunkedArray, found: pa.ChunkedArray) -> pa.Array:
    if declared.null_count == len(declared):
        return pa.nulls(len(declared), pa.bool_())
    same = cache(is_same)
    pairs = zip(declared.to_pylist(), found.to_pylist(), strict=True)
    return pa.array([None if said is None else same(said, told) for said, told in pairs], pa.bool_())
