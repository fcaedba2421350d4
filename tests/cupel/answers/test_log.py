import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cupel.answers.log import AnswersLog
from cupel.errors import AnswerError
from cupel.tables import ANSWERS

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
    log = AnswersLog(tmp_path / "answers")
    assert log.append(answers(0, 3)) == (3, 0)
    assert log.append(answers(3, 5)) == (2, 0)
    assert log.read()["sequence"].to_pylist() == [1, 2, 3, 4, 5]
    assert log.verify() == log.head()


def test_an_empty_log_has_a_head_and_verifies(tmp_path: Path) -> None:
    log = AnswersLog(tmp_path / "answers")
    assert log.verify() == (0, "0" * 64)
    assert log.read().num_rows == 0


def test_an_answer_brought_twice_is_kept_once(tmp_path: Path) -> None:
    log = AnswersLog(tmp_path / "answers")
    log.append(answers(0, 3))
    assert log.append(answers(1, 5)) == (2, 2)
    assert log.read()["answer_id"].to_pylist() == ["a0", "a1", "a2", "a3", "a4"]


def test_an_answer_brought_twice_in_one_append_is_kept_once(tmp_path: Path) -> None:
    log = AnswersLog(tmp_path / "answers")
    assert log.append(pa.concat_tables([answers(0, 2), answers(0, 2)])) == (2, 2)


def test_an_answer_id_with_another_content_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    log = AnswersLog(tmp_path / "answers")
    log.append(answers(0, 2))
    with pytest.raises(AnswerError, match="'a1' came again with another content"):
        log.append(pa.concat_tables([answers(7, 8), answers(1, 2, label="y")]))
    assert log.head().sequence == 2


def test_an_unknown_purpose_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match="purpose 'gold'"):
        AnswersLog(tmp_path / "answers").append(answers(0, 1, purpose="gold"))


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(AnswerError, match=r"\['label'\]"):
        AnswersLog(tmp_path / "answers").append(answers(0, 1).drop_columns("label"))


def alter(path: Path, row: int, column: str, value: object) -> None:
    rows = pq.read_table(path).to_pylist()
    rows[row][column] = value
    pq.write_table(pa.Table.from_pylist(rows, schema=ANSWERS.schema), path)


@pytest.mark.parametrize(
    ("column", "value"), [("label", "y"), ("item_id", "i9"), ("annotator", "eve"), ("seconds_spent", 2.0)]
)
def test_an_altered_answer_is_found_and_named(tmp_path: Path, column: str, value: object) -> None:
    log = AnswersLog(tmp_path / "answers")
    log.append(answers(0, 3))
    log.append(answers(3, 6))
    alter(Path(log.segments()[1]), 1, column, value)
    with pytest.raises(AnswerError, match="answer 5 was altered"):
        log.verify()


def test_a_log_cut_short_is_found_and_the_first_missing_answer_named(tmp_path: Path) -> None:
    log = AnswersLog(tmp_path / "answers")
    log.append(answers(0, 3))
    log.append(answers(3, 6))
    log.segments()[1].unlink()
    with pytest.raises(AnswerError, match="answers from 4 on were cut off"):
        log.verify()
    with pytest.raises(AnswerError, match="answers from 4 on were cut off"):
        log.append(answers(6, 7))


def test_a_segment_missing_in_the_middle_is_found(tmp_path: Path) -> None:
    log = AnswersLog(tmp_path / "answers")
    for first in (0, 2, 4):
        log.append(answers(first, first + 2))
    log.segments()[1].unlink()
    with pytest.raises(AnswerError, match="expected answer 3, found 5"):
        log.verify()


def test_an_unreadable_segment_is_named(tmp_path: Path) -> None:
    log = AnswersLog(tmp_path / "answers")
    log.append(answers(0, 2))
    Path(log.segments()[0]).write_bytes(b"PAR1")
    with pytest.raises(AnswerError, match=r"segment-000000000001\.parquet"):
        log.verify()


def test_a_writer_killed_before_it_remembers_the_head_loses_nothing(tmp_path: Path) -> None:
    log = AnswersLog(tmp_path / "answers")
    log.append(answers(0, 2))
    head = (tmp_path / "answers" / "head.json").read_text()
    log.append(answers(2, 4))
    (tmp_path / "answers" / "head.json").write_text(head)
    assert log.verify().sequence == 4
    log.append(answers(4, 5))
    assert json.loads((tmp_path / "answers" / "head.json").read_text())["sequence"] == 5


def test_of_two_writers_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    log = AnswersLog(tmp_path / "answers")
    log.append(answers(0, 2))
    late = AnswersLog(tmp_path / "answers")
    stale = late.head()
    log.append(answers(2, 4))
    late.head = lambda: stale  # type: ignore[method-assign]
    with pytest.raises(AnswerError, match=r"another process|were cut off"):
        late.append(answers(4, 6))
    assert log.verify().sequence == 4


def test_the_version_of_a_batch_changes_with_its_answers_and_with_no_others(tmp_path: Path) -> None:
    log = AnswersLog(tmp_path / "answers")
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
    log = AnswersLog(tmp_path_factory.mktemp("log") / "answers")
    for cut in cuts:
        log.append(answers(0, cut))
    assert log.read()["answer_id"].to_pylist() == [f"a{n}" for n in range(max(cuts, default=0))]
    log.verify()
