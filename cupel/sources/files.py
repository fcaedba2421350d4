"""A delivery's files: which they are, that they lie in the delivery's folder, their format, their hash."""

from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from cupel.errors import SourceError
from cupel.store.files import FileStat, find_files, hash_file, is_file, is_folder, stat_file

FORMATS = {".jsonl": "jsonl", ".csv": "csv", ".txt": "text", ".parquet": "parquet"}
# The format of a file that is an item by itself.
ITEM = "item"
COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")
WILDCARDS = frozenset("*?[")


class SourceFile(NamedTuple):
    """One file of a delivery: where it is, its name in the tables, and how to read it."""

    path: Path
    name: str
    format: str
    compression: str | None

    @property
    def label(self) -> str:
        """Format and compression as the `deliveries` table names them, like `jsonl.gz`."""
        return self.format + (self.compression or "")


def source_files(
    batch: str, patterns: tuple[str, ...], folder: Path, endings: tuple[str, ...] = ()
) -> list[SourceFile]:
    """Find the files of a delivery.

    Args:
        batch: The delivery's name, for errors.
        patterns: Files or glob patterns, relative to the folder, or absolute inside it.
        folder: The delivery's folder.
        endings: Endings of files each of which is an item by itself.

    Returns:
        Each file once, ordered by name; this is the order in which they are read.

    Raises:
        SourceError: A file is missing, no file, outside the folder or of unknown ending, or a pattern
            matches nothing.
    """
    root = folder.resolve()
    found = {file.name: file for pattern in patterns for file in _matches(batch, pattern, folder, root, endings)}
    return [found[name] for name in sorted(found)]


def known_sha256(path: Path) -> str:
    """Return the hash of a file's bytes, without reading it again while it has the same size and time of change."""
    found = stat_file(path)
    return hash_file(path) if found is None else _sha256(path, found)


@lru_cache(maxsize=4096)
def _sha256(path: Path, stat: FileStat) -> str:
    return hash_file(path)


def _matches(batch: str, pattern: str, folder: Path, root: Path, endings: tuple[str, ...]) -> list[SourceFile]:
    where = f"delivery {batch}, files: {pattern!r}"
    relative = _relative(where, pattern, folder, root)
    path = folder / relative
    try:
        if is_folder(path):
            raise SourceError(f"{where}: {path} is a folder; name the files in it, for example {relative}/*.jsonl")
        if is_file(path):
            return [_source_file(where, path, folder, root, endings)]
        if not WILDCARDS & set(relative):
            raise SourceError(f"{where}: {path} does not exist; mend the name or bring the file")
        matches = find_files(folder, relative)
    except ValueError as error:
        raise SourceError(f"{where}: not a glob pattern: {error}") from None
    except OSError as error:  # a name that is too long, a folder that may not be read
        raise SourceError(f"{where}: cannot be looked for: {error.strerror}; mend the name") from None
    if not matches:
        raise SourceError(f"{where}: no file in {folder} matches this pattern; mend it or bring the files")
    return [_source_file(where, path, folder, root, endings) for path in matches]


def _relative(where: str, pattern: str, folder: Path, root: Path) -> str:
    """Return the pattern relative to the folder; it must not lead out of it."""
    if not pattern.isprintable():
        raise SourceError(f"{where}: holds unprintable characters; rename the file")
    path = PurePosixPath(pattern)
    if path.is_absolute():
        base = next((base for base in (folder.absolute(), root) if path.is_relative_to(base.as_posix())), None)
        if base is None:
            raise SourceError(f"{where}: outside {folder}; a delivery's files lie in its folder")
        path = path.relative_to(base.as_posix())
    if ".." in path.parts:
        raise SourceError(f"{where}: '..' leads out of {folder}; a delivery's files lie in its folder")
    if path == PurePosixPath("."):
        raise SourceError(f"{where}: names no file; name one in {folder}")
    return str(path)


def _source_file(where: str, path: Path, folder: Path, root: Path, endings: tuple[str, ...]) -> SourceFile:
    name = path.relative_to(folder).as_posix()
    if not path.resolve().is_relative_to(root):
        raise SourceError(f"{where}: {name} is a link that leads out of {folder}; copy the file into the folder")
    if not name.isprintable():
        raise SourceError(f"{where}: the file's name {name!r} holds unprintable characters; rename it")
    return SourceFile(path, name, *_format(where, path, endings))


def _format(where: str, path: Path, of_items: tuple[str, ...]) -> tuple[str, str | None]:
    endings = [ending.lower() for ending in path.suffixes[-2:]]
    if endings and endings[-1] in of_items:
        return ITEM, None
    if endings and endings[-1] in FORMATS:
        return FORMATS[endings[-1]], None
    if len(endings) == 2 and endings[1] in COMPRESSIONS and FORMATS.get(endings[0], "parquet") != "parquet":
        return FORMATS[endings[0]], endings[1]
    raise SourceError(
        f"{where}: {path.name} ends in none of {', '.join((*of_items, *FORMATS))} (all but .parquet may be compressed: "
        f"{', '.join(COMPRESSIONS)}); rename or convert it"
    )
