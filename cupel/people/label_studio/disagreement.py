"""The disagreement: what annotators and checker said of an item, without names, for those who adjudicate it."""

from collections import Counter
from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from cupel.lake.lake import Lake

CHECKER = "checker"


def disagreement(lake: Lake, batch: str, items: Collection[str], classes: Sequence[str]) -> dict[str, str]:
    """Return, by item, how many annotators said what, the most first, and what the checker says.

    Only answers that count are counted. Classes said equally often come in the order of the ontology, so that nothing
    tells who was first.

    Args:
        lake: The project's lake.
        batch: The batch.
        items: The items.
        classes: The ontology.
    """
    votes: dict[str, Counter[str]] = {item: Counter() for item in items}
    for row in _rows(lake, "annotations", batch, items, "label"):
        votes[row["item_id"]][row["label"]] += 1
    predicted = {
        row["item_id"]: row["predicted_label"] for row in _rows(lake, "predictions", batch, items, "predicted_label")
    }
    place = {name: number for number, name in enumerate(classes)}
    said = {}
    for item, counted in votes.items():
        ranked = sorted(counted.items(), key=lambda one: (-one[1], place.get(one[0], len(place))))
        words = ", ".join(f"{number} x {label}" for label, number in ranked) or "nobody could decide"
        opinion = predicted.get(item)
        said[item] = words if opinion is None else f"{words}; {CHECKER}: {opinion}"
    return said


def _rows(lake: Lake, table: str, batch: str, items: Collection[str], column: str) -> list[dict[str, str]]:
    if lake.commit(table, batch) is None:
        return []
    found = lake.read(table, batch, ["item_id", column])
    rows: list[dict[str, str]] = found.filter(
        pc.is_in(found["item_id"], value_set=pa.array(list(items), pa.string()))
    ).to_pylist()
    return rows
