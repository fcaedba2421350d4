"""A deployment: where its projects, data and lake are. One customer, one deployment."""

import os
from pathlib import Path
from typing import NamedTuple

from cupel.config.project import Known
from cupel.kinds import KNOWN

# When a daemon that runs began anew by itself; CUPEL_STARTED names its group, and stays as it was.
BEGUN_ANEW = "CUPEL_BEGUN_ANEW"
REPOSITORY = Path(__file__).resolve().parent.parent


class Deployment(NamedTuple):
    """The places that a deployment works in.

    `inbox` holds a folder a project; None: nothing arrives by itself. `started` names the start of page and
    daemon that this process belongs to: what an earlier one left undone is asked for again. `known` are the label
    kinds and modalities that its project files may name.
    """

    projects: Path
    data: Path
    lake: str
    inbox: Path | None = None
    started: str = ""
    known: Known = KNOWN

    @classmethod
    def from_environment(cls) -> "Deployment":
        """Return the places that CUPEL_PROJECTS, _DATA, _LAKE and _INBOX name, or the repository's own."""
        return cls(
            projects=Path(os.environ.get("CUPEL_PROJECTS", REPOSITORY / "projects")),
            data=Path(os.environ.get("CUPEL_DATA", REPOSITORY / "data")),
            lake=os.environ.get("CUPEL_LAKE", str(REPOSITORY / "lake")),
            inbox=Path(os.environ.get("CUPEL_INBOX", REPOSITORY / "inbox")),
            started=os.environ.get("CUPEL_STARTED", "") + os.environ.get(BEGUN_ANEW, ""),
        )
