"""The record of a group: what lies on the server, how far it was read, and whether that is in doubt; files, whole."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from cupel.errors import WorkforceError
from cupel.label_studio.pull import Read
from cupel.lake import Lake
from cupel.store.files import new_file, put_file

FOLDER = "label_studio"
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
    """The records of a lake, one a group.

    Args:
        lake: The project's lake.
    """

    def __init__(self, lake: Lake) -> None:
        self.folder = lake.folder / FOLDER

    def lake_id(self) -> str:
        """Return the lake's own random id, made when it is asked for first; two lakes share no project on a server."""
        path = self.folder / "lake_id"
        try:
            return path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            self.folder.mkdir(parents=True, exist_ok=True)
            put_file(path, (uuid.uuid4().hex + "\n").encode())
            return path.read_text(encoding="ascii").strip()

    def read(self, group: str) -> Record:
        """Return a group's record; an empty one where there is none.

        Raises:
            WorkforceError: A file is damaged.
        """
        path = self.folder / f"{group}.json"
        try:
            about = json.loads(path.read_text(encoding="utf-8"))
            recent = {int(task): Read(*read) for task, read in about.get("recent", {}).items()}
            record = Record(**about | {"recent": recent})
            rows = pq.read_table(self.folder / f"{group}.parquet", schema=SCHEMA).to_pylist()
        except FileNotFoundError as error:
            if path.is_file() or Path(error.filename) != path:
                raise WorkforceError(
                    f"{error.filename}: gone; restore it from a copy, or remove {path.parent}"
                ) from None
            return Record()
        except (OSError, ValueError, TypeError, AttributeError, pa.ArrowException) as error:
            raise WorkforceError(
                f"{path}: not a record, or its table is damaged: {error}; restore both from a copy"
            ) from None
        record.puts = {row.pop("key"): Put(**row) for row in rows}
        return record

    def write(self, group: str, record: Record, *, with_table: bool = True) -> None:
        """Put a group's record in place, the table first: what the other file says of it is never ahead of it.

        Args:
            group: The group's name.
            record: What is known.
            with_table: Write what lies on the server too; false where only the rest has changed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{group}.parquet"
        if with_table or not path.is_file():
            with new_file(path) as file:
                pq.write_table(_table(record.puts), file, compression="zstd")
        about = asdict(record)
        del about["puts"]
        put_file(self.folder / f"{group}.json", (json.dumps(about, indent=1, sort_keys=True) + "\n").encode())


def _table(puts: Mapping[str, Put]) -> pa.Table:
    rows = [{"key": key, **put._asdict()} for key, put in sorted(puts.items())]
    return pa.Table.from_pylist(rows, schema=SCHEMA)
