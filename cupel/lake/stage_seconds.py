"""How long the stages took: kept beside the tables, never in a hash."""

from collections.abc import Iterable, Mapping
from typing import Any

from cupel.lake.lake import Lake
from cupel.store.sealed import open_sealed, seal_json
from cupel.store.store import MissingError

RUN = "run.json"
CPU = "cpu"


def read_seconds(lake: Lake, partitions: Iterable[str]) -> dict[str, float]:
    """Return the seconds of each stage's last run, added up over batches and releases."""
    content = _read(lake, RUN)
    total: dict[str, float] = {}
    for partition in partitions:
        for stage, seconds in content.get(partition, {}).items():
            total[stage] = total.get(stage, 0.0) + seconds
    return total


def add_seconds(lake: Lake, partition: str, seconds: Mapping[str, float], *, is_new: bool) -> None:
    """Remember what a run took; a run of a later round adds to those before it.

    Args:
        lake: The project's lake.
        partition: Batch or release.
        seconds: By stage.
        is_new: The partition's first run of these rounds: what was remembered is dropped.
    """
    content = _read(lake, RUN)
    stages = {} if is_new else content.get(partition, {})
    for stage, value in seconds.items():
        stages[stage] = round(stages.get(stage, 0.0) + value, 3)
    content[partition] = stages
    lake.store.put(RUN, seal_json(content))


def put_cpu(lake: Lake, partition: str, step: str, stage: str, run_id: str, seconds: float) -> None:
    """Remember the CPU seconds of a step in one run; whoever calls it holds the partition's claim.

    Args:
        lake: The project's lake.
        partition: Batch or release.
        step: Name of the step.
        stage: Its stage.
        run_id: The run; of a step that a run repeats, the last try counts.
        seconds: Of all threads of the process.
    """
    name = f"{CPU}/{partition}.json"
    content = _read(lake, name)
    content[step] = [stage, _by_run(content.get(step)) | {run_id: round(seconds, 3)}]
    lake.store.put(name, seal_json(content))


def read_cpu(lake: Lake, partitions: Iterable[str]) -> dict[str, float]:
    """Return the CPU seconds of each stage's steps in all runs, added up over batches and releases."""
    total: dict[str, float] = {}
    for partition in partitions:
        for entry in _read(lake, f"{CPU}/{partition}.json").values():
            total[entry[0]] = total.get(entry[0], 0.0) + sum(_by_run(entry).values())
    return total


def _by_run(entry: list[Any] | None) -> dict[str, float]:
    """Return a step's seconds by run; older versions remembered those of the last run alone."""
    if entry is None:
        return {}
    return dict(entry[1]) if isinstance(entry[1], dict) else {"": entry[1]}


def _read(lake: Lake, name: str) -> dict[str, Any]:
    """Return what a file of seconds says; nothing where it is gone or damaged: they decide nothing."""
    try:
        return open_sealed(lake.store.read(name))
    except (MissingError, ValueError):
        return {}
