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

    `is_embedded`: its project is part of a team's own Dagster. Names that there may be once only are then made of the
    project's, and the record, of which the most is not ours, is not pruned. `is_automated`: sensors and schedules work
    from the start; else when somebody turns them on.
    """

    projects: Path
    data: Path
    lake: str
    inbox: Path | None = None
    started: str = ""
    known: Known = KNOWN
    is_embedded: bool = False
    is_automated: bool = True

    @property
    def automation_status(self) -> str:
        """What Dagster calls the state that sensors and schedules are in before anybody turns them on or off."""
        return "RUNNING" if self.is_automated else "STOPPED"

    def own_name(self, name: str, project: str) -> str:
        """Return a name that may be there once in a Dagster; an embedded project has one of its own."""
        return f"{project}_{name}" if self.is_embedded else name

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
