"""An opened release: what its folder holds, as the checks of its content ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from cupel.answers.places import Places, places
from cupel.certificate.result import Assay
from cupel.certificate.sequence import Flags
from cupel.contract.columns import TEXT
from cupel.release import layout
from cupel.release.audit_design import terms_of
from cupel.release.outcome import settled
from cupel.release.proof import assay_of, audited_items
from cupel.release.second_audit import rows_of_items

Row = dict[str, Any]


@dataclass(frozen=True)
class Opened:
    """A release's manifest, certificate.json and tables, by their path in the folder; without texts."""

    manifest: Row
    certificate: Row
    tables: Mapping[str, pa.Table]

    def evidence(self, name: str) -> pa.Table:
        """Return a table of the evidence."""
        return self.tables[f"evidence/{name}.parquet"]

    @cached_property
    def frozen(self) -> pa.Table:
        """The frozen items, in their order of risk."""
        return self.evidence("release_items").sort_by("risk_rank")

    @cached_property
    def released(self) -> pa.Table:
        """The released items of all splits, with the file that each lies in as `file`."""
        parts = [
            self.tables[name].append_column("file", pa.repeat(pa.scalar(name, TEXT), self.tables[name].num_rows))
            for name in layout.DATA_FILES
        ]
        return pa.concat_tables(parts)

    @property
    def withheld(self) -> pa.Table:
        """The items that were held back."""
        return self.tables[layout.WITHHELD_FILE]

    @cached_property
    def verdicts(self) -> pa.Table:
        """What experts settled: batch, item_id and expert_label."""
        return settled(self.evidence("audit"), self.evidence("adjudications"))

    @cached_property
    def numbers(self) -> "Numbers":
        """A number for each row of these tables: the same where they speak of one item."""
        tables = (self.frozen, self.released, self.withheld, self.evidence("audit"), self.evidence("adjudications"))
        return Numbers(*places(*tables, self.verdicts))

    @cached_property
    def drawn(self) -> Flags:
        """Which frozen items the audit has to hold: drawn first, or made due by the verdicts before them."""
        plan, audit, planted = self.certificate["plan"], self.evidence("audit"), self.planted

        def said(drawn: pa.Table) -> pa.Table:
            return rows_of_items(audit, drawn)

        return audited_items(plan, self.frozen, said, planted)

    @cached_property
    def assay(self) -> Assay:
        """What the evidence comes to."""
        plan = self.certificate["plan"]
        items, audit, adjudicated = (self.evidence(name) for name in ("release_items", "audit", "adjudications"))
        return assay_of(plan, items, audit, adjudicated, self.planted)

    @property
    def planted(self) -> pa.Table | None:
        """What auditors said of planted items; None where none were declared."""
        return self.evidence("planted_verdicts") if terms_of(self.certificate["plan"]).planted_errors else None


class Numbers(NamedTuple):
    """The items that the rows of some tables speak of, as numbers."""

    frozen: Places
    released: Places
    withheld: Places
    audit: Places
    adjudications: Places
    verdicts: Places

    def place(self, of: Places, among: Places) -> pa.Array:
        """Return the last row of `among` that speaks of the same item as each row of `of`; null where none does."""
        last = np.full(1 + max(part.max(initial=-1) for part in self), -1)
        last[among] = np.arange(len(among))
        return pa.array(last[of], mask=last[of] < 0)
