"""Verifying a release from its folder alone: its files, its audit, its certificate, its labels."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.config.project import Known
from cupel.contract.columns import TEXT, TEXT_COLUMN, Column
from cupel.contract.format_numbers import RELEASE
from cupel.contract.kind import Kind
from cupel.contract.ontology import Ontology
from cupel.contract.table import Table, conform
from cupel.errors import CupelError, ReleaseError, SigningError
from cupel.kinds import KNOWN
from cupel.lake.lake import ROWS_PER_GROUP
from cupel.release import layout
from cupel.release.carried_columns import find_carried
from cupel.release.freeze import hash_content
from cupel.release.frozen_terms import FrozenTerms, find_kind
from cupel.release.kind_columns import check_columns, table_of
from cupel.release.older_formats import (
    add_later_columns,
    covered_then,
    may_be_left_out,
    not_covered_then,
    read_manifest,
    release_format,
    table_then,
)
from cupel.release.recheck import CONTENT_CHECKS, is_asked
from cupel.release.release_content import ReleaseContent
from cupel.signing.strict_json import parse_strictly
from cupel.store.files import find_links, hash_file, is_file, list_all_files, open_file, read_file, stat_file


class Check(NamedTuple):
    """One thing that was verified; `problem` says what is wrong, and is empty when nothing is."""

    name: str
    problem: str

    @property
    def is_passed(self) -> bool:
        """Nothing is wrong."""
        return not self.problem


class Verification(NamedTuple):
    """What came of verifying a release. `format` is that of its folder, by which it was verified."""

    release: str
    release_sha256: str
    checks: list[Check]
    format: int = RELEASE

    @property
    def is_passed(self) -> bool:
        """Every check passed."""
        return all(check.is_passed for check in self.checks)


def verify_release(folder: Path, known: Known = KNOWN) -> Verification:
    """Verify a release: nothing but its folder is needed.

    Hashes show that nothing was changed after the release was written; the other checks recompute the
    audit's draw, the certificate's test and the labels from the evidence. None of this shows who wrote
    the release: for that, compare `release_sha256` with the one that you were given.

    Args:
        folder: The release's folder.
        known: The label kinds that there are; a release of another one cannot be verified.

    Returns:
        All checks, of one format always the same ones in the same order. What cannot be checked has not passed. A
        release of an older format is not asked for what came later, unless it claims it.

    Raises:
        ReleaseError: There is no release in the folder, or its manifest cannot be read.
        FormatError: A newer version of Cupel wrote it.
    """
    manifest = read_manifest(folder)
    number = release_format(folder, manifest)
    checks = [
        Check("manifest says what it said", _hash_problem(manifest)),
        Check("no file is missing", _missing(folder, manifest, number)),
        Check("no file was added", _added(folder, manifest, number)),
        Check("every file has its hash", _changed(folder, manifest, number)),
    ]
    content = _open(folder, manifest, number, known)
    problem = content if isinstance(content, str) else ""
    checks.append(Check("every table can be read and has its columns", problem))
    for name, check in CONTENT_CHECKS.items():
        if not is_asked(name, number, manifest, content):
            continue
        found = "cannot be checked: not every table can be read" if isinstance(content, str) else _run(check, content)
        checks.append(Check(name, found))
    return Verification(str(manifest["release"]), str(manifest["release_sha256"]), checks, number)


def _run(check: Callable[[ReleaseContent], str], content: ReleaseContent) -> str:
    """Run a check; evidence that makes it impossible is a problem like any other."""
    try:
        return check(content)
    except (CupelError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RuntimeError) as error:
        return f"cannot be checked: {type(error).__name__}: {error}"


def _hash_problem(manifest: Mapping[str, Any]) -> str:
    found = layout.release_sha256(dict(manifest))
    if found == manifest["release_sha256"]:
        return ""
    return f"release_sha256 is {manifest['release_sha256']}, but the manifest's content gives {found}"


def _missing(folder: Path, manifest: Mapping[str, Any], number: int) -> str:
    named = {row["path"] for row in manifest["files"]}
    covered = covered_then(named, number)
    unnamed = sorted(set(covered) - named)
    # By the names that are there: where a disk takes letters of both cases for one, another name is found all the same.
    absent = sorted(set(covered) - _list_names(folder) - set(may_be_left_out(number)))
    problems = [f"not in the manifest: {', '.join(unnamed)}"] if unnamed else []
    problems += [f"not in the folder: {', '.join(absent)}"] if absent else []
    return "; ".join(problems)


def _added(folder: Path, manifest: Mapping[str, Any], number: int) -> str:
    beside = {layout.MANIFEST_FILE, *not_covered_then(number)}
    expected = {row["path"] for row in manifest["files"]} | beside
    present = {name for name in _list_names(folder) if not layout.is_signature(name)}
    if links := [path.relative_to(folder).as_posix() for path in find_links(folder) if path != folder]:
        return f"links, which are no part of a release: {', '.join(links)}"
    extra = sorted((present - expected) | (expected - set(covered_then(expected, number)) - beside))
    return f"no part of the release: {', '.join(extra)}" if extra else ""


def _list_names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in list_all_files(folder)}


def _changed(folder: Path, manifest: Mapping[str, Any], number: int) -> str:
    changed, covered = [], covered_then({row["path"] for row in manifest["files"]}, number)
    for row in manifest["files"]:
        path = folder / row["path"]
        # A path that leaves the folder is never followed; it is reported as added.
        if row["path"] in covered and is_file(path) and not _is_same(path, row):
            changed.append(row["path"])
    return f"changed since the release was written: {', '.join(changed)}" if changed else ""


def _is_same(path: Path, row: Mapping[str, Any]) -> bool:
    found = stat_file(path)
    return hash_file(path) == row["sha256"] and found is not None and found.size == row.get("size_bytes")


def _open(folder: Path, manifest: Mapping[str, Any], number: int, known: Known) -> ReleaseContent | str:
    """Return the release's tables and its certificate, or what is wrong with them."""
    rows = {row["path"]: row.get("rows") for row in manifest["files"]}
    tables: dict[str, pa.Table] = {}
    problems = []
    certificate: Any = None
    try:
        certificate = parse_strictly(
            read_file(folder / layout.CERTIFICATE_FILE, layout.MOST_JSON_BYTES), layout.CERTIFICATE_FILE
        )
    except OSError as error:
        problems.append(f"{layout.CERTIFICATE_FILE}: {error}")
    except SigningError as error:
        problems.append(str(error))
    terms, kind = _find_kind(certificate, known)
    try:
        carried = find_carried(manifest)
    except ReleaseError as error:
        problems, carried = [*problems, str(error)], ()
    for name, table in layout.table_files(rows).items():
        try:
            if name in layout.DATA_FILES and terms is not None and kind is not None:
                check = partial(check_columns, kind=kind, ontology=terms.ontology, number=number)
                then = table_of(kind, terms.ontology, number, carried)
                tables[name] = _read(folder / name, then, table, check)
            elif name in layout.DATA_FILES:
                tables[name] = _read(folder / name, table_of(None, Ontology(()), number, carried), table)
            else:
                tables[name] = _read(folder / name, table_then(table, number), table)
            if tables[name].num_rows != rows.get(name):
                problems.append(f"{name}: {tables[name].num_rows} rows, the manifest says {rows.get(name)}")
        except (OSError, CupelError, LookupError, pa.ArrowException) as error:  # KeyError: a column that is there twice
            problems.append(f"{name}: {error}")
    if problems:
        return "; ".join(problems)
    return ReleaseContent(dict(manifest), certificate, tables, known.kinds)


def _find_kind(certificate: Any, known: Known) -> tuple[FrozenTerms, Kind | None] | tuple[None, None]:
    """Return what the release was frozen with, and its label kind; of terms that are none, other checks say why."""
    try:
        terms = FrozenTerms.from_plan(certificate["plan"])
        return terms, find_kind(terms, known.kinds)
    except (CupelError, LookupError, TypeError, RecursionError):
        return None, None


def _read(path: Path, then: Table, table: Table, check: Callable[[pa.Table], None] = lambda group: None) -> pa.Table:
    """Read all of a table and hold it to its format's schema; keep, in the present shape, all but texts.

    In the place of texts their hashes are kept, as `content_sha256`.

    Args:
        path: The file.
        then: The table as the file should hold it, by the release's format.
        table: The table of now, of which columns are kept.
        check: Raises a TableError where rows are not as they must be.
    """
    kept = table._replace(columns=_without_text(table))
    with open_file(path) as file:
        parquet = pq.ParquetFile(file)
        found = [_hash_texts(conform(parquet.schema_arrow.empty_table(), then), kept)]
        for batch in parquet.iter_batches(ROWS_PER_GROUP):  # the texts of one at a time
            group = conform(pa.Table.from_batches([batch]), then)
            check(group)
            found.append(_hash_texts(group, kept))
        return pa.concat_tables(found)


def _hash_texts(data: pa.Table, kept: Table) -> pa.Table:
    """Return rows in the present shape, with the hash of their text where they have one."""
    found = add_later_columns(data, kept)
    if TEXT_COLUMN.name not in data.column_names:
        return found
    hashes = [hash_content(text) for text in data[TEXT_COLUMN.name].to_pylist()]
    return found.append_column("content_sha256", pa.array(hashes, TEXT))


def _without_text(table: Table) -> tuple[Column, ...]:
    return tuple(column for column in table.columns if column != TEXT_COLUMN)
