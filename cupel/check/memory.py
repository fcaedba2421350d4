"""The memory of a lake's files: hashes of those that never change, and how a file looked when its hash was verified.

A file whose version in the store is what it was is not read again. The memory is derived: without it
every file is read once, and those that only it can tell an alteration of are remembered as they are then.
"""

from contextlib import suppress
from typing import NamedTuple

from cupel.store.sealed import open_sealed, seal_json
from cupel.store.store import MissingError, Store, StoreError, describe_place, hash_content

MEMORY = "seen.json"


class Seen(NamedTuple):
    """A file that was read: the hash of its bytes, and its version then."""

    sha256: str
    version: str


class Memory:
    """What was seen of the files of a project's folder in the lake, by their path in it.

    Args:
        store: The project's store.
        is_afresh: Read every file, whatever was seen before.
    """

    def __init__(self, store: Store, *, is_afresh: bool = False) -> None:
        self._store = store
        self._is_afresh = is_afresh
        self._files: dict[str, Seen] = {}
        self.marks: dict[str, str] = {}
        with suppress(OSError, ValueError, TypeError, AttributeError, KeyError, StoreError):
            content = open_sealed(store.read(MEMORY))
            files = {str(name): _seen(*about) for name, about in content["files"].items()}
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
            MissingError: It is gone.
            OSError: It cannot be read.
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
        if (self._files, self.marks) == self._before and self._store.stat(MEMORY) is not None:
            return
        content = {"files": {name: list(seen) for name, seen in self._files.items()}, "marks": self.marks}
        with suppress(OSError):
            self._store.put(MEMORY, seal_json(content))

    def _look(self, path: str) -> Seen:
        stat, seen = self._store.stat(path), self._files.get(path)
        if stat is None:
            raise MissingError(f"{describe_place(self._store, path)}: gone")
        if seen is not None and not self._is_afresh and seen.version == stat.version:
            return seen
        return Seen(hash_content(self._store, path), stat.version)


def _seen(sha256: str, *version: str | int) -> Seen:
    """Return what was seen of a file; earlier versions wrote size, time of change and inode instead of its version."""
    if len(version) == 1:
        return Seen(sha256, str(version[0]))
    size, changed_ns, inode = version
    return Seen(sha256, f"{inode}-{size}-{changed_ns}")
