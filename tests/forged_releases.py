"""Releases that somebody altered with care: manifest and hashes fit what the folder holds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.attacks.forged_files import mend_manifest
from cupel.release.verify import Verification

Rows = list[dict[str, Any]]


def failed(verification: Verification) -> set[str]:
    """Return the checks that were not passed."""
    return {check.name for check in verification.checks if not check.is_passed}


def forge(folder: Path) -> None:
    """Make manifest and hashes fit what the folder holds, as a careful forger would."""
    mend_manifest(folder)


def rewrite(folder: Path, name: str, change: Callable[[Rows], Rows]) -> None:
    """Change a table's rows and mend all hashes."""
    table = pq.read_table(folder / name)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema), folder / name)
    forge(folder)
