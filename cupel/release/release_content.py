"""What a release's folder holds, as the checks of its content ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

import pyarrow as pa

from cupel.contract.columns import TEXT
from cupel.contract.item_numbers import Places
from cupel.contract.kind import Kind
from cupel.release import layout
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.names import find_rows
from cupel.release.release_audit import ReleaseAudit

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class ReleaseContent:
    """A release's manifest, certificate.json and tables, by their path in the folder; without texts.

    `kinds` are the label kinds that there are.
    """

    manifest: Row
    certificate: Row
    tables: Mapping[str, pa.Table]
    kinds: tuple[Kind, ...] = ()

    @cached_property
    def audit(self) -> ReleaseAudit:
        """Its audit: the same that the chain made it with.

        Raises:
            ReleaseError: The certificate's plan is none.
            AuditError: It names a label kind that is not there.
        """
        evidence = {
            path.stem: table
            for name, table in self.tables.items()
            if (path := PurePosixPath(name)).parent.name == "evidence"
        }
        terms = FrozenTerms.from_plan(self.certificate["plan"])
        return ReleaseAudit.of(terms, evidence, self.kinds, self.certificate.get(layout.SECOND_DRAW))

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
    def rows(self) -> tuple[Places, Places]:
        """Which frozen item each row of `released` and of `withheld` speaks of; -1 where there is none."""
        released, withheld = find_rows(self.audit.items, self.released, self.withheld)
        return released, withheld
