"""A deployment: where its projects, data and lake are. One customer, one deployment."""

import os
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parent.parent


class Deployment(NamedTuple):
    """The places that a deployment works in.

    `lake` may be an object-store URL; `projects` and `data` are folders.
    """

    projects: Path
    data: Path
    lake: str

    @classmethod
    def from_environment(cls) -> "Deployment":
        """Return the places named by CUPEL_PROJECTS, CUPEL_DATA and CUPEL_LAKE, or the repository's own."""
        return cls(
            projects=Path(os.environ.get("CUPEL_PROJECTS", REPOSITORY / "projects")),
            data=Path(os.environ.get("CUPEL_DATA", REPOSITORY / "data")),
            lake=os.environ.get("CUPEL_LAKE", str(REPOSITORY / "lake")),
        )
