"""What a process has loaded: whether the code and the project files are still those that it began with."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from cupel.store.files import FileStat, find_files, stat_file, stat_files
from orchestration.deployment import REPOSITORY, Deployment

PACKAGES = ("assets", "cupel", "expectations", "orchestration")


def describe_code(deployment: Deployment) -> str:
    """Return what changes when a file of the code, a project file or an installed package does.

    Sizes and times of change are asked, no contents: it takes some milliseconds.

    Args:
        deployment: Where the project files are.
    """
    looks = sorted((path, stat.size, stat.changed_ns) for path, stat in _look_at_files(deployment))
    return hashlib.sha256(json.dumps(looks).encode()).hexdigest()


def _look_at_files(deployment: Deployment) -> Iterator[tuple[str, FileStat]]:
    for name in PACKAGES:
        yield from stat_files(REPOSITORY / name, ".py")
    # A folder changes when a package is added or replaced.
    places = {Path(place) for place in sys.path if place.endswith("site-packages")}
    for path in (*find_files(deployment.projects, "*.yaml"), *places):
        if (stat := stat_file(path)) is not None:  # an editor or a checkout may just have removed it
            yield str(path), stat
