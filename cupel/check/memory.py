"""The memory of a lake's files: hashes of those that never change, and how a file looked when its hash was verified.

A file whose size, time of change and inode are what they were is not read again. The memory is derived: without it
every file is read once, and those that only it can tell an alteration of are remembered as they are then.
"""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cupel.sealed import open_sealed, seal_json
from cupel.whole import put_file

MEMORY = "seen.json"


class Seen(NamedTuple):
    """A file that was read: the hash of its bytes, and its size, time of change and inode then."""

    sha256: str
    size: int
    changed_ns: int
    inode: int


class Memory:
    """What was seen of the files of a project's folder in the lake, by their path in it.

    Args:
        folder: The project's folder.
        is_afresh: Read every file, whatever was seen before.
    """

    def __init__(self, folder: Path, *, is_afresh: bool = False) -> None:
        self._folder = folder
        self._is_afresh = is_afresh
        self._files: dict[str, Seen] = {}
        self.marks: dict[str, str] = {}
        with suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
            content = open_sealed((folder / MEMORY).read_bytes())
            files = {str(name): Seen(*about) for name, about in content["files"].items()}
            self._files, self.marks = files, {str(name): str(mark) for name, mark in content["marks"].items()}
        self._before = (dict(self._files), dict(self.marks))

    def known(self, path: str) -> str | None:
        """Return the hash that a file had when it was seen; None where it never was."""
        seen = self._files.get(path)
        return None if seen is None else seen.sha256

    def paths(self) -> list[str]:
        """Return the files that were seen, by name."""
        return sorted(self._files)

    def sha256(self, path: str) -> str:
        """Return the hash of a file's bytes; not read again while it looks as it did. It is not remembered by this.

        Raises:
            OSError: It is gone, or cannot be read.
        """
        return self._look(path).sha256

    def remember(self, path: str) -> None:
        """Remember a file as it is."""
        self._files[path] = self._look(path)

    def forget(self, path: str) -> None:
        """Forget a file."""
        self._files.pop(path, None)

    def write(self) -> None:
        """Keep what was seen; who may not write to the lake may check it all the same."""
        if (self._files, self.marks) == self._before and (self._folder / MEMORY).is_file():
            return
        content = {"files": {name: list(seen) for name, seen in self._files.items()}, "marks": self.marks}
        with suppress(OSError):
            put_file(self._folder / MEMORY, seal_json(content))

    def _look(self, path: str) -> Seen:
        stat = (self._folder / path).stat()
        seen = self._files.get(path)
        if seen is not None and not self._is_afresh and seen[1:] == (stat.st_size, stat.st_mtime_ns, stat.st_ino):
            return seen
        with (self._folder / path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return Seen(sha256, stat.st_size, stat.st_mtime_ns, stat.st_ino)
