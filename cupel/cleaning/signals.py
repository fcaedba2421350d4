"""Items to signals: each text normalised and masked, then measured. Nothing is dropped here."""

import hashlib
from collections.abc import Container
from functools import cache

import pyarrow as pa
import pyarrow.compute as pc

from cupel.cleaning.overlap.index import Index
from cupel.cleaning.privacy.mask import Masked, mask
from cupel.cleaning.privacy.tokens import without_keyed
from cupel.cleaning.repairs import repaired
from cupel.cleaning.scan.basics import basics
from cupel.cleaning.scan.measures import measures
from cupel.cleaning.settings import Cleaning
from cupel.cleaning.web_rules import PREFIX, stop_word_lists
from cupel.languages.codes import is_same
from cupel.languages.identify import identify
from cupel.tables import ITEM_SIGNALS

# The columns that are made text by text; the others come from compiled loops over all of them.
_MASKED = {f"{kind}_masked": kind for kind in Masked._fields[1:]}
_BY_TEXT = ("text", "text_sha256", "is_changed", "repairs", "lines_removed", "removed_lines", *_MASKED)

# Of the lines that were removed of an item, so many are kept, and so much of each.
MOST_REMOVED, MOST_CHARACTERS = 20, 200


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
        key: What makes the tokens of private data, see `cupel.cleaning.privacy.key`; None: they tell its kind alone.
        index: What models are examined with; None: nothing is looked for.

    Returns:
        `item_signals`, a row an item, in the same order. All measures but `is_changed` and the counts of
        masks speak of the text normalised and masked, with the kind alone of each mask: no decision depends on
        the key.
    """
    columns: dict[str, list[object]] = {name: [] for name in _BY_TEXT}
    plain: list[str] = []
    for raw in items.column("text").to_pylist():
        normal, steps, removed = repaired(raw, settings, repeated)
        masked = mask(normal, settings.phone_region, key)
        columns["text"].append(masked.text)
        plain.append(without_keyed(masked.text))
        columns["text_sha256"].append(text_sha256(plain[-1]))
        columns["is_changed"].append(normal != raw)
        columns["repairs"].append(steps)
        columns["lines_removed"].append(len(removed))
        columns["removed_lines"].append([_shortened(line, settings) for line in removed[:MOST_REMOVED]])
        for name, kind in _MASKED.items():
            columns[name].append(getattr(masked, kind))
    texts = pa.array(plain, pa.large_string())
    found = identify(texts, settings.least_language_confidence)
    languages = found["language"].combine_chunks().dictionary_encode()
    stop_words = stop_word_lists(languages.dictionary.to_pylist(), settings.web_rules)
    measured = measures(texts, stop_words or [()], which=languages.indices.to_numpy())
    measured = measured.rename_columns([f"{PREFIX}{name}" for name in measured.column_names])
    whole = {"item_id": items.column("item_id"), **columns, **basics(texts)}
    whole |= {"language": found["language"], "language_confidence": pc.round(found["confidence"].cast(pa.float64()), 4)}
    whole |= _overlap(texts, index)
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


def _shortened(line: str, settings: Cleaning) -> str:
    return mask(line[: 2 * MOST_CHARACTERS].strip(), settings.phone_region).text[:MOST_CHARACTERS]


def folded(text: str) -> str:
    r"""Return the text lower-cased, with runs of white space as one space: what duplicates are judged by.

    >>> folded("The  Same\nText")
    'the same text'
    """
    return " ".join(text.lower().split())


def text_sha256(text: str) -> str:
    """Return the hash of the folded text: equal for texts that differ in case and white space only."""
    return hashlib.sha256(folded(text).encode()).hexdigest()
