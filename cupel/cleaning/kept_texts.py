"""Texts as delivered to texts as they are kept: repaired, normalised, masked; only those that need it one by one."""

from collections.abc import Container, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.cleaning.repairs import Repaired, repaired
from cupel.config.cleaning import Cleaning
from cupel.modalities.text.normalise import are_normal
from cupel.modalities.text.privacy.hints import may_be_private
from cupel.modalities.text.privacy.mask import Masked, mask
from cupel.modalities.text.privacy.tokens import KEYED

# Of the lines that were removed of an item, so many are kept, and so much of each.
MOST_REMOVED, MOST_CHARACTERS = 20, 200


class KeptTexts(NamedTuple):
    """Texts as they are kept, an entry a text.

    Attributes:
        plain: Normalised and masked, with the kind alone of each mask: what is measured.
        columns: The columns of `item_signals` that tell the text, what changed it, and what was masked.
    """

    plain: pa.LargeStringArray
    columns: dict[str, pa.Array]


def kept_texts(
    texts: pa.ChunkedArray, settings: Cleaning, repeated: Container[str] = frozenset(), key: bytes | None = None
) -> KeptTexts:
    """Repair, normalise and mask a column of texts.

    Args:
        texts: Strings, none null.
        settings: Normalisation form, repairs, region of phone numbers.
        repeated: The batch's repeated lines, where the project wants them removed.
        key: What makes the tokens of private data; None: they tell its kind alone.
    """
    delivered = texts.cast(pa.large_string()).combine_chunks()
    places = np.flatnonzero(_need_repair(delivered, settings))
    found = [repaired(text, settings, repeated) for text in delivered.take(pa.array(places)).to_pylist()]
    normal = _replaced(delivered, places, [one.text for one in found])
    columns = _changes(delivered, normal, places, found, settings)
    ips = settings.mask_ip_addresses
    places = np.flatnonzero(may_be_private(normal, ips))
    masked = [mask(text, settings.phone_region, key, ips) for text in normal.take(pa.array(places)).to_pylist()]
    columns["text"] = _replaced(normal, places, [one.text for one in masked])
    for kind in Masked._fields[1:]:
        counts = np.zeros(len(normal), np.int64)
        counts[places] = [getattr(one, kind) for one in masked]
        columns[f"{kind}_masked"] = pa.array(counts)
    return KeptTexts(pc.replace_substring_regex(columns["text"], KEYED, r"<\1>"), columns)


def _need_repair(texts: pa.Array, settings: Cleaning) -> NDArray[np.bool_]:
    """Tell which texts a step of normalising may change."""
    repairs = settings.repairs
    if repairs.repeated_lines is not None or repairs.policy_lines or repairs.unwrap or repairs.c4_lines:
        return np.ones(len(texts), np.bool_)
    needed = ~are_normal(texts, settings.normalisation)
    return needed | ~np.asarray(pc.string_is_ascii(texts)) if repairs.mojibake else needed


def _changes(
    delivered: pa.Array, normal: pa.Array, places: NDArray[np.int64], found: Sequence[Repaired], settings: Cleaning
) -> dict[str, pa.Array]:
    size = len(delivered)
    steps: list[tuple[str, ...]] = [()] * size
    removed: list[list[str]] = [[]] * size
    lines = np.zeros(size, np.int64)
    for place, one in zip(places.tolist(), found, strict=True):
        steps[place], lines[place] = one.steps, len(one.removed)
        if one.removed:
            removed[place] = [_shortened(line, settings) for line in one.removed[:MOST_REMOVED]]
    return {
        "is_changed": pc.not_equal(delivered, normal),
        "repairs": pa.array(steps, pa.list_(pa.string())),
        "lines_removed": pa.array(lines),
        "removed_lines": pa.array(removed, pa.list_(pa.string())),
    }


def _replaced(texts: pa.Array, places: NDArray[np.int64], others: Sequence[str]) -> pa.Array:
    """Return the texts with those at ascending places replaced."""
    if not len(places):
        return texts
    is_other = np.zeros(len(texts), np.bool_)
    is_other[places] = True
    return pc.replace_with_mask(texts, pa.array(is_other), pa.array(others, pa.large_string()))


def _shortened(line: str, settings: Cleaning) -> str:
    shortened = line[: 2 * MOST_CHARACTERS].strip()
    return mask(shortened, settings.phone_region, ips=settings.mask_ip_addresses).text[:MOST_CHARACTERS]
