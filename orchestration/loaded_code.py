"""What a process has loaded: whether the code and the project files are still those that it began with."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestration.deployment import REPOSITORY, Deployment

PACKAGES = ("assets", "cupel", "expectations", "orchestration")


def describe_code(deployment: Deployment) -> str:
    """Return what changes when a file of the code, a project file or an installed package does.

    Sizes and times of change are asked, no contents: it takes some milliseconds.

    Args:
        deployment: Where the project files are.
    """
    looks = [(str(path), stat.st_size, stat.st_mtime_ns) for path in _files(deployment) for stat in [path.stat()]]
    return hashlib.sha256(json.dumps(looks).encode()).hexdigest()


def _files(deployment: Deployment) -> Iterator[Path]:
    code = (path for name in PACKAGES for path in (REPOSITORY / name).rglob("*.py"))
    # A folder changes when a package is added or replaced.
    installed = (Path(place) for place in sys.path if place.endswith("site-packages"))
    for path in sorted({*code, *deployment.projects.glob("*.yaml"), *installed}):
        if path.exists():
            yield path
