"""The lake: where tables live. A table's partition is a folder of immutable parts and a commit written last."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import pyarrow as pa

from cupel.config.base import check_slug
from cupel.contract.columns import HASHES
from cupel.contract.format_numbers import LAKE, OLDEST_LAKE_TO_WRITE
from cupel.contract.table import Table, conform
from cupel.contract.tables import TABLES
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import FormatError, LakeError, TableError
from cupel.lake.annotator_actions import ACTIONS, ActionsLog
from cupel.lake.answers_log import AnswersLog
from cupel.lake.catalog import CATALOG, Files, View, put_before, write_views
from cupel.lake.draw_log import DRAWS
from cupel.lake.earlier_logs import LakeLog
from cupel.lake.formats import read_number, recognise_lake, write_number
from cupel.lake.guideline_log import GUIDELINES, name_history, read_versions
from cupel.lake.parts import check_part, columns_there, fitted, read_part, write_parts
from cupel.lake.send_back_log import SEND_BACKS, SendBackLog
from cupel.store.event_log import HEAD, EventLog
from cupel.store.local import LocalStore
from cupel.store.parquet import open_parquet
from cupel.store.sealed import open_sealed, seal_json
from cupel.store.store import ChangedError, MissingError, NoLocationError, Store, describe_place

# Who reads a release's kind, or a Parquet delivery, opens no lake, and need not install what sorts one.
if TYPE_CHECKING:
    import duckdb

ROWS_PER_GROUP = 65_536
ROWS_PER_PART = 16 * ROWS_PER_GROUP
COMMIT = "commit.json"
TABLES_FOLDER = "tables"
ANSWERS_FOLDER = "answers"
ABSENT = "absent"
# The columns of the catalog's view `events`.
EVENT_COLUMNS = (
    ("log", "The log: its folder in the lake."),
    ("sequence", "Place in that log; the first is 1."),
    ("hash", "SHA-256 of the event before it and of this one."),
    ("event", "What happened, as JSON."),
)
_KEYS = {"table", "partition", "hash", "rows", "parts", "inputs", "code_version"}

Data: TypeAlias = "pa.Table | pa.RecordBatchReader | duckdb.DuckDBPyRelation"


class Commit(NamedTuple):
    """What one write of a partition left: enough to read it, to trust it, and to know when it is stale.

    `sizes` are the bytes of the parts.
    """

    table: str
    partition: str
    hash: str
    rows: int
    parts: tuple[str, ...]
    inputs: dict[str, str]
    code_version: str
    sizes: tuple[int, ...] = ()


class Lake:
    """The tables of one project.

    Args:
        root: Folder of the deployment's lake, or the store that holds just this project.
        project: The project's name, a slug.
        connection: DuckDB connection that sorts and reads; its settings bound memory and threads. None: one of
            DuckDB's own settings, opened when something needs it.

    Attributes:
        store: Holds all of the project, under names such as `tables/labels/movies/commit.json`.
        folder: Where people find it; for messages.
    """

    def __init__(
        self, root: str | Path | Store, project: str, connection: "duckdb.DuckDBPyConnection | None" = None
    ) -> None:
        self.project = _slug(project)
        if isinstance(root, str | Path):
            if "://" in str(root):
                raise LakeError(f"{root}: the lake must be a folder for now; object stores are not supported yet")
            self.root = Path(root)
            self.store: Store = LocalStore(self.root / self.project, is_private=True)
        else:
            self.root, self.store = Path(), root
        self.folder = self.root / self.project
        self._connection = connection
        self.answers = AnswersLog(self.store)
        self.actions = ActionsLog(self.log(ACTIONS))
        self.send_backs = SendBackLog(self.log(SEND_BACKS))
        self._can_be_read = self._can_be_written = False

    @property
    def connection(self) -> "duckdb.DuckDBPyConnection":
        """The DuckDB connection; one is opened where none was given and something needs it."""
        if self._connection is None:
            import duckdb

            self._connection = duckdb.connect()
        return self._connection

    def check_readable(self) -> None:
        """Refuse a lake that a newer version of Cupel wrote.

        Raises:
            FormatError: It is of a higher format than this version reads.
        """
        if not self._can_be_read:
            read_number(self.store, "", LAKE)
            self._can_be_read = True

    def log(self, name: str) -> LakeLog:
        """Return one of the lake's logs."""
        return LakeLog(self.store, name, self.may_be_earlier, self.check_writable)

    def may_be_earlier(self) -> bool:
        """Tell whether the lake may be of a format that this version does not go on with; refuse one of a higher."""
        return not self._can_be_written and (read_number(self.store, "", LAKE) or 0) < OLDEST_LAKE_TO_WRITE

    def check_writable(self) -> None:
        """Refuse a lake of another format than this version writes, so that no run makes half of it anew.

        One that is readable as it is gets its number, if it has none yet.

        Raises:
            FormatError: It is of an older format, which `cupel upgrade` takes to this one, or of a higher one.
        """
        if self._can_be_written:
            return
        found = recognise_lake(self.store)
        if found < OLDEST_LAKE_TO_WRITE:
            raise FormatError(
                f"{self.folder}: of format {found}, which an older version of Cupel wrote; this one writes format "
                f"{LAKE}, and changes nothing before you say so. `cupel upgrade {self.project}` says what it would do"
            )
        write_number(self.store, "", LAKE)
        self._can_be_read = self._can_be_written = True

    def partition_name(self, table: str, partition: str) -> str:
        """Return the name of a table's partition in the store, under which its parts lie; both names are checked.

        Raises:
            LakeError: The table is unknown, or the partition is not a slug.
        """
        if table not in TABLES:
            raise LakeError(f"table {table!r} is not known; the tables are {', '.join(TABLES)}")
        return f"{TABLES_FOLDER}/{table}/{_slug(partition)}"

    def partition_folder(self, table: str, partition: str) -> Path:
        """Return where people find a table's partition; see `partition_name`."""
        return self.folder / self.partition_name(table, partition)

    def commit(self, table: str, partition: str) -> Commit | None:
        """Return the current commit of a partition, or None where nothing was ever written.

        Raises:
            LakeError: It is no commit, was altered, or is another partition's.
        """
        self.check_readable()
        name = f"{self.partition_name(table, partition)}/{COMMIT}"
        try:
            found = parse_commit(self.store.read(name))
            if (found.table, found.partition) != (table, partition):
                raise ValueError(f"it is that of {found.table} of {found.partition}")
        except MissingError:
            return None
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            what = "lacks a key or has one of another type" if not isinstance(error, ValueError) else str(error)
            raise LakeError(
                f"{describe_place(self.store, name)}: not a commit as it was written: {what}; "
                f"`cupel check {self.project} --repair` moves it aside and makes the table again"
            ) from error
        return found

    def partitions(self, table: str) -> list[str]:
        """Return the partitions of a table that have been written, in order of name."""
        self.check_readable()
        folder = f"{TABLES_FOLDER}/{table}"
        return [name for name in self.store.list_folders(folder) if self.store.stat(f"{folder}/{name}/{COMMIT}")]

    def parts(self, table: str, partition: str) -> list[str]:
        """Return the names of a partition's parts in the store, in the order of its rows.

        Raises:
            LakeError: The partition was never written.
        """
        commit = self.commit(table, partition)
        if commit is None:
            raise LakeError(f"table {table}, partition {partition}: not there yet; run the stage that writes it")
        folder = self.partition_name(table, partition)
        return [f"{folder}/{part}" for part in commit.parts]

    def files(self, table: str, partition: str) -> list[str]:
        """Return the locations of a partition's parts, in the order of its rows.

        Raises:
            LakeError: The partition was never written.
            NoLocationError: The store lets nobody else open its contents.
        """
        return [self.store.location(part) for part in self.parts(table, partition)]

    def read(self, table: str, partition: str, columns: Sequence[str] | None = None) -> pa.Table:
        """Return a partition as one Arrow table, in the order of its key.

        Args:
            table: Name of the table.
            partition: Batch or release.
            columns: Columns to read, in the order wanted; None for all. The others are not taken apart.

        Raises:
            LakeError: The partition was never written, or a part is gone or was altered.
            TableError: The table has no such column.
        """
        schema = _schema_of(TABLES[table], columns)
        return pa.concat_tables(read_part(self.store, part, schema) for part in self.parts(table, partition))

    def read_batches(
        self, table: str, partition: str, rows: int = ROWS_PER_GROUP, columns: Sequence[str] | None = None
    ) -> Iterator[pa.Table]:
        """Yield a partition in pieces of at most `rows` rows, in the order of its key, never holding more than one.

        Args:
            table: Name of the table.
            partition: Batch or release.
            rows: Most rows of a piece.
            columns: Columns to read, in the order wanted; None for all.

        Raises:
            LakeError: The partition was never written, or a part is gone or was altered.
            TableError: The table has no such column.
        """
        schema = _schema_of(TABLES[table], columns)
        for part in self.parts(table, partition):
            place = describe_place(self.store, part)
            with open_parquet(self.store, check_part(self.store, part)) as file:
                for batch in file.iter_batches(batch_size=rows, columns=columns_there(file, schema)):
                    yield fitted(pa.Table.from_batches([batch]), schema, place)

    def relation(self, table: str, partition: str) -> "duckdb.DuckDBPyRelation":
        """Return a partition as a lazy relation on this lake's connection.

        Raises:
            LakeError: The partition was never written, or a part is gone or was altered.
        """
        parts = [check_part(self.store, part) for part in self.parts(table, partition)]
        try:
            return self.connection.read_parquet([self.store.location(part) for part in parts])
        except NoLocationError:
            return self.connection.from_arrow(self.read(table, partition))

    def write(
        self,
        table: str,
        partition: str,
        data: Data,
        inputs: Mapping[str, str] | None = None,
        code_version: str = "1",
        is_sorted: bool = False,
    ) -> Commit:
        """Write a partition whole, or leave it as it was.

        Args:
            table: Name of a table of `cupel.contract.tables`; its schema is enforced.
            partition: Batch or release, a slug.
            data: Rows in any order; they are sorted by the table's key.
            inputs: Content hashes of all that the rows were made from.
            code_version: Version of the code and settings that made them.
            is_sorted: The rows come in the order of the key already, and need not be sorted.

        Returns:
            The commit; the same rows give the same hash, whatever their order and whoever wrote them.

        Raises:
            TableError: The rows break the schema, two have the same key, or they are not sorted as they should be.
            FormatError: The lake is of another format.
            LakeError: Another process wrote the partition meanwhile; what that one wrote stays.
        """
        self.check_writable()
        folder = self.partition_name(table, partition)
        schema = TABLES[table]
        before = self.store.stat(f"{folder}/{COMMIT}")
        rows = _in_order(data, schema) if is_sorted else self._sorted(data, schema)
        parts = write_parts(self.store, folder, rows, schema, ROWS_PER_GROUP, ROWS_PER_PART)
        digest = hashlib.sha256(schema.schema.to_string().encode())
        for part in parts:
            digest.update(part["name"].encode())
        content = {
            "table": table,
            "partition": partition,
            "hash": digest.hexdigest(),
            "rows": sum(part["rows"] for part in parts),
            "parts": parts,
            "inputs": dict(sorted((inputs or {}).items())),
            "code_version": code_version,
        }
        raw = seal_json(content)
        self._put_commit(f"{folder}/{COMMIT}", raw, None if before is None else before.version)
        self.store.remove_left_behind(folder)
        return parse_commit(raw)

    def version(self, name: str) -> str:
        """Return the current hash of an input, or that it is absent.

        Args:
            name: `table@partition`, `answers:purposes@batch`, `actions@batch`, `send_backs@batch`,
                `guidelines@batch` or `draws@release`.
        """
        kind, _, partition = name.rpartition("@")
        if kind.startswith("answers:"):
            return self.answers.version(partition, kind.removeprefix("answers:").split("+"))
        if kind == "actions":
            return self.actions.version(partition)
        if kind == SEND_BACKS:
            return self.send_backs.version(partition)
        if kind == DRAWS:  # recorded only while awaited, and by then it is to be made anew
            return ABSENT
        if kind == GUIDELINES:
            return name_history(read_versions(self.log(GUIDELINES)))
        commit = self.commit(kind, partition)
        return ABSENT if commit is None else commit.hash

    def is_fresh(self, table: str, partition: str, code_version: str) -> bool:
        """Tell whether a partition was made by this code from inputs that are still what they were.

        Inputs whose name starts with `file:` are not the lake's to judge; the caller compares them.
        """
        commit = self.commit(table, partition)
        if commit is None or commit.code_version != code_version:
            return False
        if not self.has_parts(commit):
            return False
        ours = {name: hash_ for name, hash_ in commit.inputs.items() if not name.startswith("file:")}
        return all(self.version(name) == hash_ for name, hash_ in ours.items())

    def has_parts(self, commit: Commit) -> bool:
        """Tell whether all parts of a partition are there, by their sizes."""
        folder = self.partition_name(commit.table, commit.partition)
        stats = [self.store.stat(f"{folder}/{part}") for part in commit.parts]
        return tuple(None if stat is None else stat.size for stat in stats) == commit.sizes

    def write_catalog(self) -> Path:
        """Write `catalog.duckdb`: a view a table over all its partitions, for people who want SQL.

        It shows the answers and the events of the other logs too. A copy of the lake shows the copy.
        """
        path = Path(self.store.location(CATALOG))
        write_views(path, self.project, self._views())
        return path

    def _views(self) -> Iterator[View]:
        """Yield the views of what is there: tables, the answers, events."""
        for name, table in TABLES.items():
            column = "partition" if "partition" not in table.schema.names else "table_partition"
            columns = [(column, "Batch or release."), *((one.name, one.meaning) for one in table.columns)]
            if name == ANSWERS.name:
                files = [Files("", [segment.name for segment in self.answers.segments()])]
            else:
                found = self._partitions_to_show(name)
                files = [Files(put_before(column, partition), self.parts(name, partition)) for partition in found]
            if any(one.names for one in files):
                yield View(name, table.row, columns, files)
        if logs := [log for log in self._logs() if log.names]:
            yield View("events", "an event of a log", EVENT_COLUMNS, logs, is_events=True)

    def _logs(self) -> Iterator[Files]:
        """Yield the segments of the logs of events."""
        for folder in self.store.list_folders():
            if folder in (TABLES_FOLDER, ANSWERS_FOLDER):
                continue
            for log in (folder, *(f"{folder}/{one}" for one in self.store.list_folders(folder))):
                if self.store.stat(f"{log}/{HEAD}") is not None:
                    yield Files(put_before("log", log), EventLog(self.store, log).segment_names())

    def _partitions_to_show(self, table: str) -> list[str]:
        """Return the partitions of a table, leaving out those whose columns were of another type when written."""
        partitions = self.partitions(table)
        if any(column.type == HASHES for column in TABLES[table].columns):  # lists of numbers, in format 1
            partitions = [partition for partition in partitions if self._has_types_of_now(table, partition)]
        return partitions

    def _has_types_of_now(self, table: str, partition: str) -> bool:
        schema = TABLES[table].schema
        with open_parquet(self.store, self.parts(table, partition)[0]) as file:
            then = file.schema_arrow
        return all(then.field(name).type == schema.field(name).type for name in then.names if name in schema.names)

    def _put_commit(self, name: str, content: bytes, version: str | None) -> None:
        """Put a commit in place of the one that was there when its table's write began.

        Steps hold a batch or release against other runs, so that nobody else writes its tables: whoever does all the
        same is told, rather than undone.
        """
        try:
            self.store.replace_if_unchanged(name, content, version)
        except ChangedError:
            with suppress(MissingError):
                if self.store.read(name) == content:
                    return  # the very same was made by another process, or before its acknowledgement was lost
            raise LakeError(
                f"{describe_place(self.store, name)}: another process wrote the table at the same time, and what that "
                "one wrote stays; run again when it has ended"
            ) from None

    def _sorted(self, data: Data, table: Table) -> Iterator[pa.Table]:
        if isinstance(data, pa.Table):
            data = conform(data, table)
        relation = self.connection.from_arrow(data) if isinstance(data, pa.Table | pa.RecordBatchReader) else data
        order = ", ".join(f'"{column}"' for column in table.key)
        for batch in relation.order(order).to_arrow_reader(ROWS_PER_GROUP):
            yield conform(pa.Table.from_batches([batch]), table)


@lru_cache(maxsize=4096)
def parse_commit(raw: bytes) -> Commit:
    """Return what a commit's file says; a run reads each hundreds of times.

    Raises:
        ValueError: It is no JSON, was altered, or holds what no commit holds; likewise LookupError and TypeError.
    """
    content = open_sealed(raw)
    if more := sorted(set(content) - _KEYS):
        raise ValueError(f"key {more[0]!r} is none of a commit")
    parts = content["parts"]
    return Commit(
        content["table"], content["partition"], content["hash"], content["rows"],
        tuple(part["name"] for part in parts), dict(content["inputs"]), content["code_version"],
        tuple(int(part["bytes"]) for part in parts),
    )  # fmt: skip


def _slug(name: str) -> str:
    try:
        return check_slug(name)
    except ValueError as error:
        raise LakeError(str(error)) from None


def _in_order(data: Data, table: Table) -> Iterator[pa.Table]:
    """Yield rows that come sorted, held to the schema."""
    if not isinstance(data, pa.Table | pa.RecordBatchReader):
        data = data.to_arrow_reader(ROWS_PER_GROUP)
    for batch in data.to_batches() if isinstance(data, pa.Table) else data:
        yield conform(pa.Table.from_batches([batch]), table)


def _schema_of(table: Table, columns: Sequence[str] | None) -> pa.Schema:
    """Return the schema of some of a table's columns."""
    if columns is None:
        return table.schema
    names = [column.name for column in table.columns]
    if unknown := sorted(set(columns) - set(names)):
        raise TableError(f"table {table.name}: no column {', '.join(unknown)}; it has {', '.join(names)}")
    return pa.schema([table.schema.field(name) for name in columns])
