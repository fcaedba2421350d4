"""Columns of the deliveries that a release hands over: those that its project names, as they were delivered."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cupel.contract.columns import TEXT
from cupel.contract.tables.release import TRAINING_SET
from cupel.errors import ReleaseError
from cupel.lake.step import Step
from cupel.modalities.text.privacy.hints import may_be_private
from cupel.modalities.text.privacy.mask import Masked, mask

# The key of a manifest that names them.
CARRIED = "carried"
_NEEDED = ("item_id", "fields")

Pieces = Callable[[str], Iterator[pa.Table]]


def find_carried(manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the columns of the deliveries that a release's data files hold, by its manifest.

    Raises:
        ReleaseError: What stands there are no names of columns, each once, beside those of the training set.
    """
    named = manifest.get(CARRIED, [])
    is_list = isinstance(named, list) and all(isinstance(name, str) and name for name in named)
    if not is_list or len({*named, *TRAINING_SET.schema.names}) != len(named) + len(TRAINING_SET.columns):
        raise ReleaseError(f"manifest.json, key {CARRIED}: found {named!r}, expected names of columns, each once")
    return tuple(named)


def check_carried(step: Step, batches: Sequence[str]) -> None:
    """Refuse columns that a delivery's file has not, or in which private data are found, before anybody is asked.

    Args:
        step: Of the release.
        batches: Those that it holds.

    Raises:
        ReleaseError: A file has no such column, or one that `release.carry_private` does not name holds private data.
    """
    names, private = step.project.release.carry, step.project.release.carry_private
    for batch in batches if names else ():
        seen: dict[str, set[str]] = {}
        for piece in step.read_batches("raw_items", batch, columns=["item_id", "source_file", "line", "fields"]):
            rows = [json.loads(text) if text else {} for text in piece["fields"].to_pylist()]
            for file, row in zip(piece["source_file"].to_pylist(), rows, strict=True):
                seen.setdefault(file, set()).update(row)
            for name in (name for name in names if name not in private):
                _check_private(step, batch, name, piece, [read_value(row.get(name)) for row in rows])
        for file, there in sorted(seen.items()):
            for name in (name for name in names if name not in there):
                raise ReleaseError(
                    f"batch {batch}, {file}: no column {name!r}, which release.carry names; the file has "
                    f"{', '.join(sorted(there)) or 'no columns but those that are read'}; name one of these, or remove "
                    "it from release.carry"
                )


def _check_private(step: Step, batch: str, name: str, piece: pa.Table, values: list[str | None]) -> None:
    """Refuse values of a column in which cleaning would mask something, were they texts."""
    settings = step.project.cleaning
    texts = pa.array([value or "" for value in values], pa.large_string())
    for row, is_likely in enumerate(may_be_private(texts, settings.mask_ip_addresses)):
        if not is_likely:
            continue
        found = mask(values[row] or "", settings.phone_region, ips=settings.mask_ip_addresses)
        if kinds := [kind for kind in Masked._fields[1:] if getattr(found, kind)]:
            raise ReleaseError(
                f"batch {batch}, {piece['source_file'][row]}, row {piece['line'][row]}: column {name!r} holds what "
                f"looks like {' and '.join(kinds)}; to hand it over all the same, name it in release.carry_private too"
            )


def read_value(value: object) -> str | None:
    """Return a value of a delivery as text: a text as it is, null as null, anything else as JSON.

    >>> read_value("https://example.org"), read_value(3), read_value(None), read_value(["a", "b"])
    ('https://example.org', '3', None, '["a","b"]')
    """
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class CarriedColumns:
    """Adds columns of the deliveries to rows of the training set that come in the order of its key.

    Args:
        names: The columns.
        read: Returns RAW_ITEMS of a batch in pieces, in the order of their key; the columns item_id and fields will do.
    """

    def __init__(self, names: Sequence[str], read: Pieces) -> None:
        self.names = tuple(names)
        self._read = read
        self._batch: str | None = None
        self._pieces: Iterator[pa.Table] = iter(())
        self._held = pa.table({name: pa.array([], TEXT) for name in _NEEDED})

    def add(self, rows: pa.Table) -> pa.Table:
        """Return rows with the columns behind their own.

        Raises:
            ReleaseError: A row is none of its batch's.
        """
        found: list[pa.Array] = []
        for batch in rows["batch"].unique().to_pylist():
            found.append(self._find(batch, rows["item_id"].filter(pc.equal(rows["batch"], batch))))
        fields = [json.loads(text) if text else {} for part in found for text in part.to_pylist()]
        for name in self.names:
            rows = rows.append_column(name, pa.array([read_value(row.get(name)) for row in fields], TEXT))
        return rows

    def _find(self, batch: str, ids: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return the fields of some items of a batch, whose ids are in ascending order."""
        if batch != self._batch:
            self._batch, self._pieces, self._held = batch, self._read(batch), self._held.slice(0, 0)
        wanted, parts = ids.combine_chunks(), [self._held]
        while not (parts[-1].num_rows and parts[-1]["item_id"][-1].as_py() >= wanted[-1].as_py()):
            if (piece := next(self._pieces, None)) is None:
                break
            parts.append(piece.select(_NEEDED).cast(self._held.schema))
        held = pa.concat_tables(parts)
        place = pc.index_in(wanted, value_set=held["item_id"].combine_chunks())
        if place.null_count:
            name = wanted.filter(pc.is_null(place))[0].as_py()
            raise ReleaseError(f"batch {batch}, item {name!r}: released, but not among the raw items; run again")
        self._held = held.slice(place[-1].as_py() + 1)
        return held["fields"].take(place)
