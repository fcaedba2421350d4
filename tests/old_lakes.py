"""Lakes and releases that older versions of Cupel made, unpacked for a test: see tests/old_releases/README.md."""

import tarfile
from pathlib import Path
from typing import NamedTuple

from orchestration.deployment import Deployment

FOLDER = Path(__file__).parent / "old_releases"
PROJECT = "colours"


class OldRelease(NamedTuple):
    """A commit, the format that its releases are of, its certified release, and the checks that it knew."""

    commit: str
    format: int
    release: str
    checks: int


OLD = (
    OldRelease("c2cc23b", 1, "one-r1", 16),
    OldRelease("90b9784", 2, "one-r1", 17),
    OldRelease("344a62c", 3, "all-r1", 19),
)
COMMITS = {old.commit: old for old in OLD}


def unpack(commit: str, folder: Path) -> Deployment:
    """Unpack projects, data and lake of a commit; return their deployment."""
    with tarfile.open(FOLDER / f"{commit}.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return Deployment(folder / "projects", folder / "data", str(folder / "lake"))


def release_of(old: OldRelease, deployment: Deployment) -> Path:
    """Return the folder of the release of a commit."""
    return Path(deployment.lake) / PROJECT / "releases" / old.release
