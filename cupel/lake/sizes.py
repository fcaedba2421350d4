"""Sizes of what lies on the disk: what grows, by part."""

from collections.abc import Mapping
from pathlib import Path

from cupel.store.files import is_folder, list_folder, measure_folder, stat_file

SHOWN = ("tables", "answers", "deliveries", "releases", "reports")
RECORD_PARTS = {
    "runs and events": "history", "ticks": "schedules", "logs of steps": "storage", "service": "service",
    "set aside": "set-aside",
}  # fmt: skip
UNITS = ("B", "kB", "MB", "GB")


def lake_sizes(folder: Path) -> Mapping[str, int]:
    """Return the bytes of each part of a project's lake: tables, answers, deliveries, releases, and so on."""
    sizes = {path.name: measure_folder(path) if is_folder(path) else stat_file(path) for path in list_folder(folder)}
    return {name: size if isinstance(size, int) else size.size for name, size in sizes.items() if size is not None}


def format_bytes(size: float) -> str:
    """Return a size as people read it.

    >>> format_bytes(42_300_000)
    '42.3 MB'
    >>> format_bytes(0)
    '0 B'
    """
    unit = 0
    while size >= 999.5 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {UNITS[unit]}" if unit and size < 100 else f"{size:.0f} {UNITS[unit]}"


def size_lines(project: Path, home: Path | None, superseded: int | None = None) -> list[str]:
    """Return the sizes of a project's lake and of Dagster's record in words.

    Args:
        project: The project's folder in the lake.
        home: DAGSTER_HOME; None leaves it out.
        superseded: Bytes of superseded parts, where they are known.
    """
    parts = lake_sizes(project)
    shown = ", ".join(f"{name} {format_bytes(parts[name])}" for name in SHOWN if parts.get(name))
    free = f"; {format_bytes(superseded)} of the tables are superseded" if superseded else ""
    size = f"{format_bytes(sum(parts.values()))} ({shown}){free}" if shown else "nothing yet"
    lines = [f"lake of {project.name}: {size}"]
    return lines if home is None or not is_folder(home) else [*lines, record_line(home)]


def record_sizes(home: Path) -> Mapping[str, int]:
    """Return the bytes of each part of Dagster's record in DAGSTER_HOME."""
    return {name: measure_folder(home / part) for name, part in RECORD_PARTS.items()}


def record_line(home: Path) -> str:
    """Return the size of Dagster's record in words, with the command that says what can be removed."""
    shown = ", ".join(f"{name} {format_bytes(size)}" for name, size in record_sizes(home).items() if size)
    return f"Dagster's record: {format_bytes(measure_folder(home))} ({shown}); `cupel prune` says what can be removed"
