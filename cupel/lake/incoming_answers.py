"""Arriving answers: held to the log's types, and told from those that the log has already."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.contract.columns import TIME
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.lake.answer_chain import GIVEN, PIECE_RECORDS, contents
from cupel.lake.answer_segments import SEGMENT_RECORDS, File, read_segment

PURPOSES = ("label", "calibration", "round", "audit", "expert", "contamination", "contamination_audit")
# Answer ids of so many records are searched at once: those looked for are hashed anew for each search.
SEARCHED_RECORDS = 8 * SEGMENT_RECORDS
# What Python can tell as a date.
FIRST_TIME = pa.scalar(datetime.min.replace(tzinfo=UTC), TIME)
LAST_TIME = pa.scalar(datetime.max.replace(tzinfo=UTC), TIME)

Rows = NDArray[np.int64]


def typed(answers: pa.Table) -> pa.Table:
    """Return answers in the log's types: what is hashed must be what is read back.

    Args:
        answers: The columns of ANSWERS but `sequence` and `hash`; others are left out.

    Raises:
        AnswerError: A column is missing or of another type, a value is missing, or a purpose is unknown.
    """
    if missing := sorted(set(GIVEN) - set(answers.column_names)):
        raise AnswerError(f"answers to append lack the columns {missing}")
    schema = pa.schema([ANSWERS.schema.field(name).with_nullable(True) for name in GIVEN])
    try:
        given = answers.select(GIVEN).cast(schema)
        given.validate(full=True)  # that texts are UTF-8
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise AnswerError(f"answers to append: {error}") from error
    is_strange = pc.invert(pc.is_in(given["purpose"], value_set=pa.array(PURPOSES, pa.string())))
    if (row := pc.index(is_strange, True).as_py()) >= 0:
        name, purpose = given["answer_id"][row].as_py(), given["purpose"][row].as_py()
        raise AnswerError(f"answer {name!r}: purpose {purpose!r}; allowed: {PURPOSES}")
    for column in ANSWERS.columns:
        if column.name in GIVEN and not column.is_optional and given[column.name].null_count:
            row = pc.index(pc.is_null(given[column.name]), True).as_py()
            raise AnswerError(f"answers to append, row {row + 1}: {column.name} is missing")
    is_far = pc.or_(pc.less(given["answered_at"], FIRST_TIME), pc.greater(given["answered_at"], LAST_TIME))
    if (row := pc.index(is_far, True).as_py()) >= 0:
        name = given["answer_id"][row].as_py()
        raise AnswerError(
            f"answer {name!r}: answered_at is not within the years 1 to 9999; mend the time or leave it out"
        )
    return given


def fresh_rows(given: pa.Table, segments: Sequence[File]) -> Rows:
    """Return the rows of answers that the log does not have; of an answer that comes twice, the first.

    Args:
        given: What `typed` returns.
        segments: The log's segments.

    Raises:
        AnswerError: An answer_id comes again with another content; names the first.
    """
    ids = given["answer_id"].combine_chunks().dictionary_encode()
    if not given.num_rows:
        return np.zeros(0, np.int64)
    code, rows = ids.indices.to_numpy().astype(np.int64), np.arange(given.num_rows)
    first = np.zeros(len(ids.dictionary), np.int64)
    first[code[::-1]] = rows[::-1]
    again = rows[first[code] != rows]
    contradictions = [again[_is_other(given, again, given, first[code[again]])]]
    is_known = np.zeros(len(first), np.bool_)
    for there in _known(ids.dictionary, segments):
        place = pc.index_in(there["answer_id"], value_set=ids.dictionary).to_numpy().astype(np.int64)
        is_known[place] = True
        contradictions.append(first[place][_is_other(given, first[place], there, np.arange(len(place)))])
    bad = np.concatenate(contradictions)
    if len(bad):
        name = given["answer_id"][bad.min()].as_py()
        raise AnswerError(f"answer {name!r} came again with another content; a new version needs an id of its own")
    return first[~is_known]


def _known(ids: pa.Array, segments: Sequence[File]) -> Iterator[pa.Table]:
    """Yield the records of the log that have one of these answer ids, a segment at a time."""
    held: list[tuple[File, pa.ChunkedArray]] = []
    for number, segment in enumerate(segments, 1):
        held.append((segment, read_segment(segment, ["answer_id"])["answer_id"]))
        if number == len(segments) or sum(len(column) for _, column in held) >= SEARCHED_RECORDS:
            is_known = pc.is_in(
                pa.chunked_array([chunk for _, column in held for chunk in column.chunks]), value_set=ids
            )
            start = 0
            for path, column in held:
                mask = is_known.slice(start, len(column))
                start += len(column)
                if pc.any(mask).as_py():
                    yield read_segment(path).filter(mask)
            held = []


def _is_other(one: pa.Table, rows: Rows, other: pa.Table, other_rows: Rows) -> NDArray[np.bool_]:
    """Tell for each pair of rows whether they differ in what the chain hashes."""
    differ = np.zeros(len(rows), np.bool_)
    for start in range(0, len(rows), PIECE_RECORDS):
        piece = slice(start, start + PIECE_RECORDS)
        ours, theirs = one.take(pa.array(rows[piece])), other.take(pa.array(other_rows[piece]))
        differ[piece] = [a != b for a, b in zip(contents(ours), contents(theirs), strict=True)]
    return differ
