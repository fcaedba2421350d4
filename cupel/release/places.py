"""Where a project's releases and reports lie."""

from pathlib import Path

from cupel.lake.lake import Lake


def release_folder(lake: Lake, release: str) -> Path:
    """Return the folder of a release's files; its manifest is there once the release is certified."""
    lake.partition_folder("manifest", release)  # checks the name
    return lake.folder / "releases" / release


def report_folder(lake: Lake, release: str) -> Path:
    """Return the folder of a release's report, which is written for refused releases too."""
    lake.partition_folder("manifest", release)  # checks the name
    return lake.folder / "reports" / release


def release_place(release: str) -> str:
    """Return the name, in the lake's store, of the folder of a release's files."""
    return f"releases/{release}"


def release_file(release: str, file: str) -> str:
    """Return the name, in the lake's store, of a file of a release."""
    return f"releases/{release}/{file}"


def report_file(release: str, file: str) -> str:
    """Return the name, in the lake's store, of a file of a release's report."""
    return f"reports/{release}/{file}"
