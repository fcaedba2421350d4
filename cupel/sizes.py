"""Sizes of what lies on the disk: what grows, by part."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

UNITS = ("B", "kB", "MB", "GB")


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files in a folder and those in it; 0 where there is none.

    What another process removes meanwhile is not counted.
    """
    size = 0
    for path in folder.rglob("*") if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            size += path.lstat().st_size if not path.is_dir() else 0
    return size


def lake_sizes(folder: Path) -> Mapping[str, int]:
    """Return the bytes of each part of a project's lake: tables, answers, deliveries, releases, and so on."""
    parts = sorted(folder.iterdir()) if folder.is_dir() else []
    return {path.name: folder_bytes(path) if path.is_dir() else path.stat().st_size for path in parts}


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
