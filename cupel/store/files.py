"""Files of this machine: what a person names, and what a process keeps for a while. Tables, logs and releases lie in a
store."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cupel.store.local import LocalStore, naming


class FileStat(NamedTuple):
    """What tells a file from another of its name: its size in bytes, when it was changed, and its place on the disk."""

    size: int
    changed_ns: int
    inode: int


def read_file(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        OSError: It is not there, or cannot be read; names the file.
    """
    return path.read_bytes()


def read_text(path: Path) -> str:
    """Return a UTF-8 text file.

    Raises:
        OSError: It is not there, or cannot be read; names the file.
        UnicodeDecodeError: It is not UTF-8.
    """
    return path.read_text(encoding="utf-8")


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        OSError: It is not there, or cannot be read; names the file.
    """
    return path.open("rb")


def is_file(path: Path) -> bool:
    """Tell whether a name is a file's."""
    return path.is_file()


def is_folder(path: Path) -> bool:
    """Tell whether a name is a folder's."""
    return path.is_dir()


def stat_file(path: Path) -> FileStat | None:
    """Return size and time of change of a file or folder; None where nothing has the name."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return FileStat(found.st_size, found.st_mtime_ns, found.st_ino)


def list_folder(folder: Path) -> list[Path]:
    """Return what lies in a folder, files and folders, in order of name; nothing where there is no folder."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def find_files(folder: Path, pattern: str = "**/*") -> list[Path]:
    """Return the files under a folder whose names fit a pattern, in order of name; nothing where there is no folder."""
    return sorted(path for path in folder.glob(pattern) if path.is_file()) if folder.is_dir() else []


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def put_file(path: Path, content: bytes) -> None:
    """Put a file in place whole, its folder with it; what lies there is replaced.

    Raises:
        OSError: The disk is full or failed; names the file.
    """
    LocalStore(path.parent).put(path.name, content)


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that is too large to hold: it has its name when it is whole and on the disk.

    Raises:
        OSError: The disk is full or failed; names the file. What was begun is removed.
    """
    with LocalStore(path.parent).new() as new, naming(path):
        yield new.file
        new.put(path.name)


def make_folder(path: Path) -> Path:
    """Return a folder that is there, with those above it."""
    path.mkdir(parents=True, exist_ok=True)
    return path


def delete_file(path: Path) -> None:
    """Remove a file; where there is none nothing happens."""
    with suppress(FileNotFoundError):
        path.unlink()


def delete_folder(path: Path) -> None:
    """Remove a folder and all in it; where there is none nothing happens."""
    with suppress(FileNotFoundError):
        shutil.rmtree(path)


def move(path: Path, target: Path) -> None:
    """Give a file or folder another name on the same disk; a file that has the name is replaced."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(path, target)


@contextmanager
def temporary_folder(prefix: str = "cupel-", inside: Path | None = None) -> Iterator[Path]:
    """Yield a folder that is gone after the block."""
    with tempfile.TemporaryDirectory(prefix=prefix, dir=inside) as folder:
        yield Path(folder)
