"""Answers: whatever a file or a workforce brings, the log keeps what it took, and sees when it was altered."""

import csv
import io
import json
import math
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hostile.cases import cases, is_clear
from hostile.nonsense import any_texts, damaged, texts
from hypothesis import example, given
from hypothesis import strategies as st

from cupel.contract.table import empty
from cupel.contract.tables.answers import ANSWERS
from cupel.contract.tables.tasks import TASKS
from cupel.errors import AnswerError, CupelError
from cupel.lake.answers_log import PURPOSES, AnswersLog
from cupel.people.answers.annotations import REASONS, annotations, expert_answers, keep_classes
from cupel.people.answers.recorded import RecordedWorkforce, read_gold
from cupel.store.local import LocalStore

GIVEN = pa.schema([field.with_nullable(True) for field in ANSWERS.schema if field.name not in ("sequence", "hash")])
RECORDED_COLUMNS = ("batch", "item_id", "purpose", "annotator", "label", "seconds_spent")
BAD_HEADS = [
    b"null", b"[]", b"1", b"{}", b'{"sequence": 1}', b"[" * 5_000, b"\xff", b'{"sequence": 6, "hash": {}}',
    b'{"sequence": 1e400, "hash": ""}', b'{"sequence": null, "hash": null}',
]  # fmt: skip
LAST_MICROSECOND = 253_402_300_799_999_999  # of the year 9999

some_text = st.one_of(texts(8), st.sampled_from(["one", "two", "a", "b"]))
maybe = st.one_of(st.none(), some_text)
moments = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(0, LAST_MICROSECOND))
answer_rows = st.lists(
    st.fixed_dictionaries(
        {
            "answer_id": st.one_of(some_text, st.none()),
            "task_id": maybe,
            "batch": st.one_of(some_text, st.none()),
            "item_id": some_text,
            "purpose": st.sampled_from([*PURPOSES, "label", "label", "", "other", "\0"]),
            "annotator": maybe,
            "label": maybe,
            "seconds_spent": st.one_of(st.none(), st.floats(), st.sampled_from([math.nan, math.inf, -0.0, 5e-324])),
            "answered_at": moments,
            "source": some_text,
        }
    ),
    max_size=4,
)


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Make a table whose times may be out of Python's range."""
    columns = []
    for field in GIVEN:
        values = [row[field.name] for row in rows]
        kind = pa.int64() if field.name == "answered_at" else field.type
        array = pa.array(values, kind)
        columns.append(array.view(field.type) if field.name == "answered_at" else array)
    return pa.Table.from_arrays(columns, schema=GIVEN)


def content(log: AnswersLog) -> str:
    """Return what a log holds, so that any difference shows."""
    read = log.read()
    times = read["answered_at"].cast(pa.int64())
    return repr(read.set_column(read.column_names.index("answered_at"), "answered_at", times).to_pylist())


@cases(200)
@given(st.lists(answer_rows, min_size=1, max_size=3))
@example([[{name: None for name in GIVEN.names} | {"answer_id": "a", "batch": "b", "item_id": "i", "purpose": "label",
                                                    "source": "s", "answered_at": 2**62}]])  # fmt: skip
def test_what_the_log_takes_it_holds_and_what_it_refuses_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, appends: list[list[dict[str, Any]]]
) -> None:
    log = AnswersLog(LocalStore(tmp_path_factory.mktemp("log")))
    kept = 0
    for rows in appends:
        before = content(log)
        try:
            appended = log.append(table(rows))
        except CupelError as error:
            is_clear(error)
            assert content(log) == before
            continue
        assert appended.written + appended.known == len(rows)
        assert content(log).startswith(before[:-1])
        kept += appended.written
        again = log.append(table(rows))
        assert (again.written, again.known) == (0, len(rows))
    assert log.verify().sequence == log.read().num_rows == kept
    shutil.rmtree(log.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of three segments, six answers."""
    log = AnswersLog(LocalStore(tmp_path_factory.mktemp("written")))
    for start in (0, 3, 5):
        rows = [
            dict.fromkeys(GIVEN.names, f"v{number}") | {"purpose": "label", "seconds_spent": 1.5 + number,
                                                         "answered_at": 10**15 + number}
            for number in range(start, {0: 3, 3: 5, 5: 6}[start])
        ]  # fmt: skip
        log.append(table(rows))
    log.verify()
    return log.folder


def log_in(folder: Path) -> AnswersLog:
    return AnswersLog(LocalStore(folder.parent), folder.name)


def copied(written: Path, target: Path) -> tuple[AnswersLog, list[Path]]:
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(written, target)
    log = log_in(target)
    return log, [Path(str(path)) for path in log.segments()]


def is_seen_or_harmless(log: AnswersLog, before: str) -> None:
    """An alteration is an error that names the log, or nothing of the answers has changed."""
    try:
        log.verify()
        log.verify(is_afresh=True)
        after = content(log)
    except AnswerError as error:
        is_clear(error, str(log.folder))
    else:
        assert after == before


@cases(400)
@given(st.integers(0, 2), st.integers(0, 2**32))
def test_a_damaged_segment_is_seen(written: Path, tmp_path: Path, which: int, seed: int) -> None:
    before = content(log_in(written))
    log, segments = copied(written, tmp_path / "log")
    segments[which].write_bytes(damaged(segments[which].read_bytes(), seed))
    is_seen_or_harmless(log, before)


@cases(250)
@given(
    st.integers(0, 2), st.sampled_from(ANSWERS.schema.names), st.integers(0, 2), maybe, st.integers(-(2**63), 2**63 - 1)
)
def test_a_rewritten_record_is_seen(
    written: Path, tmp_path: Path, which: int, column: str, row: int, text: str | None, number: int
) -> None:
    before = content(log_in(written))
    log, segments = copied(written, tmp_path / "log")
    records = pq.read_table(segments[which])
    place = records.column_names.index(column)
    kind = records.schema.field(column).type
    values = (
        records[column].cast(pa.int64()).to_pylist() if pa.types.is_timestamp(kind) else records[column].to_pylist()
    )
    new = text if pa.types.is_string(kind) else float(number) if pa.types.is_floating(kind) else number
    values[row % len(values)] = new
    array = pa.array(values, pa.int64()).view(kind) if pa.types.is_timestamp(kind) else pa.array(values, kind)
    pq.write_table(records.set_column(place, pa.field(column, kind), array), segments[which])
    is_seen_or_harmless(log, before)


@cases(100)
@given(st.permutations([0, 1, 2]), st.sets(st.integers(0, 2)), st.booleans())
def test_segments_lost_swapped_or_doubled_are_seen(
    written: Path, tmp_path: Path, order: list[int], lost: set[int], is_doubled: bool
) -> None:
    before = content(log_in(written))
    log, segments = copied(written, tmp_path / "log")
    contents = [path.read_bytes() for path in segments]
    for path, source in zip(segments, order, strict=True):
        path.write_bytes(contents[source])
    for place in lost:
        segments[place].unlink()
    if is_doubled:
        (Path(str(log.folder)) / "segment-000000000099.parquet").write_bytes(contents[order[0]])
    is_seen_or_harmless(log, before)


@cases(300)
@given(
    st.one_of(
        st.binary(max_size=20),
        st.integers(0, 2**32),
        st.builds(
            lambda sequence, digest: json.dumps({"sequence": sequence, "hash": digest}).encode(),
            st.one_of(st.integers(), st.floats(), texts(4), st.none(), st.booleans(), st.just([])),
            st.one_of(texts(4), st.none(), st.integers()),
        ),
        st.sampled_from(BAD_HEADS),
    )
)
def test_an_edited_head_is_seen_or_harmless(written: Path, tmp_path: Path, head: bytes | int) -> None:
    before = content(log_in(written))
    log, _ = copied(written, tmp_path / "log")
    path = tmp_path / "log" / "head.json"
    path.write_bytes(damaged(path.read_bytes(), head) if isinstance(head, int) else head)
    is_seen_or_harmless(log, before)


@cases(200)
@given(st.integers(0, 2), st.integers(0, 2**32), answer_rows)
def test_an_append_to_a_damaged_log_keeps_what_was_there(
    written: Path, tmp_path: Path, which: int, seed: int, rows: list[dict[str, Any]]
) -> None:
    log, segments = copied(written, tmp_path / "log")
    segments[which].write_bytes(damaged(segments[which].read_bytes(), seed))
    files = {path.name: path.read_bytes() for path in segments}
    try:
        log.append(table(rows))
    except CupelError as error:
        is_clear(error)
    assert {name: (tmp_path / "log" / name).read_bytes() for name in files} == files


@cases(400)
@given(answer_rows, st.lists(some_text, max_size=4), st.booleans())
def test_every_answer_counts_or_is_rejected_with_a_reason(
    rows: list[dict[str, Any]], names: list[str], is_known: bool
) -> None:
    given_rows = [
        row | {"batch": "one", "answer_id": f"{number}", "answered_at": number} for number, row in enumerate(rows)
    ]
    columns = {
        "sequence": pa.array(range(1, len(rows) + 1), pa.int64()),
        "hash": pa.array([""] * len(rows), pa.string()),
    }
    given_table = table(given_rows)
    for name, array in columns.items():
        given_table = given_table.append_column(name, array)
    answers = given_table.select(ANSWERS.schema.names)
    items = ["a", "b", *names]
    parse = partial(keep_classes, classes=items)
    for kept, rejected in (annotations(answers, items, parse, is_known), expert_answers(answers, items, parse)):
        sequences = kept["sequence"].to_pylist() + rejected["sequence"].to_pylist()
        assert sorted(sequences) == list(range(1, len(rows) + 1))
        assert set(rejected["reason"].to_pylist()) <= set(REASONS)
        assert all(len(said or "") <= 200 for said in rejected["evidence"].to_pylist())


recorded_cells = st.one_of(any_texts(6), st.sampled_from(["one", "i1", "label", "expert", "a", "1.5", "nan", ""]))


@cases(600)
@given(
    st.lists(st.lists(recorded_cells, max_size=7), max_size=5),
    st.permutations(RECORDED_COLUMNS),
    st.integers(4, 7),
    st.booleans(),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
@example([["one", "i1", "label", "\x00", "a", "1e999"]], list(RECORDED_COLUMNS), 6, False, csv.QUOTE_ALL)
def test_a_csv_file_of_answers_is_read_or_refused_by_name(
    tmp_path: Path, rows: list[list[str]], header: list[str], width: int, is_plain: bool, quoting: int
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(header[:width])
    if is_plain:
        out.write("\n".join(",".join(row) for row in rows))
    else:
        writer.writerows(row[:width] + ["one"] * (min(width, 6) - len(row)) for row in rows)
    is_read_or_refused(tmp_path / "answers.csv", out.getvalue().encode("utf-8", "surrogatepass"))


GOOD_CSV = b"batch,item_id,purpose,annotator,label,seconds_spent\n" + b"".join(
    b'one,"i%d",label,ann,"a, b",%d.5\none,i%d,expert,,c,\n' % (number, number, number) for number in range(8)
)
SINK = pa.BufferOutputStream()
pq.write_table(pa_csv.read_csv(pa.BufferReader(GOOD_CSV)), SINK)
GOOD_PARQUET = SINK.getvalue().to_pybytes()


@cases(900)
@given(st.integers(0, 2**32), st.sampled_from([("answers.csv", GOOD_CSV), ("answers.parquet", GOOD_PARQUET)]))
@example(37430246, ("answers.parquet", GOOD_PARQUET))
def test_a_damaged_file_of_answers_is_read_or_refused_by_name(
    tmp_path: Path, seed: int, file: tuple[str, bytes]
) -> None:
    is_read_or_refused(tmp_path / file[0], damaged(file[1], seed))


def is_read_or_refused(path: Path, bytes_: bytes) -> None:
    path.write_bytes(bytes_)
    for gold in (True, False):
        try:
            if gold:
                read_gold(path, "one").to_pylist()
                continue
            workforce = RecordedWorkforce([path])
            assert workforce.answer(empty(TASKS)).num_rows == 0
            unasked = [workforce.unasked(batch, set()) for batch in workforce.batches()]
        except AnswerError as error:
            is_clear(error, str(path))
            continue
        for answers in unasked:
            assert set(answers["purpose"].to_pylist()) <= {"label", "expert"}
            assert len(set(answers["answer_id"].to_pylist())) == answers.num_rows
