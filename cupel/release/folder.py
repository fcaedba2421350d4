"""The release as a folder of files: written whole or not at all, and never changed afterwards."""

import os
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.format_numbers import RELEASE
from cupel.contract.table import from_rows
from cupel.contract.tables.release import MANIFEST, TRAINING_SET
from cupel.errors import ReleaseError
from cupel.release import layout
from cupel.release.card import render_card
from cupel.release.croissant import DataFile, croissant
from cupel.release.facts import ReleaseFacts
from cupel.release.files import TableFile, WrittenFile, write_bytes
from cupel.release.pieces import Stored, in_order, values
from cupel.store.files import hash_file as file_hash
from cupel.store.files import put_file as replace_file
from cupel.store.local import begin as begun

_LATER = ("design", "purpose", "day", "licences")


@dataclass(frozen=True)
class ReleaseTables:
    """The tables that a release's folder holds, as `cupel.contract.tables` has them; gate results of all its stages.

    Those that hold texts may be left in the lake: they are read and written a piece at a time. The planted items
    are there only where some were declared. `contamination` holds the evidence for what the release says of unwanted
    items, by the table's name; nothing where it says nothing. `left_out_items` are there where the project names
    licences, `release_overlaps` where it names evaluation sets.
    """

    training_set: pa.Table | Stored
    withheld_items: pa.Table
    release_items: pa.Table | Stored
    audit: pa.Table
    adjudications: pa.Table
    cuts: pa.Table
    gate_results: pa.Table
    planted_items: pa.Table | None = None
    planted_verdicts: pa.Table | None = None
    contamination: dict[str, pa.Table] = field(default_factory=dict)
    left_out_items: pa.Table | None = None
    release_overlaps: pa.Table | None = None


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


def write_release(folder: Path, facts: ReleaseFacts, tables: ReleaseTables, provenance: Provenance) -> pa.Table:
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
    parent = folder.parent if isinstance(folder, Path) else Path(tempfile.gettempdir())
    temporary = begun(parent)
    try:
        files = _written(temporary, facts, tables, provenance)
        _put(temporary, folder, files)
    except OSError as error:
        raise ReleaseError(f"{folder}: cannot write the release: {error}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return from_rows([{"release": facts.release, **files[name]._asdict()} for name in sorted(files)], MANIFEST)


def add_uncovered(folder: Path, name: str, content: bytes) -> Path:
    """Add a file that the release's hash does not cover: the report or the record of the run.

    Raises:
        ReleaseError: The name is not one of these, or there is no release in the folder.
    """
    if name not in layout.NOT_COVERED:
        raise ReleaseError(f"{name!r}: only {' and '.join(layout.NOT_COVERED)} may be added to a finished release")
    if not (folder / layout.MANIFEST_FILE).exists():
        raise ReleaseError(f"{folder}: no release here; write it before adding {name}")
    replace_file(folder / name, content)
    return folder / name


def _check(facts: ReleaseFacts, tables: ReleaseTables) -> None:
    if facts.result is None or facts.certificate is None or facts.certificate["status"] != "certified":
        raise ReleaseError(f"release {facts.release}: not certified, so it is not written; see its report")
    names = ("training_set", "withheld_items", "release_items", "audit", "adjudications", "cuts")
    for name in (*names, *_optional(tables)):
        others = values(getattr(tables, name), "release") - {facts.release}
        if others:
            raise ReleaseError(f"release {facts.release}: table {name} holds rows of {', '.join(sorted(others))}")
    total, frozen = tables.training_set.num_rows + tables.withheld_items.num_rows, tables.release_items.num_rows
    if total != frozen:
        raise ReleaseError(f"release {facts.release}: {total} items released or withheld, but {frozen} were frozen")


def _written(
    folder: Path, facts: ReleaseFacts, tables: ReleaseTables, provenance: Provenance
) -> dict[str, WrittenFile]:
    """Write all files of the release into an empty folder, the manifest last."""
    files = {file.path: file for file in (*_write_data(folder, tables), *_write_evidence(folder, tables))}
    add = partial(_add, folder, files)
    add(layout.CERTIFICATE_FILE, layout.json_bytes(_certificate(facts)))
    data = {name: DataFile(*files[name][1:3], files[name].rows or 0) for name in layout.DATA_FILES}
    add(layout.CROISSANT_FILE, layout.json_bytes(croissant(facts, data)))
    add(layout.CARD_FILE, render_card(facts).encode())
    add(layout.MANIFEST_FILE, layout.json_bytes(_manifest(facts, provenance, files)))
    return files


def _add(folder: Path, files: dict[str, WrittenFile], name: str, content: bytes) -> None:
    files[name] = write_bytes(folder, name, content)


def _write_data(folder: Path, tables: ReleaseTables) -> list[WrittenFile]:
    """Write the training set, a file a split, in one pass over it."""
    with ExitStack() as stack:
        files = {
            Path(name).stem: stack.enter_context(TableFile(folder, name, table))
            for name, table in layout.DATA_FILES.items()
        }
        for piece in in_order(tables.training_set, TRAINING_SET):
            for split, file in files.items():
                file.write(piece.filter(pc.equal(piece["split"], split)))
    return [file.done() for file in files.values()]


def _write_evidence(folder: Path, tables: ReleaseTables) -> list[WrittenFile]:
    """Write the other tables."""
    files = []
    more = {f"evidence/{name}.parquet" for name in _optional(tables)}
    for name, table in layout.table_files(more).items():
        if name not in layout.DATA_FILES:
            stem = "withheld_items" if name == layout.WITHHELD_FILE else Path(name).stem
            with TableFile(folder, name, table) as file:
                for piece in in_order(getattr(tables, stem), table):
                    file.write(piece)
            files.append(file.done())
    for name, table in layout.CONTAMINATION_FILES.items() if tables.contamination else ():
        with TableFile(folder, name, table) as file:
            for piece in in_order(tables.contamination[Path(name).stem], table):
                file.write(piece)
        files.append(file.done())
    return files


def _optional(tables: ReleaseTables) -> list[str]:
    names = ("planted_items", "planted_verdicts", "left_out_items", "release_overlaps")
    return [name for name in names if getattr(tables, name) is not None]


def _certificate(facts: ReleaseFacts) -> dict[str, Any]:
    return {
        "certificate": facts.certificate,
        "audit_result": facts.result,
        # Of the fixed sequence, which is the rule, and without licences the plan says nothing more than it always did.
        "plan": {name: value for name, value in facts.plan.items() if name not in _LATER or value is not None},
        "project_seed": facts.project.release.seed,
        **_contamination(facts),
    }


def _contamination(facts: ReleaseFacts) -> dict[str, Any]:
    """Return what the certificate says of unwanted items; nothing where there is no bound for the whole release."""
    both, found = facts.together, [batch.contamination for batch in facts.batches if batch.contamination is not None]
    if both is None:
        return {}
    return {"contamination": {"release": both._asdict(), "batches": [one.result for one in found]}}


def _manifest(facts: ReleaseFacts, provenance: Provenance, files: dict[str, WrittenFile]) -> dict[str, Any]:
    manifest = {
        "format": RELEASE,
        "project": facts.project.project,
        "release": facts.release,
        "batches": list(facts.plan["batches"]),
        "files": [files[name]._asdict() for name in sorted(files)],
        "not_covered": list(layout.NOT_COVERED),
        "inputs": dict(sorted(provenance.inputs.items())),
        "answers_until": facts.plan["answers_until"],
        "answers_head": provenance.answers_head,
        "cupel_version": provenance.cupel_version,
        "requirements_sha256": provenance.requirements_sha256,
    }
    return {**manifest, "release_sha256": layout.release_sha256(manifest)}


def _put(temporary: Path, folder: Path, files: dict[str, WrittenFile]) -> None:
    """Put the files in place; a release that is there already must be the same.

    On a local disk all at once, by one rename. An object store has no rename: there the manifest is put
    last, and without a manifest there is no release.
    """
    if (folder if isinstance(folder, Path) else folder / layout.MANIFEST_FILE).exists():
        _must_be_same(folder, files)
    elif isinstance(folder, Path):
        _rename_into_place(temporary, folder, files)
    else:
        for name in sorted(files, key=lambda name: (name == layout.MANIFEST_FILE, name)):
            with (temporary / name).open("rb") as source, (folder / name).open("wb") as target:
                shutil.copyfileobj(source, target)


def _rename_into_place(temporary: Path, folder: Path, files: dict[str, WrittenFile]) -> None:
    for directory in sorted({path.parent for path in temporary.rglob("*")} | {temporary}):
        _sync(directory)
    try:
        os.rename(temporary, folder)
    except OSError:
        if not folder.exists():
            raise
        _must_be_same(folder, files)
    _sync(folder.parent)


def _must_be_same(folder: Path, files: dict[str, WrittenFile]) -> None:
    for name, file in files.items():
        path = folder / name
        if not path.is_file() or file_hash(path) != file.sha256:
            raise ReleaseError(
                f"{folder}: another release is here ({name} differs or is missing); a release is never changed: "
                f"plan a new one, or move this folder away"
            )


def _sync(directory: Path) -> None:
    """Make a folder's entries durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
