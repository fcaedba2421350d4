"""The chain: what of a record is hashed, and the hash that covers it and all records before it."""

import math
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii
from typing import Any

import pyarrow as pa

from cupel.contract.tables.answers import ANSWERS
from cupel.store.event_log import link

GIVEN = [column.name for column in ANSWERS.columns if column.name not in ("sequence", "hash")]
# Records are turned into Python strings so many at a time: enough to be fast, few enough to hold.
PIECE_RECORDS = 65_536


def contents(records: pa.Table) -> list[str]:
    r"""Return what is hashed of each record: the values of its given columns as a JSON list without spaces.

    Args:
        records: The columns of ANSWERS but `sequence` and `hash`, in the log's types; others are left out.

    >>> schema = pa.schema([ANSWERS.schema.field(name).with_nullable(True) for name in GIVEN])
    >>> contents(pa.Table.from_pylist([{"answer_id": "1", "label": "b\"", "seconds_spent": 1.5}], schema=schema)).pop()
    '["1",null,null,null,null,null,"b\\"",1.5,null,null]'
    """
    columns = [_encoded(records[name]) for name in GIVEN]
    return [f"[{','.join(values)}]" for values in zip(*columns, strict=True)]


def links(previous: str, first: int, records: Sequence[str]) -> list[str]:
    """Return the hashes of records that follow each other.

    Args:
        previous: Hash of the record before them; zeros for the first of a log.
        first: Sequence number of the first of them.
        records: Their contents.
    """
    hashes = []
    for sequence, content in enumerate(records, first):
        previous = link(previous, sequence, content)
        hashes.append(previous)
    return hashes


def _encoded(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_floating(column.type):
        return ["null" if value is None else _number(value) for value in column.to_pylist()]
    # Few values stand in many records: each is encoded once.
    coded = column.combine_chunks().dictionary_encode()
    words = [encode_basestring_ascii(_text(value)) for value in coded.dictionary.to_pylist()]
    words.append("null")
    return [words[place] for place in coded.indices.fill_null(len(words) - 1).to_pylist()]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value.isoformat())


def _number(value: float) -> str:
    """Return a number as JSON as Python writes it."""
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
