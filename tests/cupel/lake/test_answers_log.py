import hashlib
import json
import os
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kill_points import killed_at_each_change

from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError, CupelError
from cupel.lake import answers_log as log_module
from cupel.lake import incoming_answers as arriving
from cupel.lake.answers_log import AnswersLog
from cupel.store import event_log
from cupel.store.event_log import SegmentLog
from cupel.store.local import LocalStore
from cupel.store.memory import MemoryStore
from faulty_store import FaultyStore, LostError

GIVEN = pa.schema([field for field in ANSWERS.schema if field.name not in ("sequence", "hash")])


def answers(first: int, last: int, **changes: object) -> pa.Table:
    rows = [
        {
            "answer_id": f"a{n}", "task_id": None, "batch": "one" if n % 2 else "two", "item_id": f"i{n}",
            "purpose": "label", "annotator": None, "label": "x", "seconds_spent": 1.5, "answered_at": None,
            "source": "test", **changes,
        }
        for n in range(first, last)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=GIVEN)


def test_answers_are_numbered_in_the_order_of_their_arrival(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    assert log.append(answers(0, 3)) == (3, 0)
    assert log.append(answers(3, 5)) == (2, 0)
    assert log.read()["sequence"].to_pylist() == [1, 2, 3, 4, 5]
    assert log.verify() == log.head()


@pytest.mark.parametrize("before", [0, 3])
@pytest.mark.parametrize("ask", [AnswersLog.head, AnswersLog.verify])
def test_what_another_process_appends_meanwhile_is_no_log_cut_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int, ask: Callable[[AnswersLog], object]
) -> None:
    log, verify = AnswersLog(LocalStore(tmp_path)), SegmentLog.verify_segments
    log.append(answers(0, before))

    def verify_and_append(chain: SegmentLog, *, is_afresh: bool = False) -> object:
        found = verify(chain, is_afresh=is_afresh)
        monkeypatch.setattr(SegmentLog, "verify_segments", verify)
        for first in (3, 6):
            event_log._KNOWN.clear()
            AnswersLog(LocalStore(tmp_path)).append(answers(first, first + 3))
        return found

    event_log._KNOWN.clear()
    monkeypatch.setattr(SegmentLog, "verify_segments", verify_and_append)
    ask(log)
    assert log.head().sequence == before + 6


def test_an_empty_log_has_a_head_and_verifies(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    assert log.verify() == (0, "0" * 64)
    assert log.read().num_rows == 0


def test_an_answer_brought_twice_is_kept_once(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 3))
    assert log.append(answers(1, 5)) == (2, 2)
    assert log.read()["answer_id"].to_pylist() == ["a0", "a1", "a2", "a3", "a4"]


def test_an_answer_brought_twice_in_one_append_is_kept_once(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    assert log.append(pa.concat_tables([answers(0, 2), answers(0, 2)])) == (2, 2)


def test_an_answer_id_with_another_content_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 2))
    with pytest.raises(AnswerError, match="'a1' came again with another content"):
        log.append(pa.concat_tables([answers(7, 8), answers(1, 2, label="y")]))
    assert log.head().sequence == 2


def test_an_unknown_purpose_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match="purpose 'gold'"):
        AnswersLog(LocalStore(tmp_path)).append(answers(0, 1, purpose="gold"))


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match=r"\['label'\]"):
        AnswersLog(LocalStore(tmp_path)).append(answers(0, 1).drop_columns("label"))


def alter(path: Path, row: int, column: str, value: object) -> None:
    rows = pq.read_table(path).to_pylist()
    rows[row][column] = value
    pq.write_table(pa.Table.from_pylist(rows, schema=ANSWERS.schema), path)


@pytest.mark.parametrize(
    ("column", "value"), [("label", "y"), ("item_id", "i9"), ("annotator", "eve"), ("seconds_spent", 2.0)]
)
def test_an_altered_answer_is_found_and_named(tmp_path: Path, column: str, value: object) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 3))
    log.append(answers(3, 6))
    alter(Path(str(log.segments()[1])), 1, column, value)
    with pytest.raises(AnswerError, match="answer 5 was altered"):
        log.verify()


def test_a_log_cut_short_is_found_and_the_first_missing_answer_named(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 3))
    log.append(answers(3, 6))
    sorted(log.folder.glob("segment-*"))[1].unlink()
    for ask in (log.verify, lambda: log.append(answers(6, 7))):
        with pytest.raises(AnswerError, match=r"segment-000000000004\.parquet: .* answers from 4 to 6; restore it"):
            ask()
    (log.folder / "verified.json").unlink()  # nobody remembers the segment itself
    with pytest.raises(AnswerError, match="answers from 4 on were cut off"):
        log.verify()


def test_a_segment_missing_in_the_middle_is_found(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    for first in (0, 2, 4):
        log.append(answers(first, first + 2))
    Path(str(log.segments()[1])).unlink()
    with pytest.raises(AnswerError, match="expected answer 3, found 5"):
        log.verify()


def test_an_unreadable_segment_is_named(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 2))
    Path(str(log.segments()[0])).write_bytes(b"PAR1")
    with pytest.raises(AnswerError, match=r"segment-000000000001\.parquet"):
        log.verify()


def test_a_writer_killed_before_it_remembers_the_head_loses_nothing(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 2))
    head = (tmp_path / "answers" / "head.json").read_text()
    log.append(answers(2, 4))
    (tmp_path / "answers" / "head.json").write_text(head)
    assert log.verify().sequence == 4
    log.append(answers(4, 5))
    assert json.loads((tmp_path / "answers" / "head.json").read_text())["sequence"] == 5


def test_of_two_writers_one_wins_and_the_other_appends_what_is_new_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 2))
    stale, read = log._log.segments(), SegmentLog.segments
    AnswersLog(LocalStore(tmp_path)).append(answers(2, 4))

    def read_late(chain: SegmentLog) -> object:
        monkeypatch.setattr(SegmentLog, "segments", read)
        return stale

    monkeypatch.setattr(SegmentLog, "segments", read_late)
    assert log.append(answers(3, 6)) == (2, 1)
    assert log.read()["answer_id"].to_pylist() == [f"a{n}" for n in range(6)]
    monkeypatch.setattr(SegmentLog, "segments", lambda _: stale)
    with pytest.raises(AnswerError, match="other processes appended at the same time"):
        log.append(answers(6, 8))
    monkeypatch.setattr(SegmentLog, "segments", read)
    assert log.verify().sequence == 6


def test_an_append_killed_at_any_change_of_the_disk_is_completed_by_the_next(tmp_path: Path) -> None:
    log, kills = AnswersLog(LocalStore(tmp_path)), 0

    def append_more() -> None:
        log.append(answers(3 * kills, 3 * kills + 3))

    for _ in killed_at_each_change(append_more):
        assert log.verify().sequence in (3 * kills, 3 * kills + 3)
        append_more()
        kills += 1
        assert log.read()["answer_id"].to_pylist() == [f"a{n}" for n in range(3 * kills)]
        assert log.verify(is_afresh=True).sequence == 3 * kills
    assert kills >= 8


def test_a_log_in_memory_says_what_one_in_a_folder_says(tmp_path: Path) -> None:
    logs = [AnswersLog(store) for store in (MemoryStore(), LocalStore(tmp_path))]
    for log in logs:
        for first in range(0, 140, 2):
            log.append(answers(first, first + 3))
    one, other = logs
    assert one.read().equals(other.read())
    assert one.version("one", ["label"]) == other.version("one", ["label"])
    assert one.verify(is_afresh=True) == other.head()


@pytest.mark.parametrize("seed", range(4))
def test_every_answer_is_in_the_log_once_whatever_breaks_on_the_way(seed: int) -> None:
    store = MemoryStore()
    log = AnswersLog(FaultyStore(store, random.Random(seed), 0.1))
    for first in range(0, 30, 3):
        is_done = False
        while not is_done:
            with suppress(LostError, CupelError):
                log.append(answers(first, first + 3))
                is_done = True
    found = AnswersLog(store)
    assert found.read()["answer_id"].to_pylist() == [f"a{n}" for n in range(30)]
    assert found.verify(is_afresh=True).sequence == 30


def test_the_version_of_a_batch_changes_with_its_answers_and_with_no_others(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 2))
    one, two = log.version("one", ["label"]), log.version("two", ["label"])
    log.append(answers(3, 4))
    assert log.version("one", ["label"]) != one
    assert log.version("two", ["label"]) == two


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 12), max_size=6))
def test_however_answers_arrive_none_is_lost_or_doubled(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    log = AnswersLog(LocalStore(tmp_path_factory.mktemp("log")))
    for cut in cuts:
        log.append(answers(0, cut))
    assert log.read()["answer_id"].to_pylist() == [f"a{n}" for n in range(max(cuts, default=0))]
    log.verify()


def test_the_version_is_what_the_records_say(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 5))
    log.append(pa.concat_tables([answers(5, 8, purpose="audit"), answers(8, 9, purpose="expert"), answers(9, 12)]))
    for batch in ("one", "two", "three"):
        for purposes in (["label"], ["audit", "expert"], ["expert", "label"]):
            records = log.read(batch, purposes)
            last = records["hash"][-1].as_py() if records.num_rows else "0" * 64
            assert log.version(batch, purposes) == f"{records.num_rows}:{last}"


def test_some_columns_of_a_batch_are_read_without_the_others(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 5))
    log.append(answers(5, 8, purpose="audit", batch="two"))
    some = log.read("two", ["label"], ["label", "item_id"])
    assert some.to_pylist() == log.read("two", ["label"]).select(["label", "item_id"]).to_pylist()
    assert some["item_id"].to_pylist() == ["i0", "i2", "i4"]


def written_by_hand(rows: list[dict[str, Any]]) -> list[str]:
    """The chain's definition: SHA-256 of the hash before, the sequence number, and the values as JSON."""
    previous, hashes = "0" * 64, []
    for sequence, row in enumerate(rows, 1):
        values = [row[name] for name in GIVEN.names]
        content = json.dumps(values, default=lambda moment: moment.isoformat(), separators=(",", ":"))
        previous = hashlib.sha256(f"{previous}{sequence}{content}".encode()).hexdigest()
        hashes.append(previous)
    return hashes


row = st.fixed_dictionaries({
    "task_id": st.none() | st.text(max_size=3),
    "batch": st.sampled_from(["one", "two"]),
    "item_id": st.text(max_size=5),
    "purpose": st.sampled_from(["label", "audit", "expert"]),
    "annotator": st.none() | st.text(max_size=5),
    "label": st.none() | st.text(max_size=5),
    "seconds_spent": st.none() | st.floats(),
    "answered_at": st.none() | st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC)),
    "source": st.text(max_size=3),
})  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(row, max_size=12), st.integers(1, 4), st.data())
def test_the_chain_is_its_definition_whatever_the_answers_and_however_long_a_segment(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], records: int, data: st.DataObject
) -> None:
    given_rows = [{"answer_id": f"a{number}", **row} for number, row in enumerate(rows)]
    log = AnswersLog(LocalStore(tmp_path_factory.mktemp("log")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_module, "SEGMENT_RECORDS", records)
        patch.setattr(log_module, "PIECE_RECORDS", 2)
        patch.setattr(arriving, "SEARCHED_RECORDS", 3)
        table = pa.Table.from_pylist(given_rows, schema=GIVEN)
        first = data.draw(st.integers(0, len(rows)))
        assert log.append(table.slice(0, first)).written == first
        assert log.append(table) == (len(rows) - first, first)
    stored = log.read()
    assert stored["hash"].to_pylist() == written_by_hand(given_rows)
    assert stored["answer_id"].to_pylist() == [row["answer_id"] for row in given_rows]
    assert max((pq.read_metadata(str(path)).num_rows for path in log.segments()), default=0) <= records
    assert log.verify() == log.verify(is_afresh=True) == log.head()


def test_of_answers_that_contradict_the_log_the_first_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    log.append(answers(0, 6))
    again = pa.concat_tables([answers(6, 8), answers(6, 7, label="y"), answers(3, 5, label="y")])
    with pytest.raises(AnswerError, match="'a6' came again with another content"):
        log.append(again)
    with pytest.raises(AnswerError, match="'a3' came again with another content"):
        log.append(pa.concat_tables([answers(6, 8), answers(3, 5, label="y")]))
    assert log.head().sequence == 6


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"item_id": None}, "row 1: item_id is missing"),
        ({"answer_id": None}, "row 1: answer_id is missing"),
        ({"answered_at": datetime.max.replace(tzinfo=UTC)}, None),
    ],
)
def test_an_answer_that_lacks_what_names_it_is_refused(
    tmp_path: Path, changes: dict[str, object], said: str | None
) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    if said is None:
        assert log.append(answers(0, 1, **changes)).written == 1
        return
    with pytest.raises(AnswerError, match=said):
        log.append(answers(0, 1, **changes))
    assert not log.segments()


def test_a_time_beyond_the_calendar_and_a_text_that_is_none_are_refused_before_anything_is_written(
    tmp_path: Path,
) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    place = GIVEN.get_field_index("answered_at")
    far = answers(0, 1).set_column(place, "answered_at", pa.array([2**62], pa.int64()).cast(GIVEN.field(place).type))
    with pytest.raises(AnswerError, match="'a0': answered_at is not within the years 1 to 9999"):
        log.append(far)
    broken = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0"), pa.py_buffer(b"\xff")])
    with pytest.raises(AnswerError, match="answers to append"):
        log.append(answers(0, 1).set_column(GIVEN.get_field_index("label"), "label", broken))
    assert not log.segments()


def test_answers_stay_in_the_order_of_their_arrival_when_the_clock_jumps_back(tmp_path: Path) -> None:
    log = AnswersLog(LocalStore(tmp_path))
    moments = [datetime(2030, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)]
    for number, moment in enumerate(moments):
        log.append(answers(number, number + 1, answered_at=moment))
        for path in log.folder.iterdir():
            os.utime(path, (moment.timestamp(), moment.timestamp()))
        log.verify()
    assert log.read()["answered_at"].to_pylist() == moments
    assert AnswersLog(LocalStore(log.folder.parent)).append(answers(1, 2, answered_at=moments[1])) == (0, 1)


READERS = {
    "read": lambda log: log.read(),
    "version": lambda log: log.version("one", ["label"]),
    "head": lambda log: log.head(),
    "hash_at": lambda log: log.hash_at(1),
    "holds_hash": lambda log: log.holds_hash("f" * 64),
    "segments": lambda log: log.segments(),
    "append": lambda log: log.append(answers(9, 10)),
    "verify": lambda log: log.verify(),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("damage", ["gone", "cut", "flipped", "last gone", "head cut"])
def test_whoever_asks_the_log_anything_verifies_it_first(tmp_path: Path, reader: str, damage: str) -> None:
    for first in (0, 2, 4):
        AnswersLog(LocalStore(tmp_path)).append(answers(first, first + 2))
    AnswersLog(LocalStore(tmp_path)).read()  # verified: what happens afterwards is noticed by the same process
    _, second, last = sorted((tmp_path / "answers").glob("segment-*"))
    content = Path(second).read_bytes()
    if damage == "gone":
        second.unlink()
    elif damage == "last gone":
        last.unlink()
    elif damage == "head cut":
        (tmp_path / "answers" / "head.json").write_text("{")
    else:
        place = len(content) // 2
        Path(second).write_bytes(
            content[:place] + (b"" if damage == "cut" else bytes([content[place] ^ 1]) + content[place + 1 :])
        )
    with pytest.raises(AnswerError, match="restore"):
        READERS[reader](AnswersLog(LocalStore(tmp_path)))


def test_what_tells_the_damage_itself_reads_all_that_is_left_and_writes_nothing(tmp_path: Path) -> None:
    log, tolerant = AnswersLog(LocalStore(tmp_path)), AnswersLog(LocalStore(tmp_path), is_tolerant=True)
    for first in (0, 2, 4):
        log.append(answers(first, first + 2))
    head, hashes = log.head(), [log.hash_at(sequence) for sequence in range(7)]
    alter(sorted((tmp_path / "answers").glob("segment-*"))[1], 0, "label", "y")
    assert tolerant.head() == head
    assert [tolerant.hash_at(sequence) for sequence in range(7)] == hashes
    assert all(tolerant.holds_hash(hash_) for hash_ in hashes)
    assert tolerant.read()["label"].to_pylist() == ["x", "x", "y", "x", "x", "x"]
    assert tolerant.version("one", ["label"]) == f"3:{hashes[6]}"
    assert len(tolerant.segments()) == 3
    with pytest.raises(AnswerError, match="no answer 7; the log ends at 6"):
        tolerant.hash_at(7)
    for ask in (tolerant.verify, lambda: tolerant.append(answers(9, 10))):
        with pytest.raises(AnswerError, match="answer 3 was altered"):
            ask()


@pytest.mark.parametrize("before", [0, 2])
def test_answers_that_arrive_while_a_log_is_verified_are_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    if before:
        AnswersLog(LocalStore(tmp_path)).append(answers(0, before))
    verify_segments, arriving_now = SegmentLog.verify_segments, [answers(6, 8), answers(8, 9)]

    def verify_while_answers_arrive(chain: SegmentLog, *, is_afresh: bool = False) -> Any:
        found = verify_segments(chain, is_afresh=is_afresh)
        while arriving_now:
            AnswersLog(LocalStore(tmp_path)).append(arriving_now.pop())
        return found

    monkeypatch.setattr(SegmentLog, "verify_segments", verify_while_answers_arrive)
    assert AnswersLog(LocalStore(tmp_path)).verify().sequence == before
    assert AnswersLog(LocalStore(tmp_path)).head().sequence == before + 3


@pytest.mark.parametrize("head", ["{", None])
def test_a_log_that_nobody_verified_does_not_become_known_by_asking_while_its_head_is_lost(
    tmp_path: Path, head: str | None
) -> None:
    folder = tmp_path / "answers"
    for first in (0, 2, 4):
        AnswersLog(LocalStore(tmp_path)).append(answers(first, first + 2))
    sorted(folder.glob("segment-*"))[-1].unlink()
    (folder / "verified.json").unlink()
    (folder / "head.json").unlink() if head is None else (folder / "head.json").write_text(head)
    with pytest.raises(AnswerError, match="restore"):
        AnswersLog(LocalStore(tmp_path)).verify()
    with pytest.raises(AnswerError, match="nobody remembers how far"):
        AnswersLog(LocalStore(tmp_path)).restore_head()
