"""Predictions: the checker's opinion, shown to annotators beside some of their ordinary tasks, if a project wants."""

import hashlib
from collections.abc import Collection, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cupel.config.project import Project
from cupel.lake.lake import Lake
from cupel.people.label_studio.choices import result_of

# A task is drawn by its key, which tells nobody anything: so many hexadecimal digits of a hash of it.
DIGITS = 8


def predictions(
    project: Project, lake: Lake, batch: str, items: Iterable[tuple[str, str]], hidden: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Return what is shown beside tasks, by key, as Label Studio imports it; many tasks are left out.

    Never beside hidden gold. So that a task without an opinion is not known to be gold by that, others are left out
    at random, by their key: with a share s shown and a share g of gold, of the tasks without one the share
    g / (g + (1 - g)(1 - s)) is gold.

    Args:
        project: The project.
        lake: Its lake.
        batch: The batch.
        items: Key and item of tasks of annotators; of no other group.
        hidden: Items of hidden gold.
    """
    share = project.label_studio.prediction_share if project.label_studio else None
    if share is None or lake.commit("predictions", batch) is None:
        return {}
    drawn = {item: key for key, item in items if item not in hidden and is_drawn(key, share)}
    table = lake.read("predictions", batch, ["item_id", "predicted_label", "model", "model_version"])
    is_meant = pc.is_in(table["item_id"], value_set=pa.array(list(drawn), pa.string()))
    rows = table.filter(pc.and_(is_meant, pc.is_valid(table["predicted_label"]))).to_pylist()
    return {
        drawn[row["item_id"]]: {
            "model_version": f"{row['model']} {row['model_version']}",
            "result": result_of(row["predicted_label"], project),
        }
        for row in rows
    }


def labels_of(
    lake: Lake, batch: str, items: Iterable[tuple[str, str]], hidden: Collection[str]
) -> dict[str, tuple[str, str]]:
    """Return item and label by key of all tasks that may show one, drawn or not; see `predictions`."""
    if lake.commit("predictions", batch) is None:
        return {}
    keys = {item: key for key, item in items if item not in hidden}
    table = lake.read("predictions", batch, ["item_id", "predicted_label"])
    rows = table.filter(pc.is_valid(table["predicted_label"])).to_pylist()
    return {keys[row["item_id"]]: (row["item_id"], row["predicted_label"]) for row in rows if row["item_id"] in keys}


def is_drawn(key: str, share: float) -> bool:
    """Tell whether a task may show an opinion; the same for the same key.

    >>> sum(is_drawn(str(number), 0.3) for number in range(1000))
    269
    """
    digest = hashlib.sha256(f"prediction/{key}".encode()).hexdigest()
    return int(digest[:DIGITS], 16) < int(share * 16**DIGITS)
