"""Modules that were taken apart before, kept between processes: to read them all anew takes most of a second."""

import hashlib
import pickle
import sys
from contextlib import suppress
from pathlib import Path

import cupel.versions.module
from cupel.store.files import put_file
from cupel.versions.module import Module, read_module

PACKAGE = Path(cupel.versions.module.__file__).parent
# Of sources that were edited since, so many are kept before they are let go.
MOST_MODULES = 2_000
# The reader is edited now and then: what so many of its versions left is kept.
FILES_KEPT = 3


class ModuleCache:
    """What `read_module` returned, by the hash of its arguments, in a file beside Python's own compiled modules.

    A name, a source, a reader and a release of Python always give the same, so nothing here can be out of date. A file
    that cannot be read is left out of account, and made anew.

    Args:
        folder: Where the file is, or will be.
    """

    def __init__(self, folder: Path) -> None:
        reader = hashlib.sha256(Path(cupel.versions.module.__file__).read_bytes()).hexdigest()[:12]
        self.path = folder / f"modules-{reader}.{sys.implementation.cache_tag}.pickle"
        self._used: dict[str, Module] = {}
        self._is_changed = False
        self._known = self._load()

    def read(self, name: str, source: bytes, is_package: bool) -> Module:
        """Return a module taken apart; see `read_module`.

        Args:
            name: Dotted name.
            source: Its text, in UTF-8.
            is_package: It is a package's `__init__`.
        """
        key = hashlib.sha256(f"{name} {is_package}\n".encode() + source).hexdigest()
        if key not in self._used:
            found = self._known.get(key)
            self._is_changed |= found is None
            self._used[key] = read_module(name, source.decode(), is_package) if found is None else found
        return self._used[key]

    def save(self) -> None:
        """Write what is new, where the folder may be written to."""
        if not self._is_changed:
            return
        everything = self._known | self._used
        kept = everything if len(everything) <= MOST_MODULES else self._used
        with suppress(OSError):
            self.path.parent.mkdir(exist_ok=True)
            put_file(self.path, pickle.dumps(kept))
            older = sorted(
                self.path.parent.glob("modules-*.pickle"), key=lambda path: path.stat().st_mtime, reverse=True
            )
            for path in older[FILES_KEPT:]:
                path.unlink()
        self._known, self._is_changed = kept, False

    def _load(self) -> dict[str, Module]:
        try:
            found = pickle.loads(self.path.read_bytes())
        except Exception:  # cut short: pickle promises no kind of error
            return {}
        return found if isinstance(found, dict) else {}


MODULES = ModuleCache(PACKAGE / "__pycache__")
