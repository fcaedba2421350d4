"""The record of a release's run: what the machine took, which no hash covers."""

import os
import platform
from collections.abc import Sequence
from typing import Any

from cupel.lake.lake import Lake
from cupel.lake.stage_seconds import read_cpu, read_seconds

# Contamination is a stage of its own, because it waits for answers; what it does is cleaning.
CLEANING_STAGES = ("cleaning", "contamination")


def run_record(lake: Lake, partitions: Sequence[str]) -> dict[str, Any]:
    """Return what `run.json` says: seconds by stage of its last run, CPU seconds of all runs, and what machine it was.

    Args:
        lake: The project's lake.
        partitions: The release, and its deliveries.

    Returns:
        `seconds` and `cpu_seconds` of the stages that were measured; `cleaning_cpu_share`, the share of all CPU
        seconds that went into cleaning, contamination with it, null where none were counted; `machine`, the one that
        writes this.
    """
    cpu = read_cpu(lake, partitions)
    return {
        "seconds": _rounded(read_seconds(lake, partitions)),
        "cpu_seconds": _rounded(cpu),
        "cleaning_cpu_share": _cleaning_share(cpu),
        "machine": {
            "cores": os.cpu_count(),
            "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            "system": platform.system(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
        },
    }


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {stage: round(value, 3) for stage, value in seconds.items()}


def _cleaning_share(cpu: dict[str, float]) -> float | None:
    """Return the share of the CPU seconds that cleaning took.

    >>> _cleaning_share({"raw": 1.0, "cleaning": 2.0, "contamination": 1.0, "gates": 8.0})
    0.25
    """
    together = sum(cpu.values())
    return round(sum(cpu.get(stage, 0.0) for stage in CLEANING_STAGES) / together, 4) if together else None
