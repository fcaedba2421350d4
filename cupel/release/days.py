"""Days: on which day a release was frozen; recorded once, so that what its terms are held to does not move."""

import json
from contextlib import suppress
from datetime import UTC, date, datetime

from cupel.errors import ReleaseError, SourceError
from cupel.lake import Lake
from cupel.sources.register import create_file

DAYS = "days"


def recorded_day(lake: Lake, release: str, today: date | None = None) -> date:
    """Return the day of a release, which is recorded where none was yet; of two that record, one wins.

    Args:
        lake: The project's lake.
        release: The release's name.
        today: The day to record; None: today, in UTC.

    Raises:
        ReleaseError: What is recorded is no day.
    """
    lake.partition_folder("release_plan", release)  # checks the name
    path = lake.folder / DAYS / f"{release}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        content = {"release": release, "day": (today or datetime.now(UTC).date()).isoformat()}
        with suppress(SourceError):  # another process recorded it in between
            create_file(path, (json.dumps(content, sort_keys=True) + "\n").encode())
    try:
        return date.fromisoformat(json.loads(path.read_bytes())["day"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ReleaseError(f"{path}: it does not say the release's day: {error}; restore it from a copy") from None
