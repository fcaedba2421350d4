"""Checking what else lies in a lake's folder: formats, derived files, and files that nobody knows."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from cupel.check.damage import LOOK_AT_IT, UNKNOWN, Damage, repair_command, run_command
from cupel.check.examined import RELEASES, ExaminedLake
from cupel.check.logs import LOGS, RESTORE, kept_files
from cupel.contract.format_numbers import ANSWERS_LOG, LAKE
from cupel.errors import CupelError, FormatError
from cupel.lake.formats import format_file, read_number
from cupel.lake.lake import Lake
from cupel.people.label_studio.record import Records
from cupel.release import layout, reported
from cupel.store.files import find_files, read_file
from cupel.store.sealed import open_sealed

FORMATS = {"": LAKE, "answers": ANSWERS_LOG}
# Written by every run, or of no account once a process has ended.
NOT_ASKED = (
    "run.lock", "locks/*", "locks/.*", "seen.json", "last_look.json", "answers/verified.json", "answers/head.json",
    "answers/segment-*.parquet", "answers/merged/*", "tables/**/*", "damaged/**/*", "counted/**/*", "reports/*/*",
    "reports/*/.made_from", *(f"{log}/head.json" for log in LOGS), "replies/*/*.json*", "replies/*/waiting/*",
    "label_studio/hint", "label_studio/*.parquet", "plots/*/*/*.svg", "data_docs/**/*", "**/.cupel-*",
    "**/.cupel-*/**/*",
)  # fmt: skip
DERIVED = ("run.json", "cpu/*.json")


def check_files(examined: ExaminedLake) -> Iterator[Damage]:
    """Yield what is wrong with derived files; in full also with what runs write anew, and unknown files."""
    for path in _files(examined, DERIVED):
        yield from _check_readable(examined, path, lambda path: open_sealed(read_file(path)))
    yield from _check_label_studio(examined)
    if examined.is_light:
        return
    for name, read in ALSO.items():
        for path in _files(examined, (name,)):
            yield from _check_readable(examined, path, read)
    yield from _unknown(examined)


def _files(examined: ExaminedLake, patterns: tuple[str, ...]) -> list[Path]:
    return sorted(path for one in patterns for path in find_files(examined.folder, one))


def check_formats(lake: Lake) -> list[Damage]:
    """Return which format numbers of a lake and of its logs cannot be read: they are written again by a repair.

    Raises:
        FormatError: A newer version of Cupel wrote the lake or a log.
    """
    found = []
    for name, newest in FORMATS.items():
        place = format_file(name)
        try:
            read_number(lake.store, name, newest)
        except FormatError as error:
            if lake.store.read(place).strip().isdigit():
                raise
            found.append(Damage(place, "format", str(error), repair_command(lake.project), by_repair=True))
    return found


def _check_readable(examined: ExaminedLake, path: Path, read: Callable[[Path], object]) -> Iterator[Damage]:
    try:
        read(path)
    except (OSError, ValueError, UnicodeDecodeError, duckdb.Error) as error:
        what = f"cannot be read: {str(error).splitlines()[0]:.150}"
        place, command = path.relative_to(examined.folder).as_posix(), run_command(examined.lake.project)
        yield Damage(place, "derived file", what, command, by_run=True, by_repair=True)


def _check_label_studio(examined: ExaminedLake) -> Iterator[Damage]:
    records = Records(examined.lake)
    for path in _files(examined, ("label_studio/*.json",)):
        try:
            records.read(path.stem)
        except CupelError as error:
            yield Damage(path.relative_to(examined.folder).as_posix(), "log", str(error), RESTORE)


def _read_lines(path: Path) -> None:
    """Read JSON lines; a kill may have cut the last one short."""
    for line in read_file(path).splitlines()[:-1]:
        json.loads(line)


def _open_catalog(path: Path) -> None:
    with duckdb.connect(str(path), read_only=True) as catalog:
        catalog.execute("SELECT count(*) FROM duckdb_views()").fetchall()


ALSO: dict[str, Callable[[Path], object]] = {
    "summary.json": lambda path: json.loads(read_file(path)),
    "alerts.jsonl": _read_lines,
    "catalog.duckdb": _open_catalog,
}


def _may_be_of_release(path: Path) -> bool:
    """Tell whether a file is called as an image or a signature of a release is; whether it is, `cupel verify` says."""
    name = "/".join(path.parts[2:])
    return path.parts[0] == RELEASES and (layout.is_image_copy(name) or layout.is_signature(name))


def _unknown(examined: ExaminedLake) -> Iterator[Damage]:
    there = find_files(examined.folder)  # before what is known: a run may write meanwhile
    known = {examined.folder / name for name in kept_files(examined)}
    known |= {*_files(examined, (*DERIVED, *ALSO, *NOT_ASKED, "label_studio/*.json"))}
    known |= {examined.folder / format_file(name) for name in FORMATS}
    layouts = {
        *layout.covered({*layout.OPTIONAL_FILES, layout.GUIDELINE_FILE}),
        *layout.NOT_COVERED,
        layout.MANIFEST_FILE,
    }
    known |= {examined.folder / RELEASES / release / name for release in examined.releases for name in layouts}
    for path in there:
        if path not in known and not _may_be_of_release(path.relative_to(examined.folder)):
            yield Damage(path.relative_to(examined.folder).as_posix(), "unknown file", UNKNOWN, LOOK_AT_IT)
    for path in _files(examined, ("reports/*/*",)):
        if path.name not in (*reported.FILES, *reported.BESIDE):
            yield Damage(path.relative_to(examined.folder).as_posix(), "unknown file", UNKNOWN, LOOK_AT_IT)
