"""Files of this machine: what a person names, and what a process keeps for a while. Tables, logs and releases lie in a
store."""

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, cast

from cupel.store.local import PRIVATE_FILE, PRIVATE_FOLDER, LocalStore, begin, make_lasting_folder, naming, sync_folder
from cupel.store.store import TakenError
from cupel.store.untrusted_files import open_regular, read_at_most

if TYPE_CHECKING:
    import pyarrow as pa

# Texts that are read whole: project files, guidelines, pages. A guideline of a thousand pages has 4 MB.
MOST_TEXT_BYTES = 1 << 26


class FileStat(NamedTuple):
    """What tells a file from another of its name: its size in bytes, when it was changed, and its place on the disk."""

    size: int
    changed_ns: int
    inode: int


def read_file(path: Path, most_bytes: int | None = None) -> bytes:
    """Return the bytes of a file.

    Args:
        path: The file.
        most_bytes: The most that it may have; None: any number.

    Raises:
        OSError: It is not there, cannot be read, is no regular file, or is larger; names the file.
    """
    if most_bytes is not None:
        return read_at_most(path, most_bytes)
    with open_regular(path) as file:
        return file.read()


def read_text(path: Path) -> str:
    """Return a UTF-8 text file, line ends as line feeds.

    Raises:
        OSError: It is not there, cannot be read, is no regular file, or is larger than 64 MB; names the file.
        UnicodeDecodeError: It is not UTF-8.
    """
    text = read_at_most(path, MOST_TEXT_BYTES).decode("utf-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def open_file(path: Path) -> BinaryIO:
    """Open a file for reading.

    Raises:
        OSError: It is not there, cannot be read, or is no regular file: no pipe is waited for; names the file.
    """
    return open_regular(path)


def is_file(path: Path) -> bool:
    """Tell whether a name is a file's."""
    return os.path.isfile(path)


def is_folder(path: Path) -> bool:
    """Tell whether a name is a folder's."""
    return os.path.isdir(path)


def stat_file(path: Path) -> FileStat | None:
    """Return size and time of change of a file or folder; None where nothing has the name, or nothing can have it."""
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            return None
        raise
    return FileStat(found.st_size, found.st_mtime_ns, found.st_ino)


def list_folder(folder: Path) -> list[Path]:
    """Return what lies in a folder, files and folders, in order of name; nothing where there is no folder."""
    return sorted(folder.iterdir()) if folder.is_dir() else []


def find_files(folder: Path, pattern: str = "**/*") -> list[Path]:
    """Return the files under a folder whose names fit a pattern, in order of name; nothing where there is no folder."""
    return sorted(path for path in folder.glob(pattern) if path.is_file()) if folder.is_dir() else []


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as hexadecimal digits."""
    with open_regular(path) as file:
        return hashlib.file_digest(cast(BufferedReader, file), "sha256").hexdigest()


def put_file(path: Path, content: bytes) -> None:
    """Put a file in place whole, its folder with it; what lies there is replaced.

    Raises:
        OSError: The disk is full or failed; names the file. Folders that were made for it are removed.
    """
    made = [folder for folder in path.parents if not os.path.lexists(folder)]
    try:
        LocalStore(path.parent).put(path.name, content)
    except OSError:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


@contextmanager
def new_file(path: Path, *, is_only: bool = False, is_private: bool = False) -> Iterator[BinaryIO]:
    """Write a file that is too large to hold: it has its name when it is whole and on the disk.

    Args:
        path: Where it shall lie; what lies there is replaced.
        is_only: Put it there only where nothing is, so that of two writers one wins.
        is_private: Nobody but its owner may read it.

    Raises:
        FileExistsError: With `is_only`, there is a file already.
        OSError: The disk is full or failed; names the file. What was begun is removed.
    """
    with LocalStore(path.parent, is_private).new() as new, naming(path):
        yield new.file
        try:
            new.put_if_absent(path.name) if is_only else new.put(path.name)
        except TakenError as error:
            raise FileExistsError(errno.EEXIST, f"{error}", str(path)) from None


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


def move(path: Path, target: Path, staged: Path | None = None, *, is_private: bool = False) -> None:
    """Give a file or folder another name, which lasts; a file that has the name is replaced.

    Args:
        path: The file or folder.
        target: Its new name.
        staged: Where it is copied first if that is on another disk, so that it appears whole; None: it is refused.
        is_private: At its new place nobody but its owner may read it.
    """
    make_lasting_folder(target.parent, is_private=is_private)
    try:
        os.rename(path, target)
    except OSError as error:
        if error.errno != errno.EXDEV or staged is None:
            raise
        shutil.copytree(path, staged) if path.is_dir() else shutil.copyfile(path, staged)
        for copied in (staged, *staged.rglob("*")):
            _sync(copied)
        os.rename(staged, target)
        sync_folder(target.parent)
        delete(path)  # not before: until then it is the only one that lasts
    else:
        sync_folder(target.parent)
    if is_private:
        make_private(target)


def make_private(path: Path) -> None:
    """Let nobody but its owner read a file, or a folder and all in it; what belongs to somebody else stays as it is."""
    for one in (path, *path.rglob("*")) if path.is_dir() else (path,):
        with suppress(PermissionError):
            if not one.is_symlink():
                one.chmod(PRIVATE_FOLDER if one.is_dir() else PRIVATE_FILE)


def delete(path: Path) -> None:
    """Remove a file, or a folder and all in it; where there is none nothing happens."""
    delete_folder(path) if path.is_dir() and not path.is_symlink() else delete_file(path)


def find_links(path: Path) -> list[Path]:
    """Return what is a link: the name itself, and all under it."""
    return [one for one in (path, *path.rglob("*")) if one.is_symlink()]


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
    begun = begin(path.parent)
    begun.mkdir()
    try:
        yield begun
        os.rename(begun, path)
    except BaseException:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    sync_folder(path.parent)


@contextmanager
def new_path(path: Path, *, is_private: bool = False) -> Iterator[Path]:
    """Let a library write a file by itself: yield a path beside it; what lies there is put in place whole at the end.

    Raises:
        OSError: The disk is full or failed; names the file. What was begun is removed.
    """
    temporary = begin(path.parent)
    make_folder(path.parent)
    try:
        yield temporary
        with naming(path):
            with temporary.open("rb") as file:
                if is_private:
                    os.fchmod(file.fileno(), PRIVATE_FILE)
                os.fsync(file.fileno())
            os.replace(temporary, path)
    finally:
        delete_file(temporary)


def turn(path: Path) -> AbstractContextManager[bool]:
    """Wait until no other process is in such a block, and hold it; it is freed when the process dies.

    Args:
        path: A file that stands for what is done; made if need be.
    """
    return LocalStore(path.parent).lock(path.name)


def remove_left_behind(folder: Path) -> None:
    """Remove what killed writers had begun in a folder and those in it; never what was touched within the hour."""
    LocalStore(folder).remove_left_behind()


def open_stream(path: Path) -> "pa.NativeFile":
    """Open a file for Arrow's readers; one whose name ends in that of a compression is unpacked as it is read.

    Raises:
        OSError: It is not there, cannot be read, or is no regular file; names the file.
    """
    import pyarrow as pa

    open_regular(path).close()
    return pa.input_stream(str(path), compression="detect")


def append_to(path: Path) -> BinaryIO:
    """Open a file for adding to its end, such as a program's log."""
    return path.open("ab")


def empty_file(path: Path) -> None:
    """Take away what a file holds; a program that adds to it goes on at its new end."""
    os.truncate(path, 0)


def put_secret(path: Path, content: bytes) -> None:
    """Put a file in place that nobody but its owner may read, where nothing is.

    Raises:
        FileExistsError: Something is there.
    """
    with new_file(path, is_only=True, is_private=True) as file:
        file.write(content)


def link(path: Path, target: Path) -> None:
    """Let a name stand for a file or folder elsewhere.

    Raises:
        FileExistsError: Something has the name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def copy_file(path: Path, target: Path) -> None:
    """Copy a file's bytes, without its rights, to where they need not last."""
    make_folder(target.parent)
    shutil.copyfile(path, target)


def stat_files(folder: Path, ending: str) -> Iterator[tuple[str, FileStat]]:
    """Yield each file under a folder whose name ends so, with its size and time of change, in no order.

    Files and folders that vanish meanwhile are left out.
    """
    for place, _, names in os.walk(folder):
        for name in names:
            if name.endswith(ending):
                with suppress(FileNotFoundError):
                    found = os.stat(path := f"{place}/{name}")
                    yield path, FileStat(found.st_size, found.st_mtime_ns, found.st_ino)


def measure_folder(folder: Path) -> int:
    """Return the bytes of all files in a folder and those in it; 0 where there is none.

    What another process removes meanwhile is not counted.
    """
    size = 0
    for path in folder.rglob("*") if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            size += path.lstat().st_size if not path.is_dir() else 0
    return size


def claim_folder(folder: Path) -> bool:
    """Make a folder if need be, and mark it as used now; tell whether it may be written to.

    Raises:
        OSError: It cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    return may_write(folder)


def may_write(folder: Path) -> bool:
    """Tell whether this process may make files in a folder."""
    return os.access(folder, os.W_OK)


def find_special_files(folder: Path) -> Iterator[Path]:
    """Yield what lies under a folder and is neither a file nor a folder: pipes, sockets and devices."""
    for path in folder.rglob("*"):
        if path.exists() and not path.is_file() and not path.is_dir():
            yield path


def _sync(path: Path) -> None:
    """Make a file or folder last through a power cut."""
    if path.is_dir():
        sync_folder(path)
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())


def list_all_files(folder: Path) -> list[Path]:
    """Return all that lies under a folder and is no folder, hidden files and links that lead nowhere too."""
    return sorted(path for path in folder.rglob("*") if not path.is_dir())
