"""The day of a release: recorded once, and the same ever after."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cupel.errors import LakeError
from cupel.lake.lake import Lake
from cupel.release.days import recorded_day
from cupel.store.event_log import BrokenLogError, EventLog
from cupel.store.local import LocalStore


def test_the_first_day_that_is_recorded_stays(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "small")
    assert recorded_day(lake, "one-r1", date(2026, 1, 31)) == date(2026, 1, 31)
    assert recorded_day(lake, "one-r1", date(2027, 1, 31)) == date(2026, 1, 31)
    assert recorded_day(lake, "one-r2", date(2027, 1, 31)) == date(2027, 1, 31)


def test_without_a_day_today_is_recorded(tmp_path: Path) -> None:
    before = datetime.now(UTC).date()
    assert before <= recorded_day(Lake(tmp_path, "small"), "one-r1") <= datetime.now(UTC).date()


def test_of_two_that_record_a_day_one_wins(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    days = [date(2026, 1, number) for number in range(1, 9)]
    with ThreadPoolExecutor(len(days)) as threads:
        found = set(threads.map(lambda day: recorded_day(Lake(tmp_path, "small"), "one-r1", day), days))
    assert len(found) == 1
    assert len(EventLog(LocalStore(folder), "days").read()) == 1


def test_a_day_that_was_altered_is_not_believed(tmp_path: Path) -> None:
    recorded_day(Lake(tmp_path, "small"), "one-r1", date(2026, 1, 31))
    (segment,) = (tmp_path / "small" / "days").glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"2026-01-31", b"2026-01-30"))
    with pytest.raises(BrokenLogError, match="altered"):
        recorded_day(Lake(tmp_path, "small"), "one-r1")


def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LakeError):
        recorded_day(Lake(tmp_path, "small"), "../one-r1")
