"""The day of a release: recorded once, and the same ever after."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from cupel.errors import LakeError, ReleaseError
from cupel.lake import Lake
from cupel.release.days import recorded_day


def test_the_first_day_that_is_recorded_stays(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "small")
    assert recorded_day(lake, "one-r1", date(2026, 1, 31)) == date(2026, 1, 31)
    assert recorded_day(lake, "one-r1", date(2027, 1, 31)) == date(2026, 1, 31)
    assert recorded_day(lake, "one-r2", date(2027, 1, 31)) == date(2027, 1, 31)


def test_without_a_day_today_is_recorded(tmp_path: Path) -> None:
    before = datetime.now(UTC).date()
    assert before <= recorded_day(Lake(tmp_path, "small"), "one-r1") <= datetime.now(UTC).date()


@pytest.mark.parametrize("content", ["", "{}", '{"day": "soon"}', '{"day": 7}', "[]"])
def test_a_record_that_says_no_day_is_an_error_with_its_file(tmp_path: Path, content: str) -> None:
    lake = Lake(tmp_path, "small")
    recorded_day(lake, "one-r1")
    (tmp_path / "small" / "days" / "one-r1.json").write_text(content)
    with pytest.raises(ReleaseError, match=r"one-r1.json: it does not say the release's day"):
        recorded_day(lake, "one-r1")


def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LakeError):
        recorded_day(Lake(tmp_path, "small"), "../one-r1")
