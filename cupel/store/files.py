"""Files of this machine: what a person names, and what a process keeps for a while. Tables, logs and releases lie in a
store."""

import hashlib
import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

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


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Fill a folder that has its name when all is in it; what was begun is removed.

    Raises:
        OSError: Something has the name, or the disk is full or failed.
    """
    begun = path.with_name(f".cupel-{uuid.uuid4().hex}")
    begun.mkdir()
    try:
        yield begun
        os.rename(begun, path)
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class FileIdentity(NamedTuple):
    """What makes two names one file: the case of a name, links and mounts do not deceive it."""

    device: int
    number: int


EntryKind = Literal["file", "folder", "link", "other"]
_KINDS: dict[int, EntryKind] = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


class FileEntry(NamedTuple):
    """What a name itself is, a link not followed; `names` are the names that it has on the disk, hard links."""

    kind: EntryKind
    size: int
    names: int
    identity: FileIdentity


def stat_entry(path: Path) -> FileEntry:
    """Return what a name itself is.

    Raises:
        OSError: Nothing has it, or it cannot be looked at. ValueError: It is no name.
    """
    return _entry(path.lstat())


def stat_open_file(file: BinaryIO) -> FileEntry:
    """Return what an open file is, whatever its name stands for by now."""
    return _entry(os.fstat(file.fileno()))


def identify_file(path: Path) -> FileIdentity | None:
    """Return what makes two names one file, links followed; None where nothing has the name, or it is none."""
    try:
        return _entry(path.stat()).identity
    except (OSError, ValueError):
        return None


def open_below(root: Path, path: Path) -> BinaryIO:
    """Open a file folder by folder, so that none of them can be exchanged for a link meanwhile.

    No link is followed, and a pipe that nobody fills is not waited for.

    Args:
        root: The folder to begin at.
        path: The file, somewhere in it.

    Raises:
        OSError: There is none, or it cannot be read, or a link is on the way.
    """
    *folders, name = path.relative_to(root).parts
    place = os.open(root, _OPEN_FLAGS)
    try:
        for folder in folders:
            inner = os.open(folder, _OPEN_FLAGS, dir_fd=place)
            os.close(place)
            place = inner
        return os.fdopen(os.open(name, _OPEN_FLAGS, dir_fd=place), "rb")
    finally:
        os.close(place)


_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def _entry(found: os.stat_result) -> FileEntry:
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "other")
    return FileEntry(kind, found.st_size, found.st_nlink, FileIdentity(found.st_dev, found.st_ino))
