"""The record of a group: what lies on the server, how far it was read, and whether that is in doubt; files, whole."""

import io
import json
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.errors import WorkforceError
from cupel.lake.lake import Lake
from cupel.people.label_studio.pull import Read
from cupel.store.store import MissingError, TakenError

FOLDER = "label_studio"
LAKE_ID = f"{FOLDER}/lake_id"
CHANGED = "changed"
SCHEMA = pa.schema(
    [
        ("key", pa.string()),
        ("batch", pa.string()),
        ("item_id", pa.string()),
        ("tool_task", pa.int64()),
        ("people", pa.int64()),
        ("overlap", pa.int64()),
        ("shown", pa.string()),
    ]
)


class Put(NamedTuple):
    """An item that lies on the server.

    `tool_task` is its id there, `people` how many have annotated it as far as was read, `overlap` how many are
    wanted; it lies open before people where fewer have than are wanted. `shown` is the hash of what it shows, or
    `CHANGED` where somebody changed that; null where it was published before hashes were kept.
    """

    batch: str
    item_id: str
    tool_task: int
    people: int
    overlap: int
    shown: str | None = None

    @property
    def is_open(self) -> bool:
        """More people are wanted than have annotated it."""
        return self.people < self.overlap


@dataclass
class Record:
    """What is known of a group's project on the server.

    `project_id` is null before there is one; `configuration` is what was set last; `cursor` is the latest time of
    change that was read, by the server's clock; `recent` those of the tasks that were read shortly before it, by
    their ids there; `snapshot_at` the last time that everything was read, by our clock; `is_in_doubt` says that an
    import may have happened unseen.
    """

    project_id: int | None = None
    configuration: str | None = None
    cursor: str | None = None
    recent: dict[int, Read] = field(default_factory=dict)
    snapshot_at: str | None = None
    is_in_doubt: bool = False
    puts: dict[str, Put] = field(default_factory=dict)


class Records:
    """The records of a lake, one a group; of two writers at the same time one is told.

    Args:
        lake: The project's lake.
    """

    def __init__(self, lake: Lake) -> None:
        self.folder = lake.folder / FOLDER
        self._store = lake.store
        self._versions: dict[str, str | None] = {}

    def lake_id(self) -> str:
        """Return the lake's own random id, made when it is asked for first; two lakes share no project on a server."""
        if self._store.stat(LAKE_ID) is None:
            with suppress(TakenError):
                self._store.put_if_absent(LAKE_ID, (uuid.uuid4().hex + "\n").encode())
        return self._store.read(LAKE_ID).decode("ascii").strip()

    def read(self, group: str) -> Record:
        """Return a group's record; an empty one where there is none.

        Raises:
            WorkforceError: A file is damaged.
        """
        name, table = _names(group)
        for one in (name, table):
            self._versions[one] = self._version(one)
        if self._versions[name] is None:
            return Record()
        try:
            about = json.loads(self._store.read(name))
            recent = {int(task): Read(*read) for task, read in about.get("recent", {}).items()}
            record = Record(**about | {"recent": recent})
            with self._store.open(table) as file:
                rows = pq.read_table(file, schema=SCHEMA).to_pylist()
        except MissingError as error:
            raise WorkforceError(f"{error}; restore it from a copy, or remove {self.folder}") from None
        except (OSError, ValueError, TypeError, AttributeError, pa.ArrowException) as error:
            raise WorkforceError(
                f"{self.folder / group}.json: not a record, or its table is damaged: {error}; restore both from a copy"
            ) from None
        record.puts = {row.pop("key"): Put(**row) for row in rows}
        return record

    def write(self, group: str, record: Record, *, with_table: bool = True) -> None:
        """Put a group's record in place, the table first: what the other file says of it is never ahead of it.

        Args:
            group: The group's name.
            record: What is known.
            with_table: Write what lies on the server too; false where only the rest has changed.

        Raises:
            ChangedError: Another process wrote it since it was read.
        """
        name, table = _names(group)
        if with_table or self._store.stat(table) is None:
            file = io.BytesIO()
            pq.write_table(_table(record.puts), file, compression="zstd")
            self._replace(table, file.getvalue())
        about = asdict(record)
        del about["puts"]
        self._replace(name, (json.dumps(about, indent=1, sort_keys=True) + "\n").encode())

    def _replace(self, name: str, content: bytes) -> None:
        """Put a content in place of the one that was read or written last."""
        known = self._versions[name] if name in self._versions else self._version(name)
        self._versions[name] = self._store.replace_if_unchanged(name, content, known).version

    def _version(self, name: str) -> str | None:
        found = self._store.stat(name)
        return None if found is None else found.version


def _names(group: str) -> tuple[str, str]:
    """Return the names of a group's record and of its table."""
    return f"{FOLDER}/{group}.json", f"{FOLDER}/{group}.parquet"


def _table(puts: Mapping[str, Put]) -> pa.Table:
    rows = [{"key": key, **put._asdict()} for key, put in sorted(puts.items())]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
