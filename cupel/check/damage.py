"""Damage: what of a lake or of Dagster's record is not as it was written, and the one command that mends it."""

from typing import Literal, NamedTuple

# What was damaged. Of a batch, or a release that is not finished, a run makes tables again; the others are told.
Kind = Literal[
    "table", "frozen table", "superseded part", "release", "report", "log", "kept file", "format", "derived file",
    "Dagster's record", "unknown file",
]  # fmt: skip
UNKNOWN = "no file of Cupel's"
LOOK_AT_IT = "look at it, and move it elsewhere"


class Damage(NamedTuple):
    """One file or folder that is damaged.

    Attributes:
        path: Where, relative to the project's folder in the lake, or to DAGSTER_HOME.
        kind: What it is.
        what: What is wrong with it.
        remedy: The one command that mends it, or where to restore it from.
        table: Of a table, its name; else empty.
        partition: Batch or release that it belongs to; empty where it belongs to none.
        by_run: The next run makes it again by itself.
        by_repair: `cupel check --repair` makes it again, or takes it out of the way where nothing needs it.
        hash: Of a table, the hash that it had, if it is known.
    """

    path: str
    kind: Kind
    what: str
    remedy: str
    table: str = ""
    partition: str = ""
    by_run: bool = False
    by_repair: bool = False
    hash: str | None = None

    @property
    def is_told_only(self) -> bool:
        """Nothing is known to be wrong, but nobody knows what the file is."""
        return self.kind == "unknown file"


def repair_command(project: str) -> str:
    """Return the command that makes again what can be made."""
    return f"cupel check {project} --repair"


def run_command(project: str) -> str:
    """Return the command of a run."""
    return f"make run PROJECT={project}"
