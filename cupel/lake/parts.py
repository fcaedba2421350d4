"""Parts: the immutable files that a table's partition lies in, each under the name of its hash; whole or not at all."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.contract.columns import HASHES
from cupel.contract.table import Table
from cupel.errors import LakeError, TableError
from cupel.lake.formats import VALUES_BEFORE_COLUMN
from cupel.store.parquet import HashedFile, open_parquet
from cupel.store.store import MissingError, NewContent, Store, describe_place, hash_content

_MENDS = "`cupel check --repair` makes the table again, and says whether it is the same"
_EARLIER = "an earlier version wrote it; make the table anew, or read it with the version that wrote it"


def write_parts(
    store: Store, folder: str, batches: Iterable[pa.Table], table: Table, rows_per_group: int, rows_per_part: int
) -> list[dict[str, Any]]:
    """Write sorted rows as parts, holding no more of them than a row group.

    Args:
        store: The project's store.
        folder: The partition's folder there.
        batches: Pieces of any size, held to the schema, in the order of the table's key.
        table: The table.
        rows_per_group: Rows of a row group; the last of a part may have fewer.
        rows_per_part: Rows of a part; the last may have fewer. No rows make one empty part.

    Returns:
        Name, rows, bytes and sha256 of each part, in order.

    Raises:
        TableError: Two rows have the same key, or rows come out of order.
    """
    groups = _groups(_checked_keys(batches, table), table, rows_per_group, rows_per_part)
    parts: list[dict[str, Any]] = []
    is_more = True
    while is_more:
        with store.new(folder) as new, closing(_PartWriter(new, table)) as writer:
            while is_more and writer.rows < rows_per_part:
                is_more = writer.write_next(groups)
            if writer.rows or not parts:
                parts.append(writer.put(folder))
    return parts


def read_part(store: Store, name: str, schema: pa.Schema) -> pa.Table:
    """Return the columns of a part that a schema names, after holding it against the hash in its name.

    Raises:
        LakeError: The part is gone, was altered, or lacks a column; see `fitted`.
    """
    with open_parquet(store, check_part(store, name)) as file:
        return fitted(file.read(columns_there(file, schema)), schema, describe_place(store, name))


def columns_there(file: pq.ParquetFile, schema: pa.Schema) -> list[str]:
    """Return the columns of a schema that a part has: an earlier version's may have had fewer."""
    return [name for name in schema.names if name in file.schema_arrow.names]


def fitted(data: pa.Table, schema: pa.Schema, path: str) -> pa.Table:
    """Return rows of a part in a schema; columns that came later are null, or what they are of earlier rows.

    Raises:
        LakeError: The part lacks a column that may not be null, or has one of another type, for an earlier version
            wrote it.
    """
    for field in (field for field in schema if field.name not in data.column_names):
        before = VALUES_BEFORE_COLUMN.get(field.name)
        if not field.nullable and before is None:
            raise LakeError(f"{path}: has no column {field.name}, for {_EARLIER}")
        values = pa.nulls(data.num_rows, field.type) if before is None else pa.repeat(before, data.num_rows)
        data = data.append_column(field, values)
    try:
        return data.select(schema.names).cast(schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise LakeError(f"{path}: {error}: {_EARLIER}") from None


def check_part(store: Store, name: str) -> str:
    """Return a part's name, having held its bytes against the hash in it: once a process, until it changes.

    Raises:
        LakeError: The part is gone, or was altered.
    """
    try:
        if (found := store.stat(name)) is None:
            raise MissingError(name)
        sha256 = _sha256(store, name, found.version)
    except MissingError:
        raise LakeError(f"{describe_place(store, name)}: the part is gone; {_MENDS}") from None
    if name.rpartition("/")[2] != f"part-{sha256}.parquet":
        raise LakeError(f"{describe_place(store, name)}: the part was altered; {_MENDS}")
    return name


class _PartWriter:
    """Writes one part, row group by row group, and keeps nothing of them."""

    def __init__(self, new: NewContent, table: Table) -> None:
        self.rows = 0
        self._new = new
        self._sink = HashedFile(new.file)
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._sink, "w"), table.schema, store_schema=True, **_encoding(table)
        )

    def write_next(self, groups: Iterator[pa.Table]) -> bool:
        """Write the next row group; tell whether there was one."""
        group = next(groups, None)
        if group is None:
            return False
        self._writer.write_table(group, row_group_size=max(group.num_rows, 1))
        self.rows += group.num_rows
        return True

    def put(self, folder: str) -> dict[str, Any]:
        """Give the part its name; return its name, rows, bytes and sha256."""
        self.close()
        sha256 = self._sink.digest.hexdigest()
        name = f"part-{sha256}.parquet"
        self._new.put(f"{folder}/{name}".lstrip("/"))
        return {"name": name, "rows": self.rows, "bytes": self._sink.size, "sha256": sha256}

    def close(self) -> None:
        """Write what is left; nothing after that."""
        self._writer.close()


def _encoding(table: Table) -> dict[str, Any]:
    """Return how columns are written: hashes as they are, for nothing makes them smaller, all others compressed."""
    dense = {column.name for column in table.columns if column.type == HASHES}
    names = [column.name for column in table.columns]
    return {
        "compression": {name: "none" if name in dense else "zstd" for name in names},
        "use_dictionary": [name for name in names if name not in dense],
    }


@lru_cache(maxsize=65_536)
def _sha256(store: Store, name: str, version: str) -> str:
    return hash_content(store, name)


def _groups(batches: Iterable[pa.Table], table: Table, rows_per_group: int, rows_per_part: int) -> Iterator[pa.Table]:
    """Regroup rows into row groups that fill parts of fixed size; no rows are one empty group."""
    pending: list[pa.Table] = []
    held = written = 0
    for batch in batches:
        while batch.num_rows:
            room = min(rows_per_group, rows_per_part - written % rows_per_part) - held
            piece = batch.slice(0, room)
            batch = batch.slice(piece.num_rows)
            pending.append(piece)
            held += piece.num_rows
            if piece.num_rows == room:
                del piece
                yield _taken(pending)
                written, held = written + held, 0
    if held or not written:
        yield _taken([table.schema.empty_table(), *pending])


def _taken(pending: list[pa.Table]) -> pa.Table:
    """Return the pieces as one, and let go of them."""
    table = pa.concat_tables(pending).combine_chunks()
    pending.clear()
    return table


def _checked_keys(batches: Iterable[pa.Table], table: Table) -> Iterator[pa.Table]:
    """Yield the batches, refusing a key that comes twice or out of order."""
    last: pa.Table | None = None
    for batch in batches:
        if batch.num_rows:
            keys = batch.select(list(table.key))
            _check_keys(keys if last is None else pa.concat_tables([last, keys]), table)
            last = keys.slice(keys.num_rows - 1)
            yield batch


def _check_keys(keys: pa.Table, table: Table) -> None:
    """Hold neighbouring keys against each other, column by column as long as they are equal."""
    compute = pa.compute
    columns: Sequence[pa.Array] = [_one_chunk(column) for column in keys.columns]
    is_equal = pa.repeat(True, keys.num_rows - 1)
    for column in columns:
        before, after = column[:-1], column[1:]
        is_out = compute.and_(is_equal, compute.less(after, before))
        if compute.any(is_out, min_count=0).as_py():
            row = compute.index(is_out, True).as_py()
            raise TableError(f"table {table.name}: the key {_key(columns, row + 1)} comes after {_key(columns, row)}")
        is_equal = compute.and_(is_equal, compute.equal(after, before))
    if compute.any(is_equal, min_count=0).as_py():
        row = compute.index(is_equal, True).as_py()
        raise TableError(f"table {table.name}: two rows with the key {_key(columns, row)}")


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return found.chunk(0) if isinstance(found, pa.ChunkedArray) else found


def _key(columns: Sequence[pa.Array], row: int) -> tuple[Any, ...]:
    return tuple(column[row].as_py() for column in columns)
