"""Twins: of items that are alike the one that is kept; the better licence comes first, then the earlier item."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.cleaning.alike import Alike


class Twin(NamedTuple):
    """The kept item that an item duplicates: its name, how similar it is, and whether it has the same text."""

    name: str
    similarity: float
    is_exact: bool


class _Kept(NamedTuple):
    """A kept item: the place of its licence in the order, and its own in the register; less is better."""

    licence: int
    place: int


def licence_places(items: pa.Table, order: Sequence[str]) -> list[int]:
    """Return the place of each item's licence in an order, what is not in it last; all the same without an order.

    >>> licence_places(pa.table({"licence": ["MIT", "bought", "?"]}), ["bought", "MIT"])
    [1, 0, 2]
    """
    if not order:
        return [0] * items.num_rows
    place_of = {name: place for place, name in enumerate(order)}
    return [place_of.get(licence, len(order)) for licence in items.column("licence").to_pylist()]


def twins(
    names: list[str], licences: list[int], is_left: list[bool], found: Alike, earlier: pa.Table,
    earlier_licences: list[int], least: float | None,
) -> list[Twin | None]:  # fmt: skip
    """Return of each item of a batch the kept item that it duplicates; none where it is kept, or not left to decide on.

    An item is kept unless a kept one with a licence as good or better is its twin. So of the batch's twins the one with
    the best licence is kept, of equals the earliest, and a kept item of an earlier batch, which may have been released,
    stays beside a better one of this batch.

    Args:
        names: Batch and id of each item, in the order of the delivery.
        licences: The place of the licence of each; less is better.
        is_left: Whether the item has broken no rule.
        found: Which texts resemble each other.
        earlier: `EARLIER_ITEMS`.
        earlier_licences: The place of the licence of each of them.
        least: Similarity from which items are twins; None: only those of equal text.
    """
    kept = _kept_earlier(found, earlier, earlier_licences)
    offset = earlier.num_rows
    decided: list[Twin | None] = [None] * len(names)
    texts = found.own.tolist()
    for place in sorted(range(len(names)), key=lambda place: licences[place]):
        if not is_left[place]:
            continue
        text, licence = texts[place], licences[place]
        best, similarity, is_exact = _best(text, licence, kept, found, least)
        if best is None:
            own = _Kept(licence, offset + place)
            kept[text] = min(own, kept.get(text, own))
        else:
            decided[place] = Twin(_name(best.place, names, earlier), similarity, is_exact)
    return decided


def _kept_earlier(found: Alike, earlier: pa.Table, licences: list[int]) -> dict[int, _Kept]:
    """Return the best kept earlier item of each text."""
    places = np.flatnonzero(earlier.column("group_id").is_valid().to_numpy())
    ranks = np.array(licences, np.int64)[places]
    order = np.lexsort((places, ranks))
    texts, first = np.unique(found.earlier[places][order], return_index=True)
    best = zip(ranks[order][first].tolist(), places[order][first].tolist(), strict=True)
    return dict(zip(texts.tolist(), (_Kept(*one) for one in best), strict=True))


def _best(
    text: int, licence: int, kept: dict[int, _Kept], found: Alike, least: float | None
) -> tuple[_Kept | None, float, bool]:
    """Return the best kept item that a text duplicates, equal before similar, and how similar it is."""
    same = kept.get(text)
    if same is not None and same.licence <= licence:
        return same, 1.0, True
    if least is None:
        return None, 0.0, False
    near = [
        (kept[other], similarity)
        for other, similarity in zip(*found.of(text), strict=True)
        if similarity >= least and other in kept and kept[other].licence <= licence
    ]
    best, similarity = min(near, default=(None, 0.0))
    return best, similarity, False


def _name(place: int, names: list[str], earlier: pa.Table) -> str:
    offset: int = earlier.num_rows
    if place >= offset:
        return names[place - offset]
    batch, item_id = (str(earlier.column(part)[place]) for part in ("batch", "item_id"))
    return f"{batch}/{item_id}"
