"""Where a project's releases and reports lie."""

from pathlib import Path

from cupel.lake import Lake


def release_folder(lake: Lake, release: str) -> Path:
    """Return the folder of a release's files; it is there once the release is certified."""
    lake.partition_folder("manifest", release)  # checks the name
    return lake.folder / "releases" / release


def report_folder(lake: Lake, release: str) -> Path:
    """Return the folder of a release's report, which is written for refused releases too."""
    lake.partition_folder("manifest", release)  # checks the name
    return lake.folder / "reports" / release
