"""Similar items to kept items: which texts are similar, and which kept item each other one duplicates."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.cleaning.duplicates.candidates import Flags, Positions
from cupel.cleaning.duplicates.similarity import Shares
from cupel.config.cleaning import Cleaning
from cupel.errors import TableError

EARLIER_ITEMS = pa.schema(
    [
        pa.field("batch", pa.string(), nullable=False),
        pa.field("item_id", pa.string(), nullable=False),
        pa.field("text_sha256", pa.string(), nullable=False),
        pa.field("group_id", pa.string()),
        pa.field("group_place", pa.int64()),
        pa.field("licence", pa.string()),
    ]
)


# No share is so large.
_NEVER = 2.0


class Likeness(NamedTuple):
    """Another text, and how a text is like it.

    Attributes:
        other: The other text.
        similarity: Jaccard similarity.
        containment: Share of the shorter one that the longer holds; 0 where it was not measured.
        is_longer: The text itself is the longer of the two.
        differs_in_digits: The two differ in digits only.
    """

    other: int
    similarity: float
    containment: float
    is_longer: bool
    differs_in_digits: bool


class PairLikeness(NamedTuple):
    """How alike pairs of items are, a row a pair of `similar_items`; `is_longer` speaks of the later item."""

    similarity: Shares
    containment: Shares
    is_longer: Flags
    differs_in_digits: Flags

    @classmethod
    def of(cls, similar: pa.Table) -> "PairLikeness":
        """Return what a table of pairs says; of images there is a similarity alone."""
        flags = (_fill(similar, name, False) for name in ("is_longer", "differs_in_digits"))
        return cls(similar.column("similarity").to_numpy(), _fill(similar, "containment", 0.0), *flags)

    @classmethod
    def join(cls, parts: Iterable["PairLikeness"]) -> "PairLikeness":
        """Return the pairs of all parts, one after the other."""
        return cls(*map(np.concatenate, zip(*parts, strict=True)))

    def choose(self, chosen: Flags) -> "PairLikeness":
        """Return the chosen pairs."""
        shares, flags = self.similarity[chosen], self.is_longer[chosen]
        return PairLikeness(shares, self.containment[chosen], flags, self.differs_in_digits[chosen])


class DuplicateRule(NamedTuple):
    """When a text duplicates another: from which similarity or containment on; None: never.

    `keep_other_digits` keeps texts that differ in digits only.
    """

    similarity: float | None
    containment: float | None = None
    keep_other_digits: bool = False

    @classmethod
    def of(cls, settings: Cleaning) -> "DuplicateRule":
        """Return the rule of a project's texts."""
        return cls(settings.duplicate_similarity, settings.duplicate_containment, settings.keep_other_digits)

    def find_held(self, pairs: "PairLikeness") -> Flags:
        """Tell which pairs are of duplicates."""
        similarity, containment = (_NEVER if least is None else least for least in self[:2])
        found = (pairs.similarity >= similarity) | (pairs.containment >= containment)
        return found & ~pairs.differs_in_digits if self.keep_other_digits else found

    def holds(self, like: Likeness) -> bool:
        """Tell whether a text duplicates one that it is so like."""
        if self.keep_other_digits and like.differs_in_digits:
            return False
        return self.is_similar(like) or self.is_contained(like)

    def is_similar(self, like: Likeness) -> bool:
        """Tell whether it does by similarity."""
        return self.similarity is not None and like.similarity >= self.similarity

    def is_contained(self, like: Likeness) -> bool:
        """Tell whether it does because one holds the other."""
        return self.containment is not None and like.containment >= self.containment


class SimilarTexts(NamedTuple):
    """Texts as numbers (the same for the same `text_sha256`), and for each the texts that resemble it.

    `own` holds the text of each of the batch's items, `earlier` that of each earlier item. Text t resembles
    the texts `others[starts[t] : starts[t + 1]]`, with what they share at the same places, see `Likeness`.
    """

    own: Positions
    earlier: Positions
    starts: Positions
    others: Positions
    similarities: Shares
    containments: Shares
    are_longer: Flags
    differ_in_digits: Flags

    def of(self, text: int) -> list[Likeness]:
        """Return the texts that resemble a text, and how much."""
        if self.starts[text] == self.starts[text + 1]:
            return []
        places = slice(self.starts[text], self.starts[text + 1])
        columns = (self.others, self.similarities, self.containments, self.are_longer, self.differ_in_digits)
        return [Likeness(*one) for one in zip(*(column[places].tolist() for column in columns), strict=True)]


class CleanedBatch(NamedTuple):
    """An earlier batch, its tables to be read when they are needed.

    `signatures()` returns item_id and text_sha256 of its `signatures`, `clean_items()` item_id, group_id, source_file
    and line of its `clean_items`.
    """

    batch: str
    signatures: Callable[[], pa.Table]
    clean_items: Callable[[], pa.Table]


def earlier_items(texts: pa.ChunkedArray, similar: pa.Table, batches: Sequence[CleanedBatch]) -> pa.Table:
    """Return what decisions on a batch need of earlier ones; of these, one at a time is held.

    Args:
        texts: `text_sha256` of the batch's items.
        similar: `similar_items` of the batch.
        batches: The earlier batches, in the register's order.

    Returns:
        `EARLIER_ITEMS`, batch by batch: kept items in the order of their delivery, then rejected ones, whose group and
        licence are null. Only items with the text of one of the batch's items, or of an item that one resembles.
        `group_place` orders groups by their first item, whether it is among these or not.
    """
    wanted = pc.unique(pa.chunked_array([*texts.chunks, *_resembled(similar, batches)], pa.string()))
    pieces = [EARLIER_ITEMS.empty_table()]
    for cleaned in batches:
        signed = cleaned.signatures()
        signed = signed.filter(pc.is_in(signed.column("text_sha256"), wanted))
        if signed.num_rows:
            joined = signed.join(cleaned.clean_items(), "item_id", join_type="left outer")
            named = joined.append_column("batch", pa.repeat(cleaned.batch, joined.num_rows))
            pieces.append(_in_order(named.append_column("group_place", pa.nulls(joined.num_rows, pa.int64()))))
    items = pa.concat_tables([piece.select(EARLIER_ITEMS.names).cast(EARLIER_ITEMS) for piece in pieces])
    places = pa.array(_group_places(items.column("group_id"), batches), pa.int64())
    return items.set_column(EARLIER_ITEMS.get_field_index("group_place"), "group_place", places)


def _resembled(similar: pa.Table, batches: Sequence[CleanedBatch]) -> list[pa.Array]:
    """Return the texts of the earlier batches' items that a pair names."""
    found = []
    for cleaned in batches:
        named = similar.filter(pc.equal(similar.column("earlier_batch"), cleaned.batch)).column("earlier_item_id")
        if len(named):
            signed = cleaned.signatures()
            found += signed.filter(pc.is_in(signed.column("item_id"), pc.unique(named))).column("text_sha256").chunks
    return found


def _in_order(items: pa.Table) -> pa.Table:
    return items.sort_by([(name, "ascending") for name in ("source_file", "line", "item_id")])


def _group_places(group_ids: pa.ChunkedArray, batches: Sequence[CleanedBatch]) -> list[int | None]:
    """Return for each group its place in the order of the groups' first items; none where there is no group."""
    wanted = pc.unique(group_ids).drop_null()
    place_of: dict[str, int] = {}
    for cleaned in batches if len(wanted) else ():
        clean = cleaned.clean_items()
        for group in pc.unique(_in_order(clean.filter(pc.is_in(clean.column("group_id"), wanted))).column("group_id")):
            place_of.setdefault(group.as_py(), len(place_of))
    return [None if group is None else place_of[group] for group in group_ids.to_pylist()]


def find_similar_texts(
    batch: str, item_ids: pa.ChunkedArray, hashes: pa.ChunkedArray, similar: pa.Table, earlier: pa.Table
) -> SimilarTexts:
    """Bring the similar items of a batch together by text.

    A pair of items is a pair of texts: what is true of one item is true of every other with its text.

    Args:
        batch: The batch.
        item_ids: Ids of its items.
        hashes: Their `text_sha256`.
        similar: `similar_items` of the batch.
        earlier: `EARLIER_ITEMS` of all batches that `similar` may name.

    Raises:
        TableError: A pair names an item that is not there.
    """
    both = pa.chunked_array([*hashes.chunks, *earlier.column("text_sha256").chunks], pa.string())
    distinct = pc.unique(both)
    texts = pc.index_in(both, distinct).to_numpy().astype(np.int64)
    own, before = texts[: len(item_ids)], texts[len(item_ids) :]
    names = pa.chunked_array([_names(batch, item_ids), _names(earlier.column("batch"), earlier.column("item_id"))])
    left = _places(_names(batch, similar.column("item_id")), names)
    right = _places(_names(similar.column("earlier_batch"), similar.column("earlier_item_id")), names)
    one, other = texts[left], texts[right]
    differ = one != other
    return join_pairs(own, one[differ], other[differ], PairLikeness.of(similar).choose(differ), before, len(distinct))


def join_pairs(
    own: Positions, one: Positions, other: Positions, likeness: PairLikeness, earlier: Positions | None = None,
    count: int | None = None,
) -> SimilarTexts:  # fmt: skip
    """Return pairs of texts, each both ways.

    Args:
        own: The text of each item.
        one: The later text of each pair.
        other: The earlier one; never the same.
        likeness: How alike the two are.
        earlier: The text of each earlier item; None: there are none.
        count: How many texts there are; None: as many as are named.
    """
    left, right = np.append(one, other), np.append(other, one)
    order = np.lexsort((right, left))
    count = 1 + max(own.max(initial=-1), left.max(initial=-1)) if count is None else count
    starts = np.searchsorted(left[order], np.arange(count + 1))
    longer = np.append(likeness.is_longer, ~likeness.is_longer)
    return SimilarTexts(
        own, np.empty(0, np.int64) if earlier is None else earlier, starts, right[order],
        np.tile(likeness.similarity, 2)[order], np.tile(likeness.containment, 2)[order], longer[order],
        np.tile(likeness.differs_in_digits, 2)[order],
    )  # fmt: skip


def _fill(similar: pa.Table, name: str, value: float | bool) -> NDArray[Any]:
    """Return a column in which null, and a column that is not there, is this value."""
    if name not in similar.column_names:
        return np.full(similar.num_rows, value)
    return np.asarray(pc.fill_null(similar.column(name), value).to_numpy())


def _names(batch: str | pa.ChunkedArray, item_ids: pa.ChunkedArray) -> pa.Array:
    # A batch is a slug and holds no slash, so that no two items have the same name.
    names = pc.binary_join_element_wise(batch, item_ids, "/")
    return names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names


def _places(wanted: pa.Array, names: pa.ChunkedArray) -> Positions:
    places = pc.index_in(wanted, names.combine_chunks())
    if places.null_count:
        missing = wanted.filter(pc.is_null(places))[0].as_py()
        raise TableError(
            f"table similar_items: {missing!r} is neither an item of the batch nor among the earlier items; "
            "run the cleaning stage again, and pass every earlier batch"
        )
    return np.asarray(places.to_numpy(zero_copy_only=False), np.int64)


class KeptItem(NamedTuple):
    """The kept item that an item duplicates: its name, and how alike the two are; None where it has the same text."""

    name: str
    likeness: Likeness | None


class _Rank(NamedTuple):
    """A kept item: the place of its licence in the order, and its own in the register; less is better."""

    licence: int
    place: int


def rank_licences(items: pa.Table, order: Sequence[str]) -> list[int]:
    """Return the place of each item's licence in an order, what is not in it last; all the same without an order.

    >>> rank_licences(pa.table({"licence": ["MIT", "bought", "?"]}), ["bought", "MIT"])
    [1, 0, 2]
    """
    if not order:
        return [0] * items.num_rows
    place_of = {name: place for place, name in enumerate(order)}
    return [place_of.get(licence, len(order)) for licence in items.column("licence").to_pylist()]


def choose_kept_items(
    names: list[str], licences: list[int], is_left: list[bool], found: SimilarTexts, earlier: pa.Table,
    earlier_licences: list[int], rule: DuplicateRule,
) -> list[KeptItem | None]:  # fmt: skip
    """Return of each item of a batch the kept item that it duplicates; none where it is kept, or not left to decide on.

    An item is kept unless it duplicates a kept one with a licence as good or better. So of the batch's duplicates the
    one with the best licence is kept, of equals the earliest, and a kept item of an earlier batch, which may have been
    released, stays beside a better one of this batch. Of two of which one holds the other it is the same, whichever is
    longer.

    Args:
        names: Batch and id of each item, in the order of the delivery.
        licences: The place of the licence of each; less is better.
        is_left: Whether the item has broken no rule.
        found: Which texts resemble each other.
        earlier: `EARLIER_ITEMS`.
        earlier_licences: The place of the licence of each of them.
        rule: When items are duplicates beside those of equal text.
    """
    kept = _kept_earlier(found, earlier, earlier_licences)
    offset = earlier.num_rows
    decided: list[KeptItem | None] = [None] * len(names)
    texts = found.own.tolist()
    for place in sorted(range(len(names)), key=lambda place: licences[place]):
        if not is_left[place]:
            continue
        text, licence = texts[place], licences[place]
        best, likeness = _best(text, licence, kept, found, rule)
        if best is None:
            own = _Rank(licence, offset + place)
            kept[text] = min(own, kept.get(text, own))
        else:
            decided[place] = KeptItem(_name(best.place, names, earlier), likeness)
    return decided


def _kept_earlier(found: SimilarTexts, earlier: pa.Table, licences: list[int]) -> dict[int, _Rank]:
    """Return the best kept earlier item of each text."""
    places = np.flatnonzero(earlier.column("group_id").is_valid().to_numpy())
    ranks = np.array(licences, np.int64)[places]
    order = np.lexsort((places, ranks))
    texts, first = np.unique(found.earlier[places][order], return_index=True)
    best = zip(ranks[order][first].tolist(), places[order][first].tolist(), strict=True)
    return dict(zip(texts.tolist(), (_Rank(*one) for one in best), strict=True))


def _best(
    text: int, licence: int, kept: dict[int, _Rank], found: SimilarTexts, rule: DuplicateRule
) -> tuple[_Rank | None, Likeness | None]:
    """Return the best kept item that a text duplicates, equal before alike, and how alike the two are."""
    same = kept.get(text)
    if same is not None and same.licence <= licence:
        return same, None
    near = [
        (kept[like.other], like)
        for like in found.of(text)
        if like.other in kept and kept[like.other].licence <= licence and rule.holds(like)
    ]
    return min(near, key=lambda one: one[0], default=(None, None))


def _name(place: int, names: list[str], earlier: pa.Table) -> str:
    offset: int = earlier.num_rows
    if place >= offset:
        return names[place - offset]
    batch, item_id = (str(earlier.column(part)[place]) for part in ("batch", "item_id"))
    return f"{batch}/{item_id}"
