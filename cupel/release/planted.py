"""Planted items: items whose label the project knows, put to the auditors among all others, to see what they miss."""

import hashlib
import json
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.certificate.auditors import LAST_TIER
from cupel.certificate.hypergeometric import Integers
from cupel.certificate.sample import marks
from cupel.certificate.sequence import Flags
from cupel.contract.columns import TEXT
from cupel.contract.item_numbers import Places
from cupel.contract.kind import Labels
from cupel.contract.table import conform
from cupel.contract.tables.release import PLANTED_ITEMS
from cupel.errors import ReleaseError
from cupel.release.names import Names, find_rows

# Why an item is planted, the hardest first: people or the chain got its label wrong, only the checker did, or neither.
SOURCES = ("erred", "confused", "log-odds")
# Labels of an item that are people's or the chain's own, and the checker's.
_OF_PEOPLE, _OF_CHECKER = ("label", "majority_label", "consensus_label"), ("predicted_label",)
JUDGED_LABELS = (*_OF_PEOPLE, *_OF_CHECKER)
_NAME = ["batch", "item_id"]

IsSame = Callable[[Labels, Labels], pa.Array]


def planted_items(
    items: pa.Table, gold: Mapping[str, pa.Table], planted: int, seed: int, is_same: IsSame = pc.equal
) -> pa.Table:
    """Return the items of a release whose label is known, and draw those that are planted.

    Args:
        items: See `find_known_items`.
        gold: Likewise.
        planted: How many are declared, at least 1.
        seed: Of the audit's draw.
        is_same: Tells which labels of two columns are the same.

    Returns:
        PLANTED_ITEMS, in the order of the items.

    Raises:
        ReleaseError: The release has fewer items of known label than are to be planted.
    """
    return plant_items(find_known_items(items, gold, planted, is_same), planted, seed)


def find_known_items(
    items: pa.Table, gold: Mapping[str, pa.Table], planted: int, is_same: IsSame = pc.equal
) -> pa.Table:
    """Return the items of a release whose label is known, with all that decides which of them are planted.

    Args:
        items: RELEASE_ITEMS; the columns release, batch, item_id, log_odds and `JUDGED_LABELS` will do.
        gold: Known labels by batch, columns item_id and label; null or without a row where none is known.
        planted: How many are declared, at least 1.
        is_same: Tells which labels of two columns are the same.

    Returns:
        Columns release, batch, item_id, known_label, source and log_odds, in the order of the items.

    Raises:
        ReleaseError: The release has fewer items of known label than are to be planted.
    """
    known = [_of_batch(batch, rows) for batch, rows in gold.items()]
    labels = pa.concat_tables([pa.table({name: pa.array([], TEXT) for name in (*_NAME, "known_label")}), *known])
    (row,) = find_rows(labels, items)
    known_label = labels["known_label"].take(pa.array(row, mask=row < 0))
    pool = items.select(["release", *_NAME, "log_odds", *JUDGED_LABELS]).append_column("known_label", known_label)
    pool = pool.filter(pc.is_valid(pool["known_label"]))
    if pool.num_rows < planted:
        raise ReleaseError(
            f"release.certificate.planted_errors: found {planted}, but only {pool.num_rows} items of the release have "
            "a label in the file of labeling.gold; plant fewer, or give more known labels, in a new release"
        )
    pool = pool.append_column("source", name_sources(find_tiers(pool, is_same)))
    return pool.drop_columns(list(JUDGED_LABELS))


def hash_known_items(known: pa.Table) -> str:
    """Return the hash of what decides which items are planted, and which of them count.

    It is frozen with the release: whoever could change a known label, or why an item was planted, once the auditors
    have answered could make them look better than they are.

    Args:
        known: Columns batch, item_id, known_label, source and log_odds; see `find_known_items`.
    """
    rows = known.select([*_NAME, "known_label", "source", "log_odds"])
    rows = rows.sort_by([(name, "ascending") for name in _NAME])
    listed = [list(row.values()) for row in rows.to_pylist()]
    return hashlib.sha256(json.dumps(listed, separators=(",", ":")).encode()).hexdigest()


def plant_items(known: pa.Table, planted: int, seed: int) -> pa.Table:
    """Draw the items that are planted, and return PLANTED_ITEMS; see `planted_items` and `find_known_items`."""
    is_planted = draw_to_plant(known, planted, seed, read_tiers(known))
    return conform(known.drop_columns(["log_odds"]).append_column("is_planted", pa.array(is_planted)), PLANTED_ITEMS)


def _of_batch(batch: str, rows: pa.Table) -> pa.Table:
    known = rows.filter(pc.is_valid(rows["label"]))
    columns = [
        pa.repeat(pa.scalar(batch, TEXT), known.num_rows),
        known["item_id"].cast(TEXT),
        known["label"].cast(TEXT),
    ]
    return pa.table(columns, names=[*_NAME, "known_label"])


def find_tiers(pool: pa.Table, is_same: IsSame = pc.equal) -> Integers:
    """Return which kind each item of known label is: a place in `SOURCES`.

    A tie of the crew and a checker that abstained are no errors.

    Args:
        pool: Columns known_label and `JUDGED_LABELS`.
        is_same: Tells which labels of two columns are the same.
    """

    def is_wrong(names: tuple[str, ...]) -> Flags:
        found = np.zeros(pool.num_rows, np.bool_)
        for name in names:
            is_right = pc.fill_null(is_same(pool[name], pool["known_label"]), False)
            found |= np.asarray(pc.and_(pc.is_valid(pool[name]), pc.invert(is_right)), np.bool_)
        return found

    return np.where(is_wrong(_OF_PEOPLE), 0, np.where(is_wrong(_OF_CHECKER), 1, LAST_TIER)).astype(np.int64)


def name_sources(tier: Integers) -> pa.Array:
    """Return the column `source` of PLANTED_ITEMS."""
    return pa.array(SOURCES, TEXT).take(pa.array(tier))


def read_tiers(planted: pa.Table) -> Integers | None:
    """Return the kind of each row of PLANTED_ITEMS; None where it was not recorded, as it once was not."""
    found = pc.index_in(planted["source"], value_set=pa.array(SOURCES, TEXT))
    return None if found.null_count or not planted.num_rows else found.to_numpy().astype(np.int64)


def draw_to_plant(pool: pa.Table, size: int, seed: int, tier: Integers | None = None) -> Flags:
    """Draw without replacement, each item with a weight: the chance that its label is wrong, by its log-odds.

    Wrong labels gather where the log-odds are low, and among what annotators or a model really confuse. Items that are
    as hard as those must be planted, else auditors look better than they are on what they are there to find. So one
    kind of items is drawn after the other, the hardest first, until there are enough.

    Args:
        pool: The items of known label; columns batch, item_id and log_odds.
        size: How many are planted.
        seed: Of the audit's draw.
        tier: The kind of each, the lowest first; None: all of one kind.

    Returns:
        Flags of shape pool.

    Source: Efraimidis and Spirakis (2006), Information Processing Letters 97(5).
    """
    digest = hashlib.sha256(f"planted/{seed}".encode()).digest()
    own = marks(Names(pool), int.from_bytes(digest[:8], "big") >> 1)
    with np.errstate(divide="ignore"):
        late = np.log(-np.log1p(-own)) + np.logaddexp(0.0, pool["log_odds"].to_numpy())
    order: Places = np.lexsort((late,) if tier is None else (late, tier))
    flags = np.zeros(pool.num_rows, np.bool_)
    flags[order[:size]] = True
    return flags
