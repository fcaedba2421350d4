"""The release as a folder of files: written whole or not at all, and never changed afterwards."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from upath import UPath

from cupel.errors import ReleaseError
from cupel.lake import ROWS_PER_GROUP, replace_file
from cupel.release import layout
from cupel.release.card import render_card
from cupel.release.croissant import croissant
from cupel.release.facts import ReleaseFacts
from cupel.tables import MANIFEST, Table, conform, from_rows


@dataclass(frozen=True)
class ReleaseTables:
    """The tables that a release's folder holds, as `cupel.tables` has them; gate results of all its stages."""

    training_set: pa.Table
    withheld_items: pa.Table
    release_items: pa.Table
    audit: pa.Table
    adjudications: pa.Table
    cuts: pa.Table
    gate_results: pa.Table


@dataclass(frozen=True)
class Provenance:
    """What the release was made from.

    `inputs` holds content hashes of tables by `table@partition`; `answers_head` is the hash of the last
    record of the answers log that the release knows; `requirements_sha256` of the lock file, if given.
    """

    inputs: dict[str, str]
    answers_head: str | None
    cupel_version: str
    requirements_sha256: str | None = None


def write_release(folder: Path | UPath, facts: ReleaseFacts, tables: ReleaseTables, provenance: Provenance) -> pa.Table:
    """Write a certified release.

    Args:
        folder: Where the release shall lie; its parent is made if need be.
        facts: The facts of the release; it must be certified.
        tables: Its tables.
        provenance: What it was made from.

    Returns:
        MANIFEST: one row a file, `manifest.json` included.

    Raises:
        ReleaseError: The release is not certified, its tables are of another release, or another
            release lies in the folder; nothing is written then.
    """
    _check(facts, tables)
    contents = _contents(facts, tables)
    rows = {name: _file_row(facts.release, name, content, tables) for name, content in contents.items()}
    manifest = _manifest(facts, provenance, rows)
    contents[layout.MANIFEST_FILE] = layout.json_bytes(manifest)
    rows[layout.MANIFEST_FILE] = _file_row(facts.release, layout.MANIFEST_FILE, contents[layout.MANIFEST_FILE], tables)
    _put(folder, contents)
    return from_rows([rows[name] for name in sorted(rows)], MANIFEST)


def add_uncovered(folder: Path | UPath, name: str, content: bytes) -> Path | UPath:
    """Add a file that the release's hash does not cover: the report or the record of the run.

    Raises:
        ReleaseError: The name is not one of these, or there is no release in the folder.
    """
    if name not in layout.NOT_COVERED:
        raise ReleaseError(f"{name}: only {' and '.join(layout.NOT_COVERED)} may be added to a finished release")
    if not (folder / layout.MANIFEST_FILE).exists():
        raise ReleaseError(f"{folder}: no release here; write it before adding {name}")
    replace_file(folder / name, content)
    return folder / name


def _check(facts: ReleaseFacts, tables: ReleaseTables) -> None:
    if facts.result is None or facts.certificate is None or facts.certificate["status"] != "certified":
        raise ReleaseError(f"release {facts.release}: not certified, so it is not written; see its report")
    for name in ("training_set", "withheld_items", "release_items", "audit", "adjudications", "cuts"):
        others = set(getattr(tables, name)["release"].unique().to_pylist()) - {facts.release}
        if others:
            raise ReleaseError(f"release {facts.release}: table {name} holds rows of {', '.join(sorted(others))}")
    total, frozen = tables.training_set.num_rows + tables.withheld_items.num_rows, tables.release_items.num_rows
    if total != frozen:
        raise ReleaseError(f"release {facts.release}: {total} items released or withheld, but {frozen} were frozen")


def _contents(facts: ReleaseFacts, tables: ReleaseTables) -> dict[str, bytes]:
    contents = {name: _parquet(_table(name, tables), table) for name, table in layout.TABLE_FILES.items()}
    contents[layout.CERTIFICATE_FILE] = layout.json_bytes(_certificate(facts))
    data = {name: (contents[name], _table(name, tables).num_rows) for name in layout.DATA_FILES}
    contents[layout.CROISSANT_FILE] = layout.json_bytes(croissant(facts, data))
    contents[layout.CARD_FILE] = render_card(facts).encode()
    return contents


def _table(name: str, tables: ReleaseTables) -> pa.Table:
    """Return the rows of one of the folder's tables."""
    if name in layout.DATA_FILES:
        return tables.training_set.filter(pc.equal(tables.training_set["split"], Path(name).stem))
    if name == layout.WITHHELD_FILE:
        return tables.withheld_items
    content: pa.Table = getattr(tables, Path(name).stem)
    return content.select([column.name for column in layout.TABLE_FILES[name].columns])


def _parquet(data: pa.Table, table: Table) -> bytes:
    """Return a table as Parquet, sorted by its key: the same rows give the same bytes."""
    order = [(name, "ascending") for name in table.key]
    rows = conform(data, table).sort_by(order).combine_chunks()
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, row_group_size=ROWS_PER_GROUP, compression="zstd", store_schema=True)
    return bytes(sink.getvalue().to_pybytes())


def _certificate(facts: ReleaseFacts) -> dict[str, Any]:
    return {
        "certificate": facts.certificate,
        "audit_result": facts.result,
        "plan": facts.plan,
        "project_seed": facts.project.release.seed,
    }


def _file_row(release: str, name: str, content: bytes, tables: ReleaseTables) -> dict[str, Any]:
    return {
        "release": release,
        "path": name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "rows": _table(name, tables).num_rows if name in layout.TABLE_FILES else None,
    }


def _manifest(facts: ReleaseFacts, provenance: Provenance, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    manifest = {
        "format": 1,
        "project": facts.project.project,
        "release": facts.release,
        "batches": list(facts.plan["batches"]),
        "files": [{key: rows[name][key] for key in ("path", "sha256", "size_bytes", "rows")} for name in sorted(rows)],
        "not_covered": list(layout.NOT_COVERED),
        "inputs": dict(sorted(provenance.inputs.items())),
        "answers_until": facts.plan["answers_until"],
        "answers_head": provenance.answers_head,
        "cupel_version": provenance.cupel_version,
        "requirements_sha256": provenance.requirements_sha256,
    }
    return {**manifest, "release_sha256": layout.release_sha256(manifest)}


def _put(folder: Path | UPath, contents: dict[str, bytes]) -> None:
    """Put the files in place; a release that is there already must be the same.

    On a local disk all at once, by one rename. An object store has no rename: there the manifest is put
    last, and without a manifest there is no release.
    """
    if (folder if isinstance(folder, Path) else folder / layout.MANIFEST_FILE).exists():
        _must_be_same(folder, contents)
    elif isinstance(folder, Path):
        _rename_into_place(folder, contents)
    else:
        for name in _manifest_last(contents):
            replace_file(folder / name, contents[name])


def _manifest_last(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: (name == layout.MANIFEST_FILE, name))


def _rename_into_place(folder: Path, contents: dict[str, bytes]) -> None:
    temporary = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        for name in _manifest_last(contents):
            _write(temporary / name, contents[name])
        for directory in sorted({path.parent for path in temporary.rglob("*")} | {temporary}):
            _sync(directory)
        os.rename(temporary, folder)
        _sync(folder.parent)
    except OSError as error:
        if not folder.exists():
            raise ReleaseError(f"{folder}: cannot write the release: {error}") from error
        _must_be_same(folder, contents)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _must_be_same(folder: Path | UPath, contents: dict[str, bytes]) -> None:
    for name, content in contents.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != content:
            raise ReleaseError(
                f"{folder}: another release is here ({name} differs or is missing); a release is never changed: "
                f"plan a new one, or move this folder away"
            )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(directory: Path) -> None:
    """Make a folder's entries durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
