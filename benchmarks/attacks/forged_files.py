"""What a careful forger does with a release's folder: change a file, and mend all hashes that cover it."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.attacks.attack import AttackError, Finding, Outcome
from cupel.errors import CupelError
from cupel.release import layout
from cupel.release.freeze import hash_content, items_sha256
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.nonces import make_seed
from cupel.release.slices import hash_slices
from cupel.release.verify import verify_release

Row = dict[str, Any]
ITEMS_FILE = "evidence/release_items.parquet"


def verify(folder: Path) -> Finding:
    """Return what `cupel verify` finds of a release."""
    try:
        found = verify_release(folder)
    except CupelError as error:
        return Finding(Outcome.REFUSED, str(error))
    failed = [check for check in found.checks if not check.is_passed]
    if not failed:
        return Finding(Outcome.NOT_CAUGHT, f"verify: {len(found.checks)} of {len(found.checks)} checks passed")
    return Finding(Outcome.REFUSED, "; ".join(f"{check.name}: {check.problem}" for check in failed[:1]))


def change_rows(folder: Path, name: str, change: Callable[[list[Row]], list[Row]]) -> None:
    """Rewrite a table of a release.

    Raises:
        AttackError: The change changed nothing.
    """
    table = pq.read_table(folder / name)
    before = table.to_pylist()
    after = change([dict(row) for row in before])
    if after == before:
        raise AttackError(f"{name}: nothing was changed")
    pq.write_table(pa.Table.from_pylist(after, schema=table.schema), folder / name)


def change_json(folder: Path, name: str, change: Callable[[Any], None]) -> None:
    """Change a JSON file of a release in place."""
    content = json.loads((folder / name).read_bytes())
    change(content)
    (folder / name).write_bytes(layout.json_bytes(content))


def mend_manifest(folder: Path) -> None:
    """Make the manifest's hashes fit what the folder holds."""

    def mend(manifest: Any) -> None:
        for row in manifest["files"]:
            content = (folder / row["path"]).read_bytes()
            row.update(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))
            if row["path"].endswith(".parquet"):
                row["rows"] = pq.read_metadata(folder / row["path"]).num_rows
        manifest["release_sha256"] = layout.release_sha256(manifest)

    change_json(folder, layout.MANIFEST_FILE, mend)


def mend_freeze(folder: Path) -> None:
    """Make the hashes of the contents, of the items and of the freeze, and the seed, fit what the folder holds."""
    data = [row for name in layout.DATA_FILES for row in pq.read_table(folder / name).to_pylist()]
    texts = {row["item_id"]: row["text"] for row in data}

    def mend_items(rows: list[Row]) -> list[Row]:
        known = [row for row in rows if row["item_id"] in texts]
        for row in known:
            row["content_sha256"] = hash_content(texts[row["item_id"]])
        return rows

    table = pq.read_table(folder / ITEMS_FILE)
    rows = mend_items(table.to_pylist())
    table = pa.Table.from_pylist(rows, schema=table.schema)
    pq.write_table(table, folder / ITEMS_FILE)

    def mend_terms(certificate: Any) -> None:
        plan = certificate["plan"]
        plan["items_sha256"] = certificate["certificate"]["items_sha256"] = items_sha256(table)
        terms = FrozenTerms.from_plan(plan)
        if terms.slices_sha256 is not None:
            plan["design"] = replace(terms, slices_sha256=hash_slices(table)).to_plan()["design"]
        plan["freeze_sha256"] = FrozenTerms.from_plan(plan).hash_freeze()
        plan["seed"] = make_seed(plan["freeze_sha256"], plan["nonce"])

    change_json(folder, layout.CERTIFICATE_FILE, mend_terms)
