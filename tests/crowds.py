"""Made-up crowds: annotators of a known accuracy, and what some of them do instead."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cupel.people.annotators.study import Study, study

CLASSES = ("x", "y", "z")


class Crowd:
    """A crowd of annotators, all of whom answer all items in an order of their own.

    Args:
        items: Number of items.
        accuracy: Of each honest annotator.
        seed: Of everything.
    """

    def __init__(self, items: int = 150, accuracy: tuple[float, ...] = (0.8,) * 6, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.truth: NDArray[np.int64] = self.rng.integers(0, len(CLASSES), items)
        self.rows: list[tuple[int, str, int, float]] = []
        for number, share in enumerate(accuracy):
            self.add(f"honest{number}", self.honest(share))

    def honest(self, share: float) -> NDArray[np.int64]:
        is_right = self.rng.random(len(self.truth)) < share
        return np.where(is_right, self.truth, (self.truth + self.rng.integers(1, 3, len(self.truth))) % 3)

    def guesses(self) -> NDArray[np.int64]:
        return self.rng.integers(0, len(CLASSES), len(self.truth))

    def said(self, name: str) -> NDArray[np.int64]:
        return np.array([label for _, who, label, _ in self.rows if who == name])

    def when(self, name: str) -> NDArray[np.float64]:
        return np.array([at for _, who, _, at in self.rows if who == name])

    def add(self, name: str, labels: NDArray[np.int64], after: str | None = None) -> None:
        at = self.rng.random(len(labels))
        if after is not None:
            at = self.when(after) + at
        for item, (label, when) in enumerate(zip(labels, at, strict=True)):
            self.rows.append((item, name, int(label), float(when)))

    def annotations(self, seconds: dict[str, float] | None = None) -> pa.Table:
        rows = sorted(self.rows, key=lambda row: row[3])
        return pa.table({
            "item_id": [f"{item:04d}" for item, _, _, _ in rows],
            "annotator": pa.array([who for _, who, _, _ in rows], pa.string()),
            "label": [CLASSES[label] for _, _, label, _ in rows],
            "sequence": list(range(1, len(rows) + 1)),
            "seconds_spent": pa.array([(seconds or {}).get(who) for _, who, _, _ in rows], pa.float64()),
        })  # fmt: skip

    def item_ids(self) -> list[str]:
        return [f"{item:04d}" for item in range(len(self.truth))]

    def gold(self, items: int = 10) -> pa.Table:
        ids = self.item_ids()[:items]
        return pa.table({"item_id": ids, "label": [CLASSES[self.truth[place]] for place in range(items)]})

    def study(self, gold: int = 10, seconds: dict[str, float] | None = None) -> Study:
        return study(self.annotations(seconds), self.item_ids(), CLASSES, self.gold(gold) if gold else None)
