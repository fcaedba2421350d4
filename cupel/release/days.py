"""Days: on which day a release was frozen; recorded once, so that what its terms are held to does not move."""

from datetime import UTC, date, datetime

from cupel.lake.lake import Lake
from cupel.store.event_log import Event

DAYS = "days"


def recorded_day(lake: Lake, release: str, today: date | None = None) -> date:
    """Return the day of a release, which is recorded where none was yet; of two that record, one wins.

    Args:
        lake: The project's lake.
        release: The release's name.
        today: The day to record; None: today, in UTC.
    """
    lake.partition_folder("release_plan", release)  # checks the name
    log, day = lake.log(DAYS), (today or datetime.now(UTC).date()).isoformat()

    def record(there: list[Event]) -> list[Event]:
        return [] if any(one["release"] == release for one in there) else [{"release": release, "day": day}]

    log.append(record)
    return date.fromisoformat(next(one["day"] for one in log.read() if one["release"] == release))
