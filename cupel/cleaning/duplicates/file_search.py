"""The command `cupel duplicates`: near-duplicates of a Parquet file, by itself or in another one, as pairs."""

import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cupel.cleaning.duplicates.candidates import Positions
from cupel.cleaning.duplicates.fingerprints import ShingleShape
from cupel.cleaning.duplicates.near_duplicates import (
    NearDuplicates,
    SearchRules,
    TextMatches,
    find_near_duplicates,
    match_texts,
)
from cupel.errors import SourceError
from cupel.modalities.text.normalise import are_normal, normalise
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits, check_header
from cupel.sources.parquet_rows import read_columns
from cupel.store.files import open_file
from cupel.store.outputs import write_output

_TEXT = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary,
         pa.types.is_large_binary, pa.types.is_null)  # fmt: skip


# The columns of what is written: within a file, and against another; the last two were written before.
_SHARED = ("similarity", "containment", "longer", "differ_in_digits")
PAIRS = (
    ("id", "like_id", "kept_id", *_SHARED), ("id", "like_id", *_SHARED),
    ("id", "like_id", "kept_id", "similarity"), ("id", "like_id", "similarity"),
)  # fmt: skip


class SearchRequest(NamedTuple):
    """What to search, where, and how."""

    file: Path
    against: Path | None
    text: str
    id: str | None
    rules: SearchRules
    shape: ShingleShape
    limits: InputLimits = DEFAULT_LIMITS


class SearchResult(NamedTuple):
    """The pairs, and what a person wants to know of them.

    `pairs` has a row a pair: `id`, `like_id` and `similarity`; within a file also `kept_id`, the earliest of the
    cluster; `containment`, the share of the smaller's shingles that the other holds, `longer`, the one that has more
    of them (`id` or `like_id`), and `differ_in_digits`. `documents` were searched; `alike` of them have one that they
    are like. `normalised` texts were not in normal form. `not_compared` and `other_digits` as in `NearDuplicates`.
    """

    pairs: pa.Table
    documents: int
    alike: int
    normalised: int
    not_compared: int
    other_digits: int


def search_file(request: SearchRequest) -> SearchResult:
    """Search a file of texts.

    Raises:
        SourceError: A file or column is not there, or is of another kind.
    """
    texts, ids = _read(request.file, request.text, request.id, request.limits)
    texts, normalised = _normalise(texts)
    rules = request.rules
    if request.against is None:
        within = find_near_duplicates(
            texts, rules.similarity, request.shape, containment=rules.containment,
            keep_other_digits=rules.keep_other_digits,
        )  # fmt: skip
        row, named = (
            within.later,
            {"like_id": _take(ids, within.earlier), "kept_id": _take(ids, within.kept[within.later])},
        )
        found: NearDuplicates | TextMatches = within
    else:
        others, other_ids = _read(request.against, request.text, request.id, request.limits)
        others, more = _normalise(others)
        normalised += more
        matches = match_texts(
            texts, others, rules.similarity, request.shape, containment=rules.containment,
            keep_other_digits=rules.keep_other_digits,
        )  # fmt: skip
        row, named, found = matches.row, {"like_id": _take(other_ids, matches.other)}, matches
    longer = pa.array(np.where(found.is_longer, "id", "like_id"), pa.string())
    pairs = pa.table({
        "id": _take(ids, row), **named, "similarity": found.similarity, "containment": found.containment,
        "longer": longer, "differ_in_digits": found.differ_in_digits,
    })  # fmt: skip
    return SearchResult(pairs, len(texts), len(np.unique(row)), normalised, found.not_compared, found.other_digits)


def _normalise(texts: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    """Return texts in the normal form of the chain, and how many were in another; bytes that are no UTF-8 as U+FFFD."""
    chunks, changed = list[pa.Array](), 0
    for chunk in texts.chunks:
        strings = _decode(chunk)
        places = np.flatnonzero(~are_normal(strings.fill_null(""), "NFC"))
        others = [None if text is None else normalise(text) for text in strings.take(pa.array(places)).to_pylist()]
        before = strings.take(pa.array(places)).to_pylist()
        changed += sum(text != other for text, other in zip(before, others, strict=True))
        is_other = np.zeros(len(strings), np.bool_)
        is_other[places] = True
        chunks.append(pc.replace_with_mask(strings, pa.array(is_other), pa.array(others, pa.large_string())))
    return pa.chunked_array(chunks, pa.large_string()), changed


def _decode(texts: pa.Array) -> pa.LargeStringArray:
    try:
        return texts.cast(pa.large_string())
    except pa.ArrowInvalid:
        read = [None if text is None else text.decode(errors="replace") for text in texts.to_pylist()]
        return pa.array(read, pa.large_string())


def write_pairs(pairs: pa.Table, to: Path) -> None:
    """Write pairs as a Parquet file, whole or not at all."""
    sink = io.BytesIO()
    pq.write_table(pairs, sink)
    write_output("--to", to, sink.getvalue())


def _take(ids: pa.ChunkedArray, rows: Positions) -> pa.ChunkedArray:
    return ids.take(pa.array(rows))


def _read(path: Path, text: str, name: str | None, limits: InputLimits) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Return the texts of a file, and the id of each: the number of its row, from 0, where no column is named."""
    wanted = [text] if name is None else [text, name]
    try:
        with open_file(path) as file:
            _check_columns(path, pq.read_schema(file), wanted, limits)
            table = read_columns(f"{path}", file, list(dict.fromkeys(wanted)), limits)
    except FileNotFoundError:
        raise SourceError(f"{path}: not there; name a Parquet file") from None
    except (OSError, ValueError, pa.ArrowException) as error:  # ValueError: a name that is none
        raise SourceError(f"{path}: no Parquet file that can be read: {error}") from None
    rows = pa.chunked_array([np.arange(table.num_rows)])
    return table.column(text), rows if name is None else table.column(name)


def _check_columns(path: Path, schema: pa.Schema, wanted: list[str], limits: InputLimits) -> None:
    """Refuse a file that lacks a column, has one twice, or whose first one wanted holds no texts."""
    check_header(f"{path}", schema.names, limits)
    for column in wanted:
        if column not in schema.names:
            raise SourceError(f"{path}: no column {column!r}; it has {', '.join(schema.names[:20])}")
    kind = schema.field(wanted[0]).type
    if not any(is_kind(kind) for is_kind in _TEXT):
        raise SourceError(f"{path}, column {wanted[0]!r}: of type {kind}; expected texts")
