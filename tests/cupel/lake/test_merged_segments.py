"""A log of many small segments is read from merged copies, and says the same."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from cupel.contract.tables.answers import ANSWERS
from cupel.lake import answers_log as log_module
from cupel.lake import merged_segments as merged
from cupel.lake.answer_segments import File
from cupel.lake.answers_log import AnswersLog
from cupel.lake.verified_segments import AnswerSegments
from cupel.store.event_log import SegmentLog
from cupel.store.local import LocalStore

GIVEN = pa.schema([field for field in ANSWERS.schema if field.name not in ("sequence", "hash")])


def answers(first: int, last: int) -> pa.Table:
    rows = [
        {
            "answer_id": f"a{n}", "task_id": None, "batch": "one" if n % 2 else "two", "item_id": f"i{n}",
            "purpose": "label" if n % 3 else "expert", "annotator": None, "label": "x", "seconds_spent": 1.5,
            "answered_at": None, "source": "test",
        }
        for n in range(first, last)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=GIVEN)


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AnswersLog:
    """Eleven segments of two answers, of which two runs of four are merged."""
    monkeypatch.setattr(merged, "SEGMENTS_MERGED", 4)
    found = AnswersLog(LocalStore(tmp_path))
    for first in range(0, 22, 2):
        found.append(answers(first, first + 2))
    return found


def folders(log: AnswersLog) -> list[str]:
    """Return the folders of the files that a log is read from."""
    return [Path(str(path)).parent.name for path in log._pieces()]


def said(log: AnswersLog) -> list[object]:
    read = [log.read(batch, purposes) for batch in (None, "one", "two") for purposes in (["label"], ["expert"])]
    versions = [log.version(batch, ["label", "expert"]) for batch in ("one", "two", "three")]
    return [*(table.to_pylist() for table in read), *versions, log.append(answers(3, 19)), log.verify(is_afresh=True)]


def unmerged(log: AnswersLog, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what a log says that knows no merged copies."""
    with monkeypatch.context() as patch:
        patch.setattr(log_module, "pieces", lambda store, folder, segments: [File(store, one.name) for one in segments])
        return said(AnswersLog(LocalStore(log.folder.parent)))


def test_a_merged_log_says_what_its_segments_say(log: AnswersLog, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folders(log) == ["merged"] * 2 + ["answers"] * 3
    assert said(log) == unmerged(log, monkeypatch)
    assert len(log.segments()) == 11


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


SPOILT: dict[str, Callable[[Path], object]] = {
    "flipped": flip, "emptied": lambda path: path.write_bytes(b""), "cut": lambda path: os.truncate(path, 500),
    "deleted": Path.unlink,
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILT)
def test_a_copy_that_was_altered_is_not_read_and_made_again(
    log: AnswersLog, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = sorted((log.folder / "merged").iterdir())[0]
    SPOILT[how](Path(str(first)))
    assert said(log) == unmerged(log, monkeypatch)
    log.append(answers(50, 51))
    assert folders(log) == ["merged"] * 3
    assert said(log) == unmerged(log, monkeypatch)


def test_a_copy_of_segments_that_are_others_is_not_read(log: AnswersLog) -> None:
    chain = SegmentLog(LocalStore(log.folder.parent), "answers", AnswerSegments()).segments()
    chain[5] = chain[5]._replace(sha256="f" * 64)
    pieces = merged.pieces(LocalStore(log.folder.parent), "answers", chain)
    assert [Path(str(path)).parent.name for path in pieces] == ["merged"] + ["answers"] * 7


def test_a_copy_of_segments_that_are_in_another_place_now_is_read_there(log: AnswersLog, tmp_path: Path) -> None:
    shutil.copytree(log.folder, tmp_path / "elsewhere" / "answers")
    assert folders(AnswersLog(LocalStore(tmp_path / "elsewhere"))) == ["merged"] * 2 + ["answers"] * 3


def test_a_log_that_cannot_be_written_to_is_read_without_copies(log: AnswersLog) -> None:
    there = log.folder / "merged"
    for path in there.iterdir():
        path.unlink()
    there.rmdir()
    Path(str(there)).write_text("no folder")
    log.append(answers(60, 61))
    assert log.read().num_rows == 23
