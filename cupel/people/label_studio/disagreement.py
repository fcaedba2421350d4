"""The disagreement: what annotators and checker said of an item, without names, for those who adjudicate it."""

from collections import Counter
from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from cupel.config.project import Project
from cupel.lake.lake import Lake
from cupel.people.label_studio.choices import show_label

CHECKER = "checker"


def disagreement(project: Project, lake: Lake, batch: str, items: Collection[str]) -> dict[str, str]:
    """Return, by item, how many annotators said what, the most first, and what the checker says.

    Only answers that count are counted. Labels said equally often come in the order of their parts' classes, so that
    nothing tells who was first.

    Args:
        project: Says what a label is.
        lake: Its lake.
        batch: The batch.
        items: The items.
    """
    votes: dict[str, Counter[str]] = {item: Counter() for item in items}
    for row in _rows(lake, "annotations", batch, items, "label"):
        votes[row["item_id"]][row["label"]] += 1
    predicted = {
        row["item_id"]: row["predicted_label"] for row in _rows(lake, "predictions", batch, items, "predicted_label")
    }
    place = _places(project, {label for counted in votes.values() for label in counted})
    said = {}
    for item, counted in votes.items():
        ranked = sorted(counted.items(), key=lambda one: (-one[1], place[one[0]]))
        counts = [f"{number} x {show_label(label, project)}" for label, number in ranked]
        words = ", ".join(counts) or "nobody could decide"
        opinion = predicted.get(item)
        said[item] = words if opinion is None else f"{words}; {CHECKER}: {show_label(opinion, project)}"
    return said


def _places(project: Project, labels: Collection[str]) -> dict[str, int]:
    """Return the place of each label in the order of its parts' classes; what is no label comes last, by its text."""
    texts = sorted(labels)
    found = project.kind.split(pa.array(texts, pa.string()), project.labeling.ontology).tolist()
    ranked = sorted(zip(texts, found, strict=True), key=lambda one: (-1 in one[1], one[1], one[0]))
    return {text: place for place, (text, _) in enumerate(ranked)}


def _rows(lake: Lake, table: str, batch: str, items: Collection[str], column: str) -> list[dict[str, str]]:
    if lake.commit(table, batch) is None:
        return []
    found = lake.read(table, batch, ["item_id", column])
    rows: list[dict[str, str]] = found.filter(
        pc.is_in(found["item_id"], value_set=pa.array(list(items), pa.string()))
    ).to_pylist()
    return rows
