"""The release as a folder of files: there once its manifest is, and never changed afterwards."""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.format_numbers import RELEASE
from cupel.contract.table import conform, from_rows
from cupel.contract.tables.release import MANIFEST, RELEASE_IMAGES, TRAINING_SET
from cupel.errors import ReleaseError
from cupel.people.answers.signed_answers import SIGNED_ANSWERS
from cupel.release import layout
from cupel.release.carried_columns import CARRIED, CarriedColumns
from cupel.release.data_table import carried_names, data_table, format_of
from cupel.release.dataset_features import parquet_metadata
from cupel.release.facts import ReleaseFacts
from cupel.release.files import ReleaseFiles, WrittenFile
from cupel.release.frozen_terms import GUIDELINE
from cupel.release.kind_columns import add_columns
from cupel.release.older_formats import not_covered_then
from cupel.release.pieces import Stored, in_order, values
from cupel.release.release_images import ReleasedImage
from cupel.store.store import MissingError, Store, describe_place

Describe = Callable[[ReleaseFacts, Mapping[str, WrittenFile]], Mapping[str, bytes]]

_LATER = ("design", "purpose", "day", "licences", "freeze_sha256", "nonce", "nonce_source", "max_undecided_share")


@dataclass(frozen=True)
class ReleaseTables:
    """The tables that a release's folder holds, as `cupel.contract.tables` has them; gate results of all its stages.

    Those that hold texts may be left in the lake: they are read and written a piece at a time. The planted items
    are there only where some were declared. `contamination` holds the evidence for what the release says of unwanted
    items, by the table's name; nothing where it says nothing. `left_out_items` are there where the project names
    licences, `release_overlaps` where it names evaluation sets, `expert_answers` where the plan names a label kind,
    `images` where items are images: one is held at a time. `signed_answers` is no table but what `certificate.json`
    says of them, where the project names keys; `carried` adds the columns of the deliveries that it hands over.
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
    expert_answers: pa.Table | None = None
    images: Iterable[ReleasedImage] | None = None
    signed_answers: dict[str, Any] | None = None
    slice_bounds: pa.Table | None = None
    carried: CarriedColumns | None = None


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


def write_release(
    store: Store, folder: str, facts: ReleaseFacts, tables: ReleaseTables, provenance: Provenance, describe: Describe
) -> pa.Table:
    """Write a certified release.

    Args:
        store: Where the release shall lie.
        folder: In which folder there.
        facts: The facts of the release; it must be certified.
        tables: Its tables.
        provenance: What it was made from.
        describe: Returns the files that describe the release to people and machines, by name; it gets the facts and the
            data files.

    Returns:
        MANIFEST: one row a file, `manifest.json` included.

    Raises:
        ReleaseError: The release is not certified, its tables are of another release, or another
            release lies in the folder; nothing of that is changed.
    """
    _check(facts, tables)
    try:
        with ReleaseFiles(store, folder) as files:
            is_there = layout.is_written(store, folder)
            _write_data(files, facts, tables)
            _write_evidence(files, tables)
            _write_images(files, tables, may_put=not is_there)
            _write_words(files, facts, tables.signed_answers, provenance, describe)
            other = files.find_other(files.written) if is_there else files.put(last=layout.MANIFEST_FILE)
    except OSError as error:
        raise ReleaseError(f"{describe_place(store, folder)}: cannot write the release: {error}") from error
    if other is not None and not layout.is_written(store, folder):
        raise ReleaseError(
            f"{describe_place(store, folder)}: no release is here, but a write that broke off, or still goes on, left "
            f"{other} with other content; if none goes on, move this folder away and run again"
        )
    if other is not None:
        raise ReleaseError(
            f"{describe_place(store, folder)}: another release is here ({other} differs or is missing); a release is "
            f"never changed: plan a new one, or move this folder away"
        )
    rows = [{"release": facts.release, **files.written[name]._asdict()} for name in sorted(files.written)]
    return from_rows(rows, MANIFEST)


def add_uncovered(store: Store, folder: str, name: str, content: bytes) -> None:
    """Add a file that the release's hash does not cover: the record of the run; of older formats, the report too.

    Raises:
        ReleaseError: The name is not one of these, or there is no release in the folder.
    """
    if not layout.is_written(store, folder):
        raise ReleaseError(f"{describe_place(store, folder)}: no release here; write it before adding {name}")
    if name not in (allowed := find_not_covered(store, folder)):
        raise ReleaseError(f"{name!r}: only {' and '.join(allowed)} may be added to this finished release")
    store.put(f"{folder}/{name}", content)


def find_not_covered(store: Store, folder: str) -> tuple[str, ...]:
    """Return the files that may be added to the release in a folder, by the format that its manifest tells.

    Of a manifest that is damaged, they are those of the present format.
    """
    try:
        number = json.loads(store.read(f"{folder}/{layout.MANIFEST_FILE}")).get("format", 1)
    except (ValueError, AttributeError, MissingError):
        number = RELEASE
    return not_covered_then(number if isinstance(number, int) else RELEASE)


def _check(facts: ReleaseFacts, tables: ReleaseTables) -> None:
    if facts.result is None or facts.certificate is None or facts.certificate["status"] != "certified":
        raise ReleaseError(f"release {facts.release}: not certified, so it is not written; see its report")
    names = ("training_set", "withheld_items", "release_items", "audit", "adjudications", "cuts")
    for name in (*names, *_optional(tables)):
        if name == "expert_answers":  # answers on the items of a batch, which several releases may hold
            continue
        others = values(getattr(tables, name), "release") - {facts.release}
        if others:
            raise ReleaseError(f"release {facts.release}: table {name} holds rows of {', '.join(sorted(others))}")
    total, frozen = tables.training_set.num_rows + tables.withheld_items.num_rows, tables.release_items.num_rows
    if total != frozen:
        raise ReleaseError(f"release {facts.release}: {total} items released or withheld, but {frozen} were frozen")


def _write_data(files: ReleaseFiles, facts: ReleaseFacts, tables: ReleaseTables) -> None:
    """Write the training set with the columns of label kind and deliveries, a file a split, in one pass over it."""
    kind, ontology = facts.project.kind, facts.project.labeling.ontology
    table, number, carried = data_table(facts), format_of(facts.terms), carried_names(facts)
    if carried and (tables.carried is None or tables.carried.names != carried):
        raise ReleaseError(f"release {facts.release}: release.carry names {', '.join(carried)}; give these columns")
    about = parquet_metadata(table, kind, ontology)
    with ExitStack() as stack:
        splits = {Path(name).stem: stack.enter_context(files.table(name, table, about)) for name in layout.DATA_FILES}
        for piece in in_order(tables.training_set, TRAINING_SET):
            piece = add_columns(piece, kind, ontology, number)
            if carried and tables.carried is not None:
                piece = conform(tables.carried.add(piece), table)
            for split, file in splits.items():
                file.write(piece.filter(pc.equal(piece["split"], split)))


def _write_evidence(files: ReleaseFiles, tables: ReleaseTables) -> None:
    """Write the other tables."""
    content: dict[str, Any] = {
        **vars(tables),
        Path(layout.WITHHELD_FILE).stem: tables.withheld_items,
        **tables.contamination,
    }
    named = layout.table_files({f"evidence/{name}.parquet" for name in (*_optional(tables), *tables.contamination)})
    for name, table in named.items():
        if name not in layout.DATA_FILES:
            with files.table(name, table) as file:
                for piece in in_order(content[Path(name).stem], table):
                    file.write(piece)


def _write_images(files: ReleaseFiles, tables: ReleaseTables, may_put: bool) -> None:
    """Copy the images, where there are any, and write the table that names them."""
    if tables.images is None:
        return
    rows = []
    for row, content in tables.images:
        rows.append(row)
        if content is not None and row["file"] not in files.written:
            files.copy(row["file"], content, may_put)
    with files.table(layout.IMAGES_FILE, RELEASE_IMAGES) as file:
        for piece in in_order(from_rows(rows, RELEASE_IMAGES), RELEASE_IMAGES):
            file.write(piece)


def _write_words(
    files: ReleaseFiles, facts: ReleaseFacts, signed: dict[str, Any] | None, provenance: Provenance, describe: Describe
) -> None:
    """Write what is no table, the manifest last."""
    certificate = _certificate(facts) | ({} if signed is None else {SIGNED_ANSWERS: signed})
    files.add(layout.CERTIFICATE_FILE, layout.json_bytes(certificate))
    if facts.guideline is not None:
        files.add(layout.GUIDELINE_FILE, _guideline_text(facts).encode())
    for name, content in describe(facts, {name: files.written[name] for name in layout.DATA_FILES}).items():
        files.add(name, content)
    files.add(layout.MANIFEST_FILE, layout.json_bytes(_manifest(facts, provenance, files.written)))


def _optional(tables: ReleaseTables) -> list[str]:
    names = (
        "planted_items", "planted_verdicts", "left_out_items", "release_overlaps", "expert_answers", "slice_bounds",
    )  # fmt: skip
    return [name for name in names if getattr(tables, name) is not None]


def _certificate(facts: ReleaseFacts) -> dict[str, Any]:
    return {
        "certificate": facts.certificate,
        "audit_result": facts.result,
        # Of the fixed sequence, which is the rule, and without licences the plan says nothing more than it always did.
        "plan": {
            name: value for name, value in facts.terms.to_plan().items() if name not in _LATER or value is not None
        },
        **({"project_seed": facts.project.release.seed} if facts.terms.freeze_sha256 is None else {}),
        **({} if facts.second_draw is None else {layout.SECOND_DRAW: facts.second_draw}),
        **({layout.WITNESSED: facts.witnessed_draws} if facts.witnessed_draws else {}),
        **_contamination(facts),
        **({} if facts.guideline is None else {GUIDELINE: facts.guideline.to_certificate()}),
    }


def _guideline_text(facts: ReleaseFacts) -> str:
    """Return the text that the release's version of the guideline is made of.

    Raises:
        ReleaseError: The lake's log of versions does not hold it.
    """
    text = None if facts.guideline is None else facts.guideline.version.text
    if text is None:
        raise ReleaseError(
            f"release {facts.release}: the text of its guideline {facts.terms.guideline} is not in the lake; restore "
            "the folder `guidelines` from a copy"
        )
    return text


def _contamination(facts: ReleaseFacts) -> dict[str, Any]:
    """Return what the certificate says of unwanted items; nothing where there is no bound for the whole release."""
    both, found = facts.together, [batch.contamination for batch in facts.batches if batch.contamination is not None]
    if both is None:
        return {}
    return {"contamination": {"release": both._asdict(), "batches": [one.result for one in found]}}


def _manifest(facts: ReleaseFacts, provenance: Provenance, files: dict[str, WrittenFile]) -> dict[str, Any]:
    manifest = {
        # A release that an older version froze goes on by the rules of then.
        "format": format_of(facts.terms),
        "project": facts.project.project,
        "release": facts.release,
        "batches": list(facts.terms.batches),
        "files": [files[name]._asdict() for name in sorted(files)],
        "not_covered": list(layout.NOT_COVERED),
        **({CARRIED: list(carried)} if (carried := carried_names(facts)) else {}),
        "inputs": dict(sorted(provenance.inputs.items())),
        "answers_until": facts.terms.answers_until,
        "answers_head": provenance.answers_head,
        "cupel_version": provenance.cupel_version,
        "requirements_sha256": provenance.requirements_sha256,
    }
    return {**manifest, "release_sha256": layout.release_sha256(manifest)}
