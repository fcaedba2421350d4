"""Whether a release's report tells of the release as it is now."""

from pathlib import Path

from cupel.contract.stages import STAGES
from cupel.lake import Lake, replace_file
from cupel.release.gates import gate_partition
from cupel.release.places import report_folder

MADE_FROM = ".made_from"


def made_from(lake: Lake, release: str) -> str:
    """Return what names the state of a release: the hashes of its tables, and of what its gate said."""
    names = [f"{table}@{release}" for table in STAGES["release"].tables]
    names.append(f"gate_results@{gate_partition('release', release)}")
    return "".join(f"{name} {lake.version(name)}\n" for name in names)


def is_reported(lake: Lake, release: str) -> bool:
    """Tell whether there is a report of the release as it is."""
    path = Path(str(report_folder(lake, release))) / MADE_FROM
    return path.is_file() and path.read_text(encoding="utf-8") == made_from(lake, release)


def remember_reported(lake: Lake, release: str) -> None:
    """Remember, beside a report that was just written, what it was made from."""
    replace_file(Path(str(report_folder(lake, release))) / MADE_FROM, made_from(lake, release).encode())
