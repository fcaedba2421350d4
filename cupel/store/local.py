"""A store in a folder of a local disk."""

import fcntl
import os
import re
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from cupel.store.store import ChangedError, MissingError, Stat, TakenError, check_name
from cupel.store.untrusted_files import open_regular

# What a killed writer left behind is removed when nobody can be writing it any more.
SECONDS_UNTOUCHED = 3_600
PRIVATE_FOLDER, PRIVATE_FILE = 0o700, 0o600
_BEGUN = re.compile(r"\.cupel-[0-9a-f]{32}(\.duckdb)?(\.wal)?")


@dataclass(frozen=True)
class LocalStore:
    """A store in a folder; files that begin with a dot are its own.

    Args:
        folder: The folder; made at the first write.
        is_private: What is made is its owner's alone: folders of mode 0700, files of mode 0600.
    """

    folder: Path
    is_private: bool = field(default=False, compare=False)

    def read(self, name: str, first: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of a content, or a range of them; see `Store`."""
        with self.open(name) as file:
            file.seek(first)
            return file.read(-1 if length is None else length)

    def open(self, name: str) -> BinaryIO:
        """Open a content for reading; see `Store`."""
        try:
            return open_regular(self._path(name))
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise MissingError(f"{self._path(name)}: not there") from None

    def stat(self, name: str) -> Stat | None:
        """Return size and version of a content; see `Store`."""
        try:
            return _stat(name, self._path(name).stat())
        except (FileNotFoundError, NotADirectoryError):
            return None

    def put(self, name: str, content: bytes) -> Stat:
        """Put a content in place; see `Store`."""
        with self.new(_folder_of(name)) as new:
            new.file.write(content)
            return new.put(name)

    def put_if_absent(self, name: str, content: bytes) -> Stat:
        """Put a content where nothing is; see `Store`."""
        with self.new(_folder_of(name)) as new:
            new.file.write(content)
            return new.put_if_absent(name)

    def replace_if_unchanged(self, name: str, content: bytes, version: str | None) -> Stat:
        """Put a content in place of the version that was read; see `Store`."""
        if version is None:
            try:
                return self.put_if_absent(name, content)
            except TakenError as error:
                raise ChangedError(f"{error}") from None
        with self.new(_folder_of(name)) as new:
            new.file.write(content)
            # Whoever compares and replaces holds the folder meanwhile.
            with _opened(self._path(name).parent) as folder:
                fcntl.flock(folder, fcntl.LOCK_EX)
                found = self.stat(name)
                if found is None or found.version != version:
                    raise ChangedError(f"{self._path(name)}: another process wrote it at the same time; run again")
                return new.put(name)

    @contextmanager
    def new(self, folder: str = "") -> Iterator["_NewFile"]:
        """Begin a content; see `Store`."""
        place = self.folder / folder if folder else self.folder
        make_lasting_folder(place, is_private=self.is_private)
        path = begin(place)
        try:
            with naming(place), open(path, "xb", opener=self._opener) as file:
                yield _NewFile(self, path, file)
        finally:
            path.unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Remove a content; see `Store`."""
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
            self._path(name).unlink()

    def list(self, folder: str = "") -> Iterator[Stat]:
        """Yield what has a name in a folder; see `Store`."""
        place = self.folder / check_name(folder) if folder else self.folder
        yield from _walk(str(place), f"{folder}/" if folder else "")

    def list_folders(self, folder: str = "") -> Iterator[str]:
        """Yield the names of the folders in a folder; see `Store`."""
        try:
            with os.scandir(self.folder / check_name(folder) if folder else self.folder) as entries:
                found = sorted(entry.name for entry in entries if entry.name[0] != "." and entry.is_dir())
        except (FileNotFoundError, NotADirectoryError):
            return
        yield from found

    @contextmanager
    def lock(self, name: str, *, is_waiting: bool = True, is_shared: bool = False, holder: str = "") -> Iterator[bool]:
        """Hold a name against other processes; see `Store`."""
        path = self._path(name)
        make_lasting_folder(path.parent, is_private=self.is_private)
        how = (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | (0 if is_waiting else fcntl.LOCK_NB)
        with open(path, "ab", buffering=0, opener=self._opener) as file:
            try:
                fcntl.flock(file, how)
            except BlockingIOError:
                yield False
                return
            if holder:
                file.truncate(0)
                file.write(holder.encode())
            yield True

    def location(self, name: str = "") -> str:
        """Return the path of a content; see `Store`."""
        return str(self._path(name) if name else self.folder)

    def remove_left_behind(self, folder: str = "") -> None:
        """Remove what killed writers had begun; see `Store`."""
        place = self.folder / check_name(folder) if folder else self.folder
        for path in (*place.glob(".*"), *place.glob("*/.*")):
            if _BEGUN.fullmatch(path.name) and time.time() - _touched_at(path) > SECONDS_UNTOUCHED:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def _opener(self, path: str, flags: int) -> int:
        return os.open(path, flags, PRIVATE_FILE if self.is_private else 0o666)

    def _path(self, name: str) -> Path:
        return self.folder / check_name(name)


class _NewFile:
    """A file that is being written; it has its name when it is whole and on the disk."""

    def __init__(self, store: LocalStore, path: Path, file: BinaryIO) -> None:
        self.file = file
        self._store, self._begun = store, path

    def put(self, name: str) -> Stat:
        path, found = self._ready(name)
        os.replace(self._begun, path)
        sync_folder(path.parent)
        return found

    def put_if_absent(self, name: str) -> Stat:
        path, found = self._ready(name)
        try:
            os.link(self._begun, path)  # fails where the name is taken; a rename would overwrite
        except FileExistsError:
            raise TakenError(f"{path}: is there already; another process wrote it, or an earlier run") from None
        sync_folder(path.parent)
        return found

    def _ready(self, name: str) -> tuple[Path, Stat]:
        """Make what was written last; return where it will lie, and how it looks there, whoever replaces it then."""
        path = self._store._path(name)
        make_lasting_folder(path.parent, is_private=self._store.is_private)
        with naming(path):
            self.file.flush()
            # Many kernels stamp files by a clock that ticks every 4 ms, within which an inode may be used again.
            now = time.time_ns()
            os.utime(self.file.fileno(), ns=(now, now))
            os.fsync(self.file.fileno())
            return path, _stat(name, os.fstat(self.file.fileno()))


def make_lasting_folder(folder: Path, *, is_private: bool = False) -> None:
    """Make a folder and those above it, each of them lasting: what is put in it is only there as long as it is."""
    if not folder.is_dir():
        make_lasting_folder(folder.parent, is_private=is_private)
        folder.mkdir(PRIVATE_FOLDER if is_private else 0o777, exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder last through a power cut."""
    with _opened(folder) as descriptor:
        os.fsync(descriptor)


def begin(folder: Path) -> Path:
    """Return a name for what is being written in a folder: hidden, of its own, and known to `remove_left_behind`."""
    return folder / f".cupel-{uuid.uuid4().hex}"


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say of trouble with the disk which file it was; a write to an open file does not say it."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


def _folder_of(name: str) -> str:
    return check_name(name).rpartition("/")[0]


@contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """Yield a descriptor of a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _stat(name: str, found: os.stat_result) -> Stat:
    if not stat.S_ISREG(found.st_mode):
        raise FileNotFoundError(name)
    changed_ns = found.st_mtime_ns
    return Stat(name, found.st_size, f"{found.st_ino}-{found.st_size}-{changed_ns}", changed_ns / 1e9)


def _walk(place: str, prefix: str) -> Iterator[Stat]:
    """Yield the files of a folder in the order of their whole names: as an object store would, `a-b` before `a/b`."""
    try:
        with os.scandir(place) as entries:
            found = {f"{entry.name}/" if entry.is_dir() else entry.name: entry for entry in entries}
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in sorted(found):
        if name[0] == ".":
            continue
        if name[-1] == "/":
            yield from _walk(found[name].path, prefix + name)
            continue
        try:
            stat_ = _stat(prefix + name, found[name].stat())
        except FileNotFoundError:
            continue
        yield stat_


def _touched_at(path: Path) -> float:
    """Return when a file, or anything in a folder, was changed last; now, if it is gone meanwhile."""
    try:
        return max(inside.stat().st_mtime for inside in (path, *path.rglob("*")))
    except FileNotFoundError:
        return time.time()
