"""Croissant metadata of a release: what its files and columns are, and how the labels came about."""

import re
import warnings
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from cupel.contract.table import Table
from cupel.errors import ReleaseError
from cupel.figures import count
from cupel.release.data_table import data_table
from cupel.release.facts import ReleaseFacts
from cupel.release.files import WrittenFile
from cupel.release.terms import house_rules, licence_rows
from cupel.show.card import licences
from cupel.show.wording import bounds, limits, protocol, steps

_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")


def croissant(facts: ReleaseFacts, files: Mapping[str, WrittenFile]) -> dict[str, Any]:
    """Return the metadata as JSON-LD, with the fields for responsible AI filled in.

    The metadata hold no dates, so that the same release gives the same bytes.

    Args:
        facts: The facts of a certified release.
        files: Each data file, by its path in the release's folder.

    Raises:
        ReleaseError: The release is not certified, or the metadata do not validate.

    Source: Akhtar et al. (2024), Croissant: A Metadata Format for ML-Ready Datasets, DEEM; the Croissant
        RAI vocabulary, version 1.0.
    """
    import mlcroissant as mlc

    if facts.result is None:
        raise ReleaseError(f"release {facts.release}: no audit result, so no Croissant metadata")
    project = facts.project
    table = data_table(facts)
    context = mlc.Context()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            metadata = mlc.Metadata(
                ctx=context,
                name=facts.release,
                description=(project.release.description or project.description or project.title).strip(),
                license=[_licence(licence) for licence in licences(facts)],
                cite_as=project.release.citation.strip() or None,
                in_language=[project.language],
                version=f"1.0.0+{facts.terms.items_sha256[:12]}",
                distribution=[_file(mlc, context, path, file) for path, file in sorted(files.items())],
                record_sets=[_records(mlc, context, path, table) for path in sorted(files)],
                **_responsible(facts, facts.result),
            )
            content: dict[str, Any] = metadata.to_json()
    except mlc.ValidationError as error:
        raise ReleaseError(f"release {facts.release}: Croissant metadata do not validate: {error}") from error
    return content


def _responsible(facts: ReleaseFacts, result: dict[str, Any]) -> dict[str, Any]:
    labeling = facts.project.labeling
    answers = sum(batch.annotations for batch in facts.batches)
    items = sum(batch.items_labelled for batch in facts.batches)
    each = f"{answers / items:.2f} annotators on average" if items else "none"
    made = steps(facts)
    return {
        "data_collection": made[0],
        "data_annotation_protocol": [labeling.question, protocol(facts), *made[1:]],
        "data_annotation_platform": [f"Cupel, workforce {labeling.workforce}"],
        "data_annotation_analysis": [bounds(result)],
        "annotations_per_item": f"{each}; experts saw {result['experts_seen']} of {result['items']} items",
        "machine_annotation_tools": [f"Cupel checker {facts.project.checking.checker}"],
        "data_limitations": [*limits(facts), *_terms(facts)],
        "personal_sensitive_information": [_private_data(facts)],
    }


def _private_data(facts: ReleaseFacts) -> str:
    """Return what was done about what items say of people."""
    if facts.project.modality.has_text:
        masked = "E-mail and postal addresses, phone, payment card and bank account numbers"
        is_ip = facts.project.cleaning.mask_ip_addresses
        return (
            f"{masked}{', and IP addresses,' if is_ip else ''} were masked by rules, which miss some. Not looked for: "
            f"names of people, {'' if is_ip else 'IP addresses, '}identity and tax numbers, dates of birth, user "
            "names, and phone numbers in words."
        )
    images = facts.project.images
    taken = "was taken out of" if images.metadata == "strip" and images.released == "files" else "was left in"
    return f"What files say of place, person and camera {taken} them; what can be seen in the images was not looked at."


def _terms(facts: ReleaseFacts) -> list[str]:
    """Return what who uses the items must keep to, whom to name among it; a sentence each."""
    terms = facts.terms.licence_terms
    rows = [] if terms is None else licence_rows(terms, facts.licences)
    said = [f"{count(row.items)} items are under the licence {row.name}: {row.terms}." for row in rows]
    return [*house_rules(terms, facts.licences), *said]


def _file(mlc: Any, context: Any, path: str, file: WrittenFile) -> Any:
    return mlc.FileObject(
        ctx=context,
        id=path,
        name=_name(path),
        description=f"{file.rows} rows.",
        content_url=path,
        content_size=f"{file.size_bytes} B",
        encoding_formats=["application/x-parquet"],
        sha256=file.sha256,
    )


def _records(mlc: Any, context: Any, path: str, table: Table) -> Any:
    name = _name(path)
    fields = [
        mlc.Field(
            ctx=context,
            id=f"{name}/{column.name}",
            name=column.name,
            description=column.meaning,
            data_types=[_data_type(mlc, column.type)],
            source=mlc.Source(ctx=context, file_object=path, extract=mlc.Extract(ctx=context, column=column.name)),
        )
        for column in table.columns
    ]
    return mlc.RecordSet(ctx=context, id=name, name=name, key=[f"{name}/batch", f"{name}/item_id"], fields=fields)


def _data_type(mlc: Any, kind: pa.DataType) -> Any:
    if pa.types.is_integer(kind):
        return mlc.DataType.INTEGER
    if pa.types.is_boolean(kind):
        return mlc.DataType.BOOL
    return mlc.DataType.FLOAT if pa.types.is_floating(kind) else mlc.DataType.TEXT


def _licence(licence: str) -> str:
    """Return a licence as metadata want it: a URL, where it is an SPDX identifier."""
    return f"https://spdx.org/licenses/{licence}.html" if _SPDX.fullmatch(licence) else licence


def _name(path: str) -> str:
    return path.removeprefix("data/").removesuffix(".parquet")
