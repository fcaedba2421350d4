"""Files whose names somebody else chose: what they really are, no link followed and no folder exchanged meanwhile."""

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

EntryKind = Literal["file", "folder", "link", "other"]
_NO_FILE = "it is a pipe, socket or device, not a file"
_KINDS: dict[int, EntryKind] = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}


class FileEntry(NamedTuple):
    """What a name itself is, a link not followed; `names` counts hard links, `identity` is that of `find_identity`."""

    kind: EntryKind
    size: int
    names: int
    identity: tuple[int, int]


def stat_entry(path: Path) -> FileEntry:
    """Return what a name itself is.

    Raises:
        OSError: Nothing has it, or it cannot be looked at. ValueError: It is no name.
    """
    return _entry(path.lstat())


def stat_open_file(file: BinaryIO) -> FileEntry:
    """Return what an open file is, whatever its name stands for by now."""
    return _entry(os.fstat(file.fileno()))


def list_entries(folder: Path, most_levels: int, most_entries: int) -> list[tuple[Path, FileEntry]]:
    """Return all that lies under a folder and is no folder, in order of name; no link is followed.

    Args:
        folder: The folder.
        most_levels: Folders in each other that are looked into.
        most_entries: Entries that are looked at.

    Raises:
        OSError: It cannot be read, or holds more, or its folders are nested deeper; names the place.
    """
    found, level, count = list[tuple[Path, FileEntry]](), [folder], 0
    for _ in range(most_levels):
        inner = list[Path]()
        for place in level:
            with os.scandir(place) as entries:
                for entry in entries:
                    count += 1
                    if count > most_entries:
                        raise OSError(errno.EINVAL, f"more than {most_entries:,} entries", str(folder))
                    about = stat_entry(Path(entry.path))
                    if about.kind == "folder":
                        inner.append(Path(entry.path))
                    else:
                        found.append((Path(entry.path), about))
        level = inner
    if level:
        raise OSError(errno.EINVAL, f"folders in each other, more than {most_levels} levels", str(folder))
    return sorted(found)


def find_identity(path: Path) -> tuple[int, int] | None:
    """Return what makes two names one file, through links too; None where there is none, or it cannot be looked at."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


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
        opened = os.open(name, _OPEN_FLAGS, dir_fd=place)
    finally:
        os.close(place)
    return _make_file(opened)


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading, links to it followed; a pipe that nobody fills is not waited for.

    Raises:
        OSError: There is none, it cannot be read, or it is a folder, pipe, socket or device; names the file.
    """
    opened = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    try:
        file = _make_file(opened)
    except IsADirectoryError as error:
        raise IsADirectoryError(error.errno, error.strerror, str(path)) from None
    if stat_open_file(file).kind != "file":
        file.close()
        raise OSError(errno.EINVAL, _NO_FILE, str(path))
    return file


def read_at_most(path: Path, most_bytes: int) -> bytes:
    """Return the bytes of a file, links to it followed; no more than so many are read.

    Raises:
        OSError: As of `open_regular`, or it is larger; names the file.
    """
    with open_regular(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EINVAL, f"it is larger than {most_bytes:,} bytes", str(path))
    return content


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Return the bytes of a file that is no link and no larger than so many bytes; no more than those are read.

    Args:
        path: The file.
        most_bytes: The most bytes that it may have.

    Raises:
        OSError: There is none, it cannot be read, or it is a link.
        ValueError: It is a folder, pipe, socket or device, or larger.
    """
    with _open_unfollowed(path) as file:
        return _read_at_most(file, most_bytes)


def read_secret(path: Path, most_bytes: int) -> bytes:
    """Return the bytes of a file that nobody but its owner may read or write.

    Args:
        path: The file; a link to it is followed.
        most_bytes: The most bytes that it may have.

    Raises:
        PermissionError: Others than its owner have rights on it.
        OSError: There is none, or it cannot be read.
        ValueError: It is a folder, pipe, socket or device, or larger.
    """
    with _open_unfollowed(path.resolve()) as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & 0o077:
            raise PermissionError(errno.EACCES, f"others may use it (mode {mode:04o})", str(path))
        return _read_at_most(file, most_bytes)


def _open_unfollowed(path: Path) -> BinaryIO:
    return _make_file(os.open(path, _OPEN_FLAGS))


def _make_file(opened: int) -> BinaryIO:
    try:
        return os.fdopen(opened, "rb")
    except OSError:  # a folder, which is not closed by itself
        os.close(opened)
        raise


def _read_at_most(file: BinaryIO, most_bytes: int) -> bytes:
    if stat_open_file(file).kind != "file":
        raise ValueError(_NO_FILE)
    content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it is larger than {most_bytes:,} bytes")
    return content


_OPEN_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def _entry(found: os.stat_result) -> FileEntry:
    kind = _KINDS.get(stat.S_IFMT(found.st_mode), "other")
    return FileEntry(kind, found.st_size, found.st_nlink, (found.st_dev, found.st_ino))
