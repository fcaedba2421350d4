"""Releases that somebody altered with care: manifest and hashes fit what the folder holds."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.release import layout
from cupel.release.verify import Verification

Rows = list[dict[str, Any]]


def failed(verification: Verification) -> set[str]:
    """Return the checks that were not passed."""
    return {check.name for check in verification.checks if not check.is_passed}


def forge(folder: Path) -> None:
    """Make manifest and hashes fit what the folder holds, as a careful forger would."""
    manifest = json.loads((folder / layout.MANIFEST_FILE).read_bytes())
    for row in manifest["files"]:
        content = (folder / row["path"]).read_bytes()
        row.update(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
        if row["path"].endswith(".parquet"):
            row["rows"] = pq.read_metadata(folder / row["path"]).num_rows
    manifest["release_sha256"] = layout.release_sha256(manifest)
    (folder / layout.MANIFEST_FILE).write_bytes(layout.json_bytes(manifest))


def rewrite(folder: Path, name: str, change: Callable[[Rows], Rows]) -> None:
    """Change a table's rows and mend all hashes."""
    table = pq.read_table(folder / name)
    pq.write_table(pa.Table.from_pylist(change(table.to_pylist()), schema=table.schema), folder / name)
    forge(folder)
