"""Groups: items that must stay in one split, because their source says so or because they are alike."""

import hashlib
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from cupel.cleaning.duplicates.kept_items import DuplicateRule, SimilarTexts

ID_DIGITS = 20
GROUP_LINKS = pa.schema(
    [
        pa.field("group_id", pa.string(), nullable=False),
        pa.field("linked_group_id", pa.string(), nullable=False),
    ]
)


class Groups(NamedTuple):
    """The group of each item (None where it has none), and `GROUP_LINKS`: groups of earlier batches that are alike."""

    group_ids: list[str | None]
    links: pa.Table


class _Union:
    """Disjoint sets of numbers; each is named by its least number. Source: Tarjan (1975), Journal of the ACM 22(2)."""

    def __init__(self, count: int) -> None:
        self._parent = list(range(count))

    def root(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def unite(self, one: int, other: int) -> None:
        one, other = self.root(one), self.root(other)
        self._parent[max(one, other)] = min(one, other)


def groups(
    names: list[str], sources: list[str | None], is_member: list[bool], is_kept: list[bool], found: SimilarTexts,
    earlier: pa.Table, rule: DuplicateRule,
) -> Groups:  # fmt: skip
    """Group the items of a batch.

    Members are united by source group, by equal text, and by similar text. A group takes the name of the
    earliest group of an earlier batch that a member resembles, otherwise one made of its first kept item.
    Groups of earlier batches never change, because they may have been released: where a new group
    resembles several, it joins the earliest, and the others are reported as links.

    Args:
        names: Batch and id of each item, in the order of the delivery.
        sources: The group that the source names, or None.
        is_member: The item is kept, or was dropped as a duplicate: the item kept stands in for it, and
            is tied to its source group too.
        is_kept: The item is kept.
        found: Which texts resemble each other.
        earlier: `EARLIER_ITEMS`.
        rule: When items belong together.
    """
    first_of_text = _first_members(found, is_member)
    union = _Union(len(names))
    first_of_source: dict[str, int] = {}
    linked: dict[int, dict[str, int]] = {}
    kept_earlier = _earlier_groups(found, earlier)
    for place, text in enumerate(found.own.tolist()):
        source = sources[place]
        if not is_member[place]:
            continue
        union.unite(place, first_of_text[text])
        if source is not None:
            union.unite(place, first_of_source.setdefault(source, place))
    for text, place in first_of_text.items():
        near = [like.other for like in found.of(text) if rule.holds(like)]
        for other in near:
            if other in first_of_text:
                union.unite(place, first_of_text[other])
        for other in (text, *near):
            linked.setdefault(place, {}).update(kept_earlier.get(other, {}))
    return _named(names, is_member, is_kept, union, linked)


def _first_members(found: SimilarTexts, is_member: list[bool]) -> dict[int, int]:
    first: dict[int, int] = {}
    for place, text in enumerate(found.own.tolist()):
        if is_member[place]:
            first.setdefault(text, place)
    return first


def _earlier_groups(found: SimilarTexts, earlier: pa.Table) -> dict[int, dict[str, int]]:
    """Return, for each text of a kept earlier item that matters, its groups with their place in the register."""
    wanted = set(np.union1d(found.own, found.others).tolist())
    groups_of: dict[int, dict[str, int]] = {}
    columns = (earlier.column(name).to_pylist() for name in ("group_id", "group_place"))
    for text, group, place in zip(found.earlier.tolist(), *columns, strict=True):
        if group is not None and text in wanted:
            groups_of.setdefault(text, {})[group] = place
    return groups_of


def _named(
    names: list[str], is_member: list[bool], is_kept: list[bool], union: _Union, linked: dict[int, dict[str, int]]
) -> Groups:
    earlier_of: dict[int, dict[str, int]] = {}
    for place, found in linked.items():
        earlier_of.setdefault(union.root(place), {}).update(found)
    name_of: dict[int, str] = {}
    links: set[tuple[str, str]] = set()
    for root, found in earlier_of.items():
        ordered = sorted(found, key=lambda group: (found[group], group))
        if ordered:
            name_of[root] = ordered[0]
            links.update((ordered[0], other) for other in ordered[1:])
    group_ids: list[str | None] = []
    for place, name in enumerate(names):
        root = union.root(place)
        if is_kept[place]:
            name_of.setdefault(root, "g" + hashlib.sha256(name.encode()).hexdigest()[:ID_DIGITS])
        group_ids.append(name_of.get(root) if is_member[place] else None)
    rows = [{"group_id": group, "linked_group_id": other} for group, other in sorted(links)]
    return Groups(group_ids, pa.Table.from_pylist(rows, GROUP_LINKS))
