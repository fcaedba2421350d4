"""What a release can say of unwanted items: of each delivery, and of unwanted items and wrong labels together."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.config.project import Project
from cupel.lake.lake import Lake

Row = dict[str, Any]
# Rows of these, for each delivery, are what the bound rests on.
EVIDENCE = ("contamination_plan", "contamination_items", "contamination_answers")
TABLES = (*EVIDENCE, "contamination_result", "contamination_sources")
BINS = 40


class Contaminated(NamedTuple):
    """What a delivery's audit came to: rows of its tables, and how many items have a score between two edges.

    `is_as_frozen` is false where the tables have gone on since a release froze what they speak of.
    """

    plan: Row
    result: Row
    sources: list[Row]
    edges: list[float]
    counts: list[int]
    is_as_frozen: bool = True


class Together(NamedTuple):
    """Bounds for a release, as shares of the released items, and the confidence of each.

    `unwanted_or_wrong` counts items that are unwanted or whose settled label is wrong; the chances that one of the
    bounds it is made of is wrong add up (Bonferroni's inequality).
    """

    unwanted: float
    unwanted_confidence: float
    unwanted_or_wrong: float
    confidence: float


def tables_of(project: Project) -> Sequence[str]:
    """Return the tables of a delivery that a release's word on contamination rests on."""
    return () if project.cleaning.contamination is None else TABLES


def contaminated(lake: Lake, batch: str, frozen: dict[str, str] | None = None) -> Contaminated | None:
    """Gather what is known of a delivery; None where nothing is declared, or scores are not there yet.

    Args:
        lake: The project's lake.
        batch: The delivery.
        frozen: Hashes of tables, by `table@batch`, as a release froze them; None: whatever they are now.
    """
    if any(lake.commit(table, batch) is None for table in TABLES):
        return None
    plan, result = (lake.read(f"contamination_{name}", batch).to_pylist()[0] for name in ("plan", "result"))
    scores = lake.read("contamination_items", batch, ["score"])["score"].drop_null().to_numpy()
    counts, edges = np.histogram(scores, BINS) if len(scores) else (np.zeros(0, np.int64), np.zeros(0))
    names = [f"{table}@{batch}" for table in TABLES]
    is_same = frozen is None or all(frozen.get(name) == lake.version(name) for name in names)
    sources = lake.read("contamination_sources", batch).to_pylist()
    return Contaminated(plan, result, sources, edges.tolist(), counts.tolist(), is_same)


def together(found: Sequence[Contaminated | None], released: int, result: Row | None) -> Together | None:
    """Bound the share of a release that is unwanted, or unwanted or wrong.

    Args:
        found: What is known of each of the release's deliveries.
        released: Items released.
        result: AUDIT_RESULT of the release.

    Returns:
        None where it is not certified, or a delivery's bound is missing.

    >>> plan = {"confidence": 0.95}
    >>> one = Contaminated(plan, {"unwanted_at_most": 3, "status": "bounded"}, [], [], [])
    >>> together([one], 300, {"status": "certified", "error_bound": 0.01, "confidence": 0.95})
    Together(unwanted=0.01, unwanted_confidence=0.95, unwanted_or_wrong=0.02, confidence=0.9)
    """
    known = [one for one in found if one is not None and one.is_as_frozen and one.result["status"] == "bounded"]
    if not released or len(known) < len(found) or result is None or result["status"] != "certified":
        return None
    share = min(1.0, sum(one.result["unwanted_at_most"] for one in known) / released)
    risk = sum((1 - Fraction(repr(one.plan["confidence"])) for one in known), Fraction(0))
    both = risk + 1 - Fraction(repr(result["confidence"]))
    either = min(1.0, share + result["error_bound"])
    return Together(share, max(0.0, float(1 - risk)), either, max(0.0, float(1 - both)))


def of_batch(table: pa.Table, batch: str) -> pa.Table:
    """Return the rows of one delivery."""
    return table.filter(pc.equal(table["batch"], batch))
