"""What a store promises: named contents that appear whole or not at all, and the few verbs that work on them.

Nothing here assumes a folder: names are words between slashes, and there are no empty folders, renames or appends.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, NamedTuple, Protocol

from cupel.errors import CupelError

_WORD = re.compile(r"(?!\.\.?(?:/|$))[^/\0]+")


class StoreError(CupelError):
    """A store that does not do what is asked of it."""


class MissingError(StoreError):
    """There is nothing of that name."""


class TakenError(StoreError):
    """There is something of that name already: another writer was faster, or an earlier try was stored unseen."""


class ChangedError(StoreError):
    """What is there is not what was read: another writer was faster."""


class NoLocationError(StoreError):
    """A store whose contents nobody else can open."""


class Stat(NamedTuple):
    """What tells one content of a name from another: its size in bytes, and a version, of the store's own making.

    Two contents that lay under a name one after the other have different versions, unless they are the same bytes.
    `changed_at` says when it came to lie there, in seconds since 1970.
    """

    name: str
    size: int
    version: str
    changed_at: float


class NewContent(Protocol):
    """What is being written and has no name yet; nobody sees it before it gets one."""

    file: BinaryIO

    def put(self, name: str) -> Stat:
        """Give it a name; what lies there is replaced."""

    def put_if_absent(self, name: str) -> Stat:
        """Give it a name that nothing has.

        Raises:
            TakenError: Something has it.
        """


class Store(Protocol):
    """Named contents.

    A content is put whole: readers see the old bytes or the new ones, and what was acknowledged lasts through a power
    cut. Of writers that want a name at the same moment, by `put_if_absent` or `replace_if_unchanged`, one wins, and the
    others are told. A writer that is told nothing, because its connection or process died, may have won all the same.
    So a store that asks again by itself, where an answer was lost, must find out whether its own first asking won.
    """

    def __hash__(self) -> int:
        """Return what is the same for stores of the same contents, which are equal: what was seen is kept by it."""

    def read(self, name: str, first: int = 0, length: int | None = None) -> bytes:
        """Return the bytes of a content, or a range of them, which may be shorter at its end.

        Raises:
            MissingError: There is none of that name.
        """

    def open(self, name: str) -> BinaryIO:
        """Open a content for reading at any place; what it was when opened it stays.

        Raises:
            MissingError: There is none of that name.
        """

    def stat(self, name: str) -> Stat | None:
        """Return size and version of a content; None where there is none."""

    def put(self, name: str, content: bytes) -> Stat:
        """Put a content in place; what lies there is replaced."""

    def put_if_absent(self, name: str, content: bytes) -> Stat:
        """Put a content where nothing is.

        Raises:
            TakenError: Something has the name.
        """

    def replace_if_unchanged(self, name: str, content: bytes, version: str | None) -> Stat:
        """Put a content in place of the version that was read; None: where nothing was.

        Raises:
            ChangedError: Something else lies there, or nothing.
        """

    def new(self, folder: str = "") -> AbstractContextManager[NewContent]:
        """Begin a content that is too large to hold, or whose name is known only at its end.

        Args:
            folder: Where its name will lie, so that it need not be copied; nothing else depends on it.
        """

    def delete(self, name: str) -> None:
        """Remove a content; where there is none nothing happens."""

    def list(self, folder: str = "") -> Iterator[Stat]:
        """Yield what has a name in a folder, at any depth, in order of name.

        Names of which a word behind the folder's begins with a dot are not told: they are locks, and what is begun.
        What is put or removed meanwhile may or may not be among it; so a reader that must know asks by name.
        """

    def list_folders(self, folder: str = "") -> Iterator[str]:
        """Yield the words that names in a folder go on with before another slash, in order; nothing in them is read.

        There may be nothing under one any more.
        """

    def lock(
        self, name: str, *, is_waiting: bool = True, is_shared: bool = False, holder: str = ""
    ) -> AbstractContextManager[bool]:
        """Hold a name against other processes for as long as the block lasts; it is freed when the process dies.

        Yields whether it is held: without waiting it may not be.

        Args:
            name: What is held; nothing else is put there.
            is_waiting: Wait until it is free.
            is_shared: Hold it together with others that share it.
            holder: Who holds it, for who comes second: `read` of the name returns what was said last.
        """

    def location(self, name: str = "") -> str:
        """Return what DuckDB and Arrow open themselves, to read a part of a content without copying it.

        Args:
            name: The name; empty for the folder that holds all of them.

        Raises:
            NoLocationError: There is no such thing; what is read goes through `open`.
        """

    def remove_left_behind(self, folder: str = "") -> None:
        """Remove what killed writers had begun in a folder and those in it; never what was touched within the hour."""


def check_name(name: str) -> str:
    """Return a name that is one: words between single slashes, none of them `.` or `..`.

    Raises:
        StoreError: It is none.
    """
    if not name or any(not _WORD.fullmatch(word) for word in name.split("/")):
        raise StoreError(f"{name!r}: not a name in a store; expected words between single slashes")
    return name


def describe_place(store: Store, name: str = "") -> str:
    """Return where people find a content, or the store itself: its location, or its name where it has none.

    Args:
        store: The store.
        name: The name; empty for what holds all of them.
    """
    try:
        return store.location(name)
    except NoLocationError:
        return name or "the store"


def hash_content(store: Store, name: str) -> str:
    """Return the SHA-256 of a content's bytes, as hexadecimal digits.

    Raises:
        MissingError: There is none of that name.
    """
    with store.open(name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]


def put_once(store: Store, name: str, content: bytes) -> bool:
    """Put a content where nothing is, or find that the very same is there; return whether it is now the one given.

    A put whose acknowledgement was lost is tried again, and then finds itself.

    Args:
        store: The store.
        name: The name.
        content: What shall lie there.
    """
    try:
        store.put_if_absent(name, content)
    except TakenError:
        return store.read(name) == content
    return True


def update(store: Store, name: str, change: Callable[[bytes | None], bytes], most_tries: int = 100) -> Stat:
    """Change a content by what it is now, however many others do so at the same time.

    Args:
        store: The store.
        name: The name.
        change: Gets the content, None where there is none, and returns the new one; called again where another writer
            was faster.
        most_tries: So often.

    Raises:
        ChangedError: Others were faster each time.
    """
    for _ in range(most_tries):
        before = store.stat(name)
        try:
            content = change(None if before is None else store.read(name))
            return store.replace_if_unchanged(name, content, None if before is None else before.version)
        except (ChangedError, MissingError):
            continue
    raise ChangedError(f"{name}: others were faster {most_tries} times; run again")
