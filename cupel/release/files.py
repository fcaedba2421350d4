"""Files of a release while they are written: hashed as they go, and without a name before all of them are there."""

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.contract.table import Table
from cupel.lake.lake import ROWS_PER_GROUP
from cupel.store.parquet import HashedFile
from cupel.store.store import NewContent, Store, TakenError, hash_content


class WrittenFile(NamedTuple):
    """A file as the manifest names it; `rows` where it is a table."""

    path: str
    sha256: str
    size_bytes: int
    rows: int | None


class ReleaseFiles:
    """The files of a release's folder, all written before the first has its name.

    A store has no folders that it could put in place at once. So the names are given one after another, the one that
    says that there is a release last: whoever is killed before leaves none, and who writes the same again completes it.

    Args:
        store: Where it lies.
        folder: In which folder there.
    """

    def __init__(self, store: Store, folder: str) -> None:
        self.written: dict[str, WrittenFile] = {}
        self._store, self._folder = store, folder
        self._new: dict[str, NewContent] = {}
        self._copies: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> "ReleaseFiles":
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    def add(self, name: str, content: bytes) -> None:
        """Write a file."""
        sink = self._begin(name)
        sink.write(content)
        self._end(name, sink, None)

    def copy(self, name: str, content: bytes, may_put: bool) -> None:
        """Write a file that is named by its own hash, at once: there may be more than can be open at a time.

        Args:
            name: Its name.
            content: Its bytes.
            may_put: Give it its name; else it is only known, for a release that is there already is not added to.
        """
        if may_put:
            with suppress(TakenError):  # what has the name is looked at with the others, see `put`
                self._store.put_if_absent(f"{self._folder}/{name}", content)
        self.written[name] = WrittenFile(name, hashlib.sha256(content).hexdigest(), len(content), None)
        self._copies.append(name)

    def table(self, name: str, table: Table, metadata: Mapping[bytes, bytes] | None = None) -> "TableFile":
        """Begin a table; what is written to it must be held to its columns, in the order of its key.

        Args:
            name: Its name.
            table: Its columns.
            metadata: What the file says of itself beside them.
        """
        return TableFile(self, name, table.schema.with_metadata(metadata))

    def put(self, last: str) -> str | None:
        """Give all files their names, `last` behind the others; return the first that another has already.

        Nothing is replaced. A name that has the very same bytes is as good as given.
        """
        if (other := self.find_other(self._copies)) is not None:
            return other
        for name in sorted(self._new, key=lambda name: (name == last, name)):
            try:
                self._new[name].put_if_absent(f"{self._folder}/{name}")
            except TakenError:
                if hash_content(self._store, f"{self._folder}/{name}") != self.written[name].sha256:
                    return name
        return None

    def find_other(self, names: Iterable[str]) -> str | None:
        """Return the first of these files that lies in the folder with other bytes, or not at all."""
        for name in names:
            place = f"{self._folder}/{name}"
            if self._store.stat(place) is None or hash_content(self._store, place) != self.written[name].sha256:
                return name
        return None

    def _begin(self, name: str) -> HashedFile:
        new: AbstractContextManager[NewContent] = self._store.new(self._folder.rpartition("/")[0])
        self._new[name] = self._stack.enter_context(new)
        return HashedFile(self._new[name].file)

    def _end(self, name: str, sink: HashedFile, rows: int | None) -> None:
        self.written[name] = WrittenFile(name, sink.digest.hexdigest(), sink.size, rows)


class TableFile:
    """A Parquet file that is written in pieces and never held; the same rows give the same bytes."""

    def __init__(self, files: ReleaseFiles, name: str, schema: pa.Schema) -> None:
        self._files, self._name, self._schema = files, name, schema
        self._pending: list[pa.Table] = []
        self._held = self._rows = 0

    def __enter__(self) -> "TableFile":
        self._sink = self._files._begin(self._name)
        file = pa.PythonFile(self._sink, "w")
        self._writer = pq.ParquetWriter(file, self._schema, compression="zstd", store_schema=True)
        return self

    def write(self, piece: pa.Table) -> None:
        """Write the next rows: row groups have all the same size, whatever that of the pieces."""
        while piece.num_rows:
            part = piece.slice(0, ROWS_PER_GROUP - self._held)
            piece = piece.slice(part.num_rows)
            self._pending.append(part)
            self._held += part.num_rows
            if self._held == ROWS_PER_GROUP:
                self._write_group()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None and (self._held or not self._rows):  # a file without rows has one empty row group
            self._write_group()
        self._writer.close()
        self._files._end(self._name, self._sink, self._rows)

    def _write_group(self) -> None:
        pending = [piece.cast(self._schema) for piece in self._pending]
        group = pa.concat_tables([self._schema.empty_table(), *pending]).combine_chunks()
        self._writer.write_table(group, row_group_size=ROWS_PER_GROUP)
        self._rows += group.num_rows
        self._pending, self._held = [], 0
