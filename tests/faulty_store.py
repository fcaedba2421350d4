"""A store that fails as disks, networks and processes do, for tests: at random, but the same for a seed."""

import random
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO

from cupel.store.store import NewContent, Stat, Store


class LostError(OSError):
    """A connection that broke: before the store heard of it, or before its answer came."""


class FaultyStore:
    """A store between whom and its user connections break, and whose lists may be old.

    Args:
        store: The store that holds the contents.
        rng: Draws what goes wrong.
        share: How often something does.
    """

    def __init__(self, store: Store, rng: random.Random, share: float = 0.2) -> None:
        self.store, self.rng, self.share = store, rng, share
        self._listed: dict[str, list[Stat]] = {}

    def read(self, name: str, first: int = 0, length: int | None = None) -> bytes:
        self._break("read")
        return self.store.read(name, first, length)

    def open(self, name: str) -> BinaryIO:
        self._break("open")
        return self.store.open(name)

    def stat(self, name: str) -> Stat | None:
        self._break("stat")
        return self.store.stat(name)

    def put(self, name: str, content: bytes) -> Stat:
        self._break("put")
        return self._answer(self.store.put(name, content))

    def put_if_absent(self, name: str, content: bytes) -> Stat:
        self._break("put_if_absent")
        return self._answer(self.store.put_if_absent(name, content))

    def replace_if_unchanged(self, name: str, content: bytes, version: str | None) -> Stat:
        self._break("replace_if_unchanged")
        return self._answer(self.store.replace_if_unchanged(name, content, version))

    def new(self, folder: str = "") -> AbstractContextManager[NewContent]:
        self._break("new")
        return self.store.new(folder)

    def delete(self, name: str) -> None:
        self._break("delete")
        self.store.delete(name)

    def list(self, folder: str = "") -> Iterator[Stat]:
        if folder in self._listed and self.rng.random() < self.share:
            return iter(self._listed[folder])  # as it was when it was asked last
        self._listed[folder] = list(self.store.list(folder))
        return iter(self._listed[folder])

    def list_folders(self, folder: str = "") -> Iterator[str]:
        self._break("list_folders")
        return self.store.list_folders(folder)

    def lock(
        self, name: str, *, is_waiting: bool = True, is_shared: bool = False, holder: str = ""
    ) -> AbstractContextManager[bool]:
        return self.store.lock(name, is_waiting=is_waiting, is_shared=is_shared, holder=holder)

    def location(self, name: str = "") -> str:
        return self.store.location(name)

    def remove_left_behind(self, folder: str = "") -> None:
        self.store.remove_left_behind(folder)

    def _break(self, verb: str) -> None:
        if self.rng.random() < self.share / 2:
            raise LostError(f"{verb}: the store was not reached")

    def _answer(self, found: Stat) -> Stat:
        if self.rng.random() < self.share / 2:
            raise LostError("stored, but the answer was lost")
        return found
