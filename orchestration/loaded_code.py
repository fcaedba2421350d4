"""What a process has loaded: whether the code and the project files are still those that it began with."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from orchestration.deployment import REPOSITORY, Deployment

PACKAGES = ("assets", "cupel", "expectations", "orchestration")


def describe_code(deployment: Deployment) -> str:
    """Return what changes when a file of the code, a project file or an installed package does.

    Sizes and times of change are asked, no contents: it takes some milliseconds.

    Args:
        deployment: Where the project files are.
    """
    looks = []
    for path in sorted(_files(deployment)):
        with suppress(FileNotFoundError):  # an editor or a checkout has just removed it
            stat = path.stat()
            looks.append((str(path), stat.st_size, stat.st_mtime_ns))
    return hashlib.sha256(json.dumps(looks).encode()).hexdigest()


def _files(deployment: Deployment) -> Iterator[Path]:
    for name in PACKAGES:
        for folder, _, names in os.walk(REPOSITORY / name):  # unlike rglob, it bears folders that vanish
            yield from (Path(folder) / name for name in names if name.endswith(".py"))
    yield from deployment.projects.glob("*.yaml")
    # A folder changes when a package is added or replaced.
    yield from {Path(place) for place in sys.path if place.endswith("site-packages")}
