"""The answers on one item, as the log has them: who, when, what, and whether it counted."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import duckdb

from cupel.errors import AnswerError
from cupel.lake.answer_chain import GIVEN
from cupel.lake.answer_segments import File
from cupel.printable import printable
from cupel.store.event_log import GENESIS, link
from cupel.trace.label_id import LabelId
from cupel.trace.reading import Reader, Row, equal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Standing(NamedTuple):
    """Whether an answer counts, why not, and as which label; None where the table does not say."""

    told: str
    reason: str | None = None
    label: str | None = None


_NOT_TAKEN = _Standing("not taken up yet")


@dataclass(frozen=True)
class Answer:
    """One record of the answers log; `standing` is counted, not counted, or not taken up yet.

    Where it counts as another label than was given, as after a change of the guideline, it says as which.
    """

    sequence: int
    answer_id: str
    task_id: str | None
    purpose: str
    annotator: str | None
    label: str | None
    seconds_spent: float | None
    answered_at: datetime | None
    source: str
    hash: str
    is_chained: bool
    standing: str
    reason: str | None


def answers(reader: Reader, name: LabelId, release: str | None) -> tuple[Answer, ...]:
    """Return all answers on an item in the order of their arrival, for whatever purpose.

    Args:
        reader: Reads the project's lake.
        name: The item.
        release: The release whose experts are asked for; None where there is none.

    Returns:
        The answers; `is_chained` is false where a record is not what its hash covers.
    """
    segments = _segments(reader)
    found = _records(reader, segments, equal(batch=name.batch, item_id=name.item_id))
    found.sort(key=lambda row: int(row["sequence"]))
    before = _hashes_before(reader, segments, [row["sequence"] for row in found])
    standings = {**_standings(reader, name), **_expert_standings(reader, name, release)}
    return tuple(
        Answer(
            **{column: row[column] for column in ("sequence", "hash", *GIVEN) if column not in ("batch", "item_id")},
            is_chained=_content_hash(before.get(row["sequence"] - 1), row) == row["hash"],
            standing=standings.get(row["sequence"], _NOT_TAKEN).told + _read_as(row, standings.get(row["sequence"])),
            reason=standings.get(row["sequence"], _NOT_TAKEN).reason,
        )
        for row in found
    )


def _read_as(row: Row, standing: "_Standing | None") -> str:
    """Return as which label an answer counts, where that is another than was given; else nothing."""
    label = None if standing is None else standing.label
    return "" if label is None or label == row["label"] else f" as {printable(label)}"


def _segments(reader: Reader) -> list[File]:
    """Return the log's segments; a log that is altered or cut short is told, and what is left of it is read."""
    try:
        return reader.lake.answers.segments()
    except AnswerError as error:
        reader.fails(str(error))
        return reader.lake.answers.segments_there()


def _records(reader: Reader, segments: Sequence[File], where: str) -> list[Row]:
    """Return records of the log; a segment that cannot be read is told, and the others are read."""
    if not segments:
        return []
    try:
        relation = reader.lake.connection.read_parquet([str(segment) for segment in segments])
        # As a number, because a time as Arrow gives it would load pandas.
        columns = "* REPLACE (epoch_us(answered_at) AS answered_at)"
        rows = relation.filter(where).project(columns).to_arrow_table().to_pylist()
        return [{**row, "answered_at": _time(row["answered_at"])} for row in rows]
    except (duckdb.Error, OverflowError, OSError) as error:
        if len(segments) == 1:
            reader.fails(f"{segments[0]}: {error}")
            return []
    return [row for segment in segments for row in _records(reader, [segment], where)]


def _hashes_before(reader: Reader, segments: Sequence[File], sequences: Iterable[int]) -> dict[int, str]:
    """Return the hashes of the records before some records, by sequence number."""
    wanted = sorted({sequence - 1 for sequence in sequences})
    found = {0: GENESIS}
    if any(wanted):
        where = f"sequence IN ({', '.join(map(str, wanted))})"
        rows = _records(reader, segments, where)
        found |= {row["sequence"]: row["hash"] for row in rows}
    return found


def _content_hash(before: str | None, row: Row) -> str | None:
    """Return the hash that a record should have; None where the one before it is not there."""
    if before is None:
        return None
    values = [row[name].isoformat() if isinstance(row[name], datetime) else row[name] for name in GIVEN]
    return link(before, row["sequence"], json.dumps(values, separators=(",", ":")))


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


def _standings(reader: Reader, name: LabelId) -> dict[int, _Standing]:
    where = equal(item_id=name.item_id)
    counted = reader.rows("annotations", name.batch, where, ["sequence", "label"])
    rejected = reader.rows("rejected_answers", name.batch, where, ["sequence", "reason"])
    return {
        **_stand(counted, rejected),
        **_contamination_standings(reader, name, where),
        **_model_standings(reader, name, where),
    }


def _model_standings(reader: Reader, name: LabelId, where: str) -> dict[int, _Standing]:
    if name.batch not in reader.partitions("model_answers"):
        return {}
    counted = reader.rows("model_answers", name.batch, where, ["sequence"])
    rejected = reader.rows("rejected_model_answers", name.batch, where, ["sequence", "reason"])
    return _stand(counted, rejected)


def _contamination_standings(reader: Reader, name: LabelId, where: str) -> dict[int, _Standing]:
    if name.batch not in reader.partitions("contamination_answers"):
        return {}
    counted = reader.rows("contamination_answers", name.batch, where, ["sequence"])
    rejected = reader.rows("rejected_contamination_answers", name.batch, where, ["sequence", "reason"])
    return _stand(counted, rejected)


def _expert_standings(reader: Reader, name: LabelId, release: str | None) -> dict[int, _Standing]:
    if release is None:
        return {}
    where = equal(batch=name.batch, item_id=name.item_id)
    counted = reader.rows("expert_answers", release, where, ["sequence", "label"])
    rejected = reader.rows("rejected_expert_answers", release, where, ["sequence", "reason"])
    return _stand(counted, rejected)


def _stand(counted: list[Row], rejected: list[Row]) -> dict[int, _Standing]:
    found: dict[int, _Standing] = {row["sequence"]: _Standing("counted", label=row.get("label")) for row in counted}
    return found | {row["sequence"]: _Standing("not counted", row["reason"]) for row in rejected}
