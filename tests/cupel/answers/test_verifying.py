"""Whatever is done to a log's files, the next verification finds it, and names the first bad record and its file."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cupel.answers.log import AnswersLog
from cupel.answers.verifying import AnswerSegments
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.store import event_log
from cupel.store.event_log import LogHead
from cupel.store.local import LocalStore
from cupel.store.store import Store

GIVEN = [field.name for field in ANSWERS.schema if field.name not in ("sequence", "hash")]


def answers(first: int, last: int) -> pa.Table:
    rows = [
        {"answer_id": f"a{n}", "batch": "one", "item_id": f"i{n}", "purpose": "label", "label": "x", "source": "test"}
        for n in range(first, last)
    ]
    return pa.Table.from_pylist(rows, schema=pa.schema([ANSWERS.schema.field(name) for name in GIVEN]))


@pytest.fixture
def log(tmp_path: Path) -> AnswersLog:
    """A verified log of three segments of two answers."""
    log = AnswersLog(LocalStore(tmp_path))
    for first in (0, 2, 4):
        log.append(answers(first, first + 2))
    log.verify()
    return log


def rewrite(path: Path, row: int, column: str, value: object) -> None:
    rows = pq.read_table(path).to_pylist()
    rows[row][column] = value
    pq.write_table(pa.Table.from_pylist(rows, schema=ANSWERS.schema), path)


@pytest.mark.parametrize("is_afresh", [False, True])
@pytest.mark.parametrize(("column", "value"), [("label", "y"), ("hash", "f" * 64), ("answer_id", "b")])
def test_a_record_altered_after_it_was_verified_is_found_and_named(
    log: AnswersLog, column: str, value: str, is_afresh: bool
) -> None:
    rewrite(Path(str(log.segments()[1])), 1, column, value)
    with pytest.raises(AnswerError, match=r"segment-000000000003\.parquet: answer 4 was altered"):
        log.verify(is_afresh=is_afresh)


def test_a_segment_gone_after_it_was_verified_is_found(log: AnswersLog) -> None:
    Path(str(log.segments()[1])).unlink()
    with pytest.raises(AnswerError, match="expected answer 3, found 5; a segment is missing"):
        log.verify()


def test_a_tail_cut_off_together_with_the_head_is_found(log: AnswersLog) -> None:
    for segment in log.segments()[1:]:
        Path(str(segment)).unlink()
    (log.folder / "head.json").unlink()
    with pytest.raises(AnswerError, match=r"segment-000000000003\.parquet: the segment is gone; .* from 3 to 4"):
        log.verify()


def test_a_head_that_is_gone_is_said_and_how_to_mend_it(log: AnswersLog) -> None:
    head = log.head()
    (log.folder / "head.json").unlink()
    for act in (log.verify, lambda: log.append(answers(6, 7))):
        with pytest.raises(AnswerError, match=r"head\.json: gone.*behind answer 6") as error:
            act()
    (log.folder / "head.json").write_text(str(error.value).partition("write ")[2].partition(" into it")[0])
    assert log.verify() == head


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("not json", "not the head of a log"),
        ("[]", "not the head of a log"),
        ('{"sequence": 6}', "not the head of a log"),
        ('{"sequence": 6, "hash": "%s"}' % ("0" * 64), "answer 6 has another hash in the log than here"),
        ('{"sequence": 9, "hash": "%s"}' % ("0" * 64), "answers from 7 on were cut off"),
        ('{"sequence": "6", "hash": ""}', "not the head of a log"),
        ('{"sequence": -1, "hash": ""}', "not the head of a log"),
    ],
)
def test_an_altered_head_is_found(log: AnswersLog, content: str, said: str) -> None:
    (log.folder / "head.json").write_text(content)
    with pytest.raises(AnswerError, match=said):
        log.verify()


def test_a_writer_killed_in_the_very_first_append_left_a_log_that_goes_on(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 2))
    (log.folder / "head.json").unlink()
    assert log.verify().sequence == 2
    assert log.append(answers(0, 3)) == (1, 2)
    assert log.verify().sequence == 3


def test_a_segment_of_other_bytes_is_refused_also_where_its_records_are_the_same(log: AnswersLog) -> None:
    path = Path(str(log.segments()[1]))
    pq.write_table(pq.read_table(path), path, compression="none")
    for is_afresh in (True, False):
        with pytest.raises(AnswerError, match=f"{path.name}: its bytes are not those that were verified"):
            log.verify(is_afresh=is_afresh)
    (path.parent / "verified.json").unlink()
    assert log.verify().sequence == 6


def test_segments_that_overlap_are_found(log: AnswersLog) -> None:
    second = Path(str(log.segments()[1]))
    (second.parent / "segment-000000000004.parquet").write_bytes(second.read_bytes())
    with pytest.raises(AnswerError, match="expected answer 5, found 3; two segments hold the same numbers"):
        log.verify()


def test_what_was_verified_is_not_computed_again(log: AnswersLog, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    verify = AnswerSegments.verify

    def noted(kind: AnswerSegments, store: Store, name: str, before: LogHead) -> object:
        seen.append(name)
        return verify(kind, store, name, before)

    monkeypatch.setattr(AnswerSegments, "verify", noted)
    log.append(answers(6, 8))
    assert log.verify().sequence == 8
    assert log.read().num_rows == 8
    assert seen == ["answers/segment-000000000007.parquet"]
    log.verify(is_afresh=True)
    assert len(seen) == 1 + 4


@pytest.mark.parametrize("content", ["", "[]", "{", '{"segment-000000000001.parquet": {"sha256": 1}}'])
def test_a_memory_of_verifying_that_is_broken_is_made_anew(log: AnswersLog, content: str) -> None:
    whole = (log.folder / "verified.json").read_text()
    (log.folder / "verified.json").write_text(content)
    assert log.verify().sequence == 6
    assert (log.folder / "verified.json").read_text() == whole


def test_a_memory_that_claims_another_end_does_not_hide_what_follows(log: AnswersLog) -> None:
    known = json.loads((log.folder / "verified.json").read_text())
    known["segment-000000000001.parquet"]["hash"] = "f" * 64
    (log.folder / "verified.json").write_text(json.dumps(known))
    event_log._KNOWN.clear()  # as of another process
    with pytest.raises(AnswerError, match="answer 3 was altered"):
        log.verify()
    assert log.verify(is_afresh=True).sequence == 6


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_found_or_changes_no_record(log: AnswersLog, place: float, bit: int) -> None:
    path = Path(str(log.segments()[1]))
    good, records = path.read_bytes(), pq.read_table(path)
    bad = bytearray(good)
    bad[int(place * len(bad))] ^= 1 << bit
    path.write_bytes(bad)
    try:
        log.verify()
    except AnswerError as error:
        assert path.name in str(error) or "head.json" in str(error) or str(log.folder) in str(error)  # noqa: PT017
    else:
        assert pq.read_table(path).cast(ANSWERS.schema).equals(records.cast(ANSWERS.schema))
    finally:
        path.write_bytes(good)
    assert log.verify().sequence == 6
