"""Overlaps: the frozen items of a release held against the evaluation sets once more, text by text."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from cupel.cleaning.overlap.index import Index, Match
from cupel.cleaning.overlap.references import read_references
from cupel.config.cleaning import ReferenceSet
from cupel.tables import RELEASE_OVERLAPS, from_rows

NEEDED_ITEMS = ("batch", "item_id", "text")
MOST_IDS = 20


class Held:
    """Holds items against one reference set.

    Args:
        one: The set.
        data: Folder that its path is relative to.
        most: A larger share of a reference's runs of words than this is too much.
    """

    def __init__(self, one: ReferenceSet, data: Path, most: float) -> None:
        references = read_references([one], data)
        index = Index(references.rows)
        self.files = references.files
        self._index, self._most = index, most
        self._best: tuple[float, str] | None = None
        self._row: dict[str, Any] = {
            "reference_set": one.name, "source_file": one.path, "sha256": references.files[one.path],
            "references": len(references.rows), "not_looked_for": index.not_looked_for, "most_share": most,
            "items": 0, "items_over": 0, "item_ids": [],
        }  # fmt: skip

    def add(self, items: pa.Table) -> None:
        """Hold some items against it; the columns `NEEDED_ITEMS`."""
        self._row["items"] += items.num_rows
        names = zip(items["batch"].to_pylist(), items["item_id"].to_pylist(), strict=True)
        for (batch, item_id), match in zip(names, self._index.find(items["text"]), strict=True):
            if match is not None:
                self._met(f"{batch}/{item_id}", match)

    def _met(self, name: str, match: Match) -> None:
        if self._best is None or match.share > self._best[0]:
            self._best = match.share, f"{name} holds {match.evidence}"
        if match.share > self._most:
            self._row["items_over"] += 1
            self._row["item_ids"] = [*self._row["item_ids"], name][:MOST_IDS]

    def row(self, release: str) -> dict[str, Any]:
        """Return its row of RELEASE_OVERLAPS."""
        share, evidence = (None, None) if self._best is None else self._best
        return {"release": release, **self._row, "largest_share": share, "evidence": evidence}


def release_overlaps(release: str, held: Sequence[Held], pieces: Iterable[pa.Table]) -> pa.Table:
    """Hold the items of a release against reference sets.

    Args:
        release: Its name.
        held: The sets.
        pieces: RELEASE_ITEMS, a piece at a time, in the order of their key; the columns `NEEDED_ITEMS` will do.

    Returns:
        RELEASE_OVERLAPS, a row a set: how many items hold too much of it, and which holds most.
    """
    for piece in pieces if held else ():
        for one in held:
            one.add(piece)
    return from_rows([one.row(release) for one in held], RELEASE_OVERLAPS)


def overlaps_in_words(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return what was looked for and found, a sentence a set."""
    return [
        f"{row['items']:,} items were held against {row['reference_set']} ({row['references']:,} rows, "
        f"{row['not_looked_for']:,} of them too short to look for; sha256 {row['sha256'][:12]}): "
        f"{row['items_over'] or 'none'} of them {'hold' if row['items_over'] != 1 else 'holds'} more than "
        f"{row['most_share']:.0%} of a row"
        for row in rows
    ]
