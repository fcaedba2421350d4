"""A store in memory, for tests."""

import io
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from cupel.store.store import ChangedError, MissingError, NoLocationError, Stat, TakenError, check_name


class MemoryStore:
    """A store whose contents end with it."""

    def __init__(self) -> None:
        self._contents: dict[str, tuple[bytes, Stat]] = {}
        self._versions = 0
        self._turn = threading.RLock()
        self._is_freed = threading.Condition(self._turn)
        self._holders: dict[str, int] = defaultdict(int)  # of a lock; -1: one that does not share it

    def read(self, name: str, first: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of a content, or a range of them; see `Store`."""
        found = self._contents.get(check_name(name))
        if found is None:
            raise MissingError(f"{name}: not there")
        return found[0][first : None if length is None else first + length]

    def open(self, name: str) -> BinaryIO:
        """Open a content for reading; see `Store`."""
        return io.BytesIO(self.read(name))

    def stat(self, name: str) -> Stat | None:
        """Return size and version of a content; see `Store`."""
        found = self._contents.get(check_name(name))
        return None if found is None else found[1]

    def put(self, name: str, content: bytes) -> Stat:
        """Put a content in place; see `Store`."""
        with self._turn:
            self._versions += 1
            found = Stat(check_name(name), len(content), f"{self._versions}", time.time())
            self._contents[name] = (bytes(content), found)
            return found

    def put_if_absent(self, name: str, content: bytes) -> Stat:
        """Put a content where nothing is; see `Store`."""
        with self._turn:
            if check_name(name) in self._contents:
                raise TakenError(f"{name}: is there already; another process wrote it, or an earlier run")
            return self.put(name, content)

    def replace_if_unchanged(self, name: str, content: bytes, version: str | None) -> Stat:
        """Put a content in place of the version that was read; see `Store`."""
        with self._turn:
            found = self.stat(name)
            if (None if found is None else found.version) != version:
                raise ChangedError(f"{name}: another process wrote it at the same time; run again")
            return self.put(name, content)

    @contextmanager
    def new(self, folder: str = "") -> Iterator["_NewBytes"]:
        """Begin a content; see `Store`."""
        yield _NewBytes(self)

    def delete(self, name: str) -> None:
        """Remove a content; see `Store`."""
        with self._turn:
            self._contents.pop(check_name(name), None)

    def list(self, folder: str = "") -> Iterator[Stat]:
        """Yield what has a name in a folder; see `Store`."""
        prefix = f"{check_name(folder)}/" if folder else ""
        for name, (_, found) in sorted(self._contents.items()):
            if name.startswith(prefix) and "/." not in f"/{name.removeprefix(prefix)}":
                yield found

    def list_folders(self, folder: str = "") -> Iterator[str]:
        """Yield the words that names in a folder go on with; see `Store`."""
        depth = len(folder.split("/")) if folder else 0
        names = (stat.name.split("/") for stat in self.list(folder))
        yield from sorted({words[depth] for words in names if len(words) > depth + 1})

    @contextmanager
    def lock(self, name: str, *, is_waiting: bool = True, is_shared: bool = False, holder: str = "") -> Iterator[bool]:
        """Hold a name against other threads; see `Store`."""

        def is_free() -> bool:
            return self._holders[check_name(name)] >= 0 if is_shared else self._holders[check_name(name)] == 0

        with self._turn:
            is_held = bool(self._is_freed.wait_for(is_free)) if is_waiting else is_free()
            if is_held:
                self._holders[name] += 1 if is_shared else -1
                if holder:
                    self.put(name, holder.encode())
        try:
            yield is_held
        finally:
            if is_held:
                with self._turn:
                    self._holders[name] -= 1 if is_shared else -1
                    self._is_freed.notify_all()

    def location(self, name: str = "") -> str:
        """Raise: nobody else reads this process's memory; see `Store`."""
        raise NoLocationError(f"{name or 'a store'}: lies in memory; read it, or open it")

    def remove_left_behind(self, folder: str = "") -> None:
        """Do nothing: what killed writers had begun is gone with them; see `Store`."""


class _NewBytes:
    """Bytes that are being written and have no name yet."""

    def __init__(self, store: MemoryStore) -> None:
        self.file: BinaryIO = io.BytesIO()
        self._store = store

    def put(self, name: str) -> Stat:
        return self._store.put(name, self._bytes())

    def put_if_absent(self, name: str) -> Stat:
        return self._store.put_if_absent(name, self._bytes())

    def _bytes(self) -> bytes:
        self.file.seek(0)
        return self.file.read()
