"""Experts and scorer: the only two who see the gold labels. The one is paid by the item, the other only counts."""

from collections.abc import Sequence

from benchmarks.double_check.folder import Gold
from cupel.errors import AuditError


class Experts:
    """The experts of one replay: each distinct item that they are asked about is logged and charged once."""

    def __init__(self, gold: Gold) -> None:
        self._verdicts = gold.verdicts
        self._asked: dict[str, None] = {}

    def ask_expert(self, item_id: str) -> str:
        """Return the expert's label of an item.

        Raises:
            AuditError: There is no verdict on the item to be had.
        """
        if item_id not in self._verdicts:
            raise AuditError(f"item {item_id!r}: no expert can be asked, gold.csv has no label for it")
        self._asked[item_id] = None
        return self._verdicts[item_id]

    @property
    def log(self) -> list[str]:
        """The distinct items, in the order in which they were first asked about."""
        return list(self._asked)

    @property
    def charged(self) -> int:
        """Distinct items that experts were asked about."""
        return len(self._asked)


class Scorer:
    """Counts what is wrong when all is done. Nothing that it says goes back into a method."""

    def __init__(self, gold: Gold) -> None:
        self._verdicts = gold.verdicts

    def item_ids(self) -> list[str]:
        """Return the items that can be scored, ascending; the others leave numerator and denominator."""
        return sorted(self._verdicts)

    def are_wrong(self, item_ids: Sequence[str], labels: Sequence[str | None]) -> list[bool]:
        """Return for each item whether its label differs from the verdict; no label is a wrong one."""
        return [self._verdicts[item] != label for item, label in zip(item_ids, labels, strict=True)]
