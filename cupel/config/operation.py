"""The project file's section `operation`: when the daemon works on the project, whom it tells, what it removes."""

import re
import zoneinfo
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from cupel.config.base import Section

CRON_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6))  # minute, hour, day, month, weekday


def check_cron(text: str) -> str:
    """Return the text if it is a time table of five fields, as cron reads them.

    Raises:
        ValueError: It is not.

    >>> check_cron("0 6 * * 1-5")
    '0 6 * * 1-5'
    """
    fields = text.split()
    if len(fields) != len(CRON_FIELDS) or not all(map(_is_cron_field, fields, CRON_FIELDS)):
        raise ValueError(f"{text!r} is no time table; give minute, hour, day, month and weekday, such as '0 6 * * *'")
    return text


def _is_cron_field(field: str, limits: tuple[int, int]) -> bool:
    parts = [re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?", part) for part in field.split(",")]
    numbers = [int(number) for part in parts if part for number in part.groups()[:2] if number]
    return all(parts) and all(limits[0] <= number <= limits[1] for number in numbers)


def check_timezone(text: str) -> str:
    """Return the text if it is a time zone's name.

    Raises:
        ValueError: It is not.
    """
    try:
        zoneinfo.ZoneInfo(text)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ValueError(f"{text!r} is no time zone; give a name such as UTC or Europe/Berlin") from None
    return text


Cron = Annotated[str, AfterValidator(check_cron)]
Timezone = Annotated[str, AfterValidator(check_timezone)]


AlertKind = Literal["broken", "gate_failed", "refused", "certified", "open"]


class Alerts(Section):
    """Whom to tell when something broke, a gate closed, or a release was certified or refused."""

    kinds: tuple[AlertKind, ...] = ("broken", "gate_failed", "refused", "certified")
    """What is told; `open` tells of questions that nobody has answered yet. All but `open` are in the record anyway."""

    command: tuple[str, ...] = ()
    """Program and arguments; it gets the alert as JSON on its standard input. Empty: none."""
    webhook: str | None = Field(None, pattern="^https?://")
    """URL that the alert is posted to as JSON; null: none."""
    webhook_env: str | None = Field(None, pattern="^[A-Z][A-Z0-9_]*$")
    """Environment variable that holds the URL instead, where it is a secret; null: none."""


class Prune(Section):
    """What is removed of what nothing needs any more, and when; see `cupel prune`."""

    at: Cron | None = "30 3 * * *"
    """When the daemon removes it: minute, hour, day, month, weekday; null: only `cupel prune` does."""
    parts_hours: Annotated[float, Field(ge=0.25)] = 24
    """Hours for which a part of a table stays after a newer one has taken its place: a reader may have it open."""
    runs_days: Annotated[float, Field(ge=1)] = 30
    """Days for which a finished run stays in Dagster's record, and ticks of schedules and sensors."""
    runs_kept: Annotated[int, Field(ge=1)] = 200
    """Most finished runs that stay, however new; what the page shows of each table's latest state stays besides."""


class Operation(Section):
    """When the daemon works on the project, whom it tells, and what it removes."""

    collect: Cron = "0 6 * * *"
    """When answers are collected and what broke is tried again: minute, hour, day, month, weekday."""
    release: Cron | None = None
    """When releases are proposed of what is new or has changed; null: a batch's first as soon as it is ready."""
    timezone: Timezone = "UTC"
    """Time zone of these."""
    fresh_hours: Annotated[float, Field(gt=0)] | None = None
    """Hours after which the page shows that no answers were collected; null: it does not say."""
    delivery_hours: Annotated[float, Field(gt=0)] | None = None
    """Hours after which the page shows that no delivery came; null: it does not say."""
    alerts: Alerts = Alerts()
    """Whom to tell."""
    prune: Prune = Prune()
    """What is removed of what nothing needs any more, and when."""
