"""Releases of older formats: which format a folder is of, what it held, and its tables in the present shape."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.contract.format_check import check_number
from cupel.contract.format_numbers import FIRST_NUMBERED_RELEASE, RELEASE
from cupel.contract.table import Table
from cupel.errors import ReleaseError, SigningError
from cupel.lake.formats import VALUES_BEFORE_COLUMN
from cupel.release import layout
from cupel.signing.strict_json import parse_strictly
from cupel.store.files import find_special_files, open_file, read_file, stat_file

# The format that each column came with, in whatever table of the folder it stands.
_COLUMNS_SINCE = {"language": 2, "terms": 3, "content_sha256": 4, "source": 4, "probability": 6}
# The format since which the report is written before the manifest, and covered by it.
_REPORT_COVERED_SINCE = 4
# The format since which a copy of a release verifies without its report, which names annotators.
_REPORT_MAY_BE_LEFT_OUT_SINCE = 6


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a release, of the present format or an older one.

    Args:
        folder: The release's folder.

    Raises:
        ReleaseError: There is no release in the folder, its manifest cannot be read, or something in the folder is
            neither a file nor a folder.
        FormatError: A newer version of Cupel wrote it.
    """
    path = folder / layout.MANIFEST_FILE
    if stat_file(path) is not None:  # another folder may be anybody's, and large
        _check_entries(folder)
    try:
        manifest = parse_strictly(read_file(path, layout.MOST_JSON_BYTES), layout.MANIFEST_FILE)
        layout.json_bytes(manifest)  # what cannot be hashed is none
    except FileNotFoundError:
        raise ReleaseError(f"{folder}: no release here: {layout.MANIFEST_FILE} is missing") from None
    except (OSError, ValueError, SigningError) as error:
        raise ReleaseError(f"{path}: not a manifest: {error}; get the release again") from error
    if isinstance(manifest, dict):
        check_number(manifest.get("format", 1), RELEASE, str(folder))
    keys = ("release", "release_sha256", "files")
    if not isinstance(manifest, dict) or any(key not in manifest for key in keys):
        raise ReleaseError(f"{path}: not a manifest: expected the keys {', '.join(keys)}; get the release again")
    named = manifest["files"]
    if not isinstance(named, list) or not all(
        isinstance(row, dict) and isinstance(row.get("path"), str) and "sha256" in row for row in named
    ):
        raise ReleaseError(f"{path}: key files: expected rows with path and sha256; get the release again")
    return manifest


def _check_entries(folder: Path) -> None:
    """Refuse pipes, sockets and devices: whoever opens one may wait for ever."""
    for path in find_special_files(folder):
        raise ReleaseError(f"{path}: neither a file nor a folder, but a pipe, socket or device; get the release again")


def release_format(folder: Path, manifest: Mapping[str, Any]) -> int:
    """Return the format of a release: its number, or, where that is from before numbers told, by its columns.

    Args:
        folder: The release's folder.
        manifest: Its manifest.

    Raises:
        FormatError: A newer version of Cupel wrote it.
    """
    number = check_number(manifest.get("format", 1), RELEASE, str(folder))
    if number >= FIRST_NUMBERED_RELEASE:
        return number
    names = next(filter(None, (_columns(folder / name) for name in layout.DATA_FILES)), set(_COLUMNS_SINCE))
    lasts = (since - 1 for column, since in _COLUMNS_SINCE.items() if column not in names)
    return min(lasts, default=FIRST_NUMBERED_RELEASE)


def covered_then(named: Collection[str], number: int) -> tuple[str, ...]:
    """Return the files that the hash of a release covers; of those that may be there, what is named.

    Args:
        named: The files that its manifest names.
        number: Its format.
    """
    later = not_covered_then(number)
    return tuple(name for name in layout.covered(named) if name not in later)


def not_covered_then(number: int) -> tuple[str, ...]:
    """Return the files that may be in a release's folder without being covered by its hash, as a format has it."""
    return layout.NOT_COVERED if number >= _REPORT_COVERED_SINCE else (*layout.NOT_COVERED, layout.REPORT_FILE)


def may_be_left_out(number: int) -> tuple[str, ...]:
    """Return the files that a copy of a release may be without, as a format has it; what is there has its hash."""
    return layout.MAY_BE_LEFT_OUT if number >= _REPORT_MAY_BE_LEFT_OUT_SINCE else ()


def table_then(table: Table, number: int) -> Table:
    """Return a table as a format has it: without the columns that came later."""
    columns = tuple(column for column in table.columns if _COLUMNS_SINCE.get(column.name, 1) <= number)
    return table._replace(columns=columns)


def add_later_columns(data: pa.Table, table: Table) -> pa.Table:
    """Return rows of an older format in the present shape: columns that came later are null, or `und` for languages."""
    for column in (column for column in table.columns if column.name not in data.column_names):
        before = VALUES_BEFORE_COLUMN.get(column.name)
        values = pa.nulls(data.num_rows) if before is None else pa.repeat(before, data.num_rows)
        data = data.append_column(table.schema.field(column.name), values.cast(column.type))
    return data.select([column.name for column in table.columns])


def _columns(path: Path) -> set[str]:
    try:
        with open_file(path) as file:
            return set(pq.read_schema(file).names)
    except (OSError, pa.ArrowException):
        return set()
