"""What the lake has on record of a release: the hashes of all that it was made from, and whether they still hold."""

import hashlib
from typing import NamedTuple

import pyarrow as pa

from cupel.contract.stages import STAGES
from cupel.contract.tables import TABLES
from cupel.errors import LakeError
from cupel.lake.lake import ABSENT, Commit, Lake
from cupel.lake.parts import check_part
from cupel.store.parquet import open_parquet
from cupel.store.store import Store, describe_place


class Recorded(NamedTuple):
    """Hashes of what a release was made from, by `table@partition`: when it was frozen, and when it came to its end."""

    frozen: dict[str, str]
    ended: dict[str, str]


def recorded_hashes(lake: Lake, release: str) -> Recorded:
    """Return the hashes of all that a release was made from, as the commits tell.

    A commit names what its table was made from. Starting from the release, whose tables never change,
    they are followed as long as the lake still holds the table that they name. What a batch was at the
    freeze may have been another when the release came to its end, and told what its gates then said.
    """
    frozen: dict[str, str] = {}
    ended: dict[str, str] = {}
    for table in ("release_items", "release_plan"):
        _follow(lake, table, release, frozen)
    for table in STAGES["release"].tables:
        _follow(lake, table, release, ended)
    for gate in gates_there(lake, release):
        _follow(lake, "gate_results", gate, ended)
    return Recorded(frozen, ended)


def alteration(lake: Lake, commit: Commit) -> str:
    """Return what is wrong with a table in the lake: a part, or a commit that its parts do not give; "" if nothing."""
    folder = lake.partition_name(commit.table, commit.partition)
    try:
        parts = [check_part(lake.store, f"{folder}/{part}") for part in commit.parts]
    except LakeError as error:
        return str(error)
    schema = schema_then(lake.store, parts[0]) if parts else TABLES[commit.table].schema
    digest = hashlib.sha256("".join([schema.to_string(), *commit.parts]).encode())
    if digest.hexdigest() == commit.hash:
        return ""
    return f"{describe_place(lake.store, folder)}: the commit does not name these parts"


def schema_then(store: Store, part: str) -> pa.Schema:
    """Return the schema that a part was written with: an earlier version's may be another than the present."""
    with open_parquet(store, part) as file:
        fields = file.schema_arrow
    return pa.schema([pa.field(field.name, _as_written(field.type), field.nullable) for field in fields])


def _as_written(kind: pa.DataType) -> pa.DataType:
    """Return a type as it was before it was written: Parquet gives the values of a list another name."""
    return pa.list_(kind.value_type) if pa.types.is_list(kind) else kind


def gates_there(lake: Lake, partition: str) -> list[str]:
    """Return the partitions of `gate_results` that tell of a batch or release, by name."""
    return [name for name in lake.partitions("gate_results") if name.partition("--")[2] == partition]


def _follow(lake: Lake, table: str, partition: str, found: dict[str, str]) -> None:
    commit = lake.commit(table, partition)
    waiting = [] if commit is None else [(f"{table}@{partition}", commit.hash)]
    while waiting:
        name, hash_ = waiting.pop(0)
        if name in found:
            continue
        found[name] = hash_
        commit = lake.commit(*_split(name))
        if commit is not None and commit.hash == hash_:
            waiting += [(other, value) for other, value in commit.inputs.items() if _is_table(other, value)]


def _split(name: str) -> tuple[str, str]:
    table, _, partition = name.rpartition("@")
    return table, partition


def _is_table(name: str, value: str) -> bool:
    return value != ABSENT and name.rpartition("@")[0] in TABLES
