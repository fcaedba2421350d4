"""The machine's clock: what it dated in the future, while it was ahead, is dated back, so that Dagster goes on."""

import time
from typing import Any

import dagster as dg

from orchestration.dagster_internals import InstigatorState, ScheduleInstigatorData, SensorInstigatorData

# Clocks of two programs on one machine differ by less.
SECONDS_AHEAD = 60
_TIMES: dict[type[Any], tuple[str, ...]] = {
    SensorInstigatorData: (
        "last_tick_timestamp", "last_tick_start_timestamp", "last_tick_success_timestamp",
        "last_sensor_start_timestamp",
    ),
    ScheduleInstigatorData: ("start_timestamp", "last_iteration_timestamp"),
}  # fmt: skip


def correct_future_ticks(instance: dg.DagsterInstance, now: float | None = None) -> list[str]:
    """Date back what sensors and schedules did in the future, for they wait until their last tick is past.

    A clock that was a year ahead for a minute would leave them waiting for a year.

    Args:
        instance: Dagster's instance.
        now: Seconds since 1970; None for the time now.

    Returns:
        The sensors and schedules that had waited, by name.
    """
    now = time.time() if now is None else now
    return sorted(state.instigator_name for state in instance.all_instigator_state() if _correct(instance, state, now))


def _correct(instance: dg.DagsterInstance, state: InstigatorState, now: float) -> bool:
    ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, after=now + SECONDS_AHEAD)
    for tick in ticks:
        instance.update_tick(tick._replace(tick_data=tick.tick_data._replace(timestamp=now)))
    data: Any = state.instigator_data
    names = _TIMES.get(type(data), ())
    times = {name: now for name in names if (getattr(data, name) or 0) > now + SECONDS_AHEAD}
    if times:
        instance.update_instigator_state(state.with_data(data._replace(**times)))
    return bool(ticks or times)


class ClockWatch:
    """Tells whether the clock was set back since somebody looked last."""

    def __init__(self) -> None:
        self._offset = self._measure()

    def was_set_back(self) -> bool:
        """Tell whether it was set back by more than a minute; a clock that was set forward harms nothing."""
        before, self._offset = self._offset, self._measure()
        return self._offset < before - SECONDS_AHEAD

    def _measure(self) -> float:
        return time.time() - time.monotonic()
