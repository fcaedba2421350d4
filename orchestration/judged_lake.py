"""A lake to judge in: its tables are those of the real one, what gates say is written beside them."""

from pathlib import Path

from cupel.lake.lake import Lake
from cupel.lake.stage_seconds import CPU
from cupel.store.files import copy_file, find_files, link, list_folder, make_folder

# Outcomes and times are written, and locks are taken, while gates judge; none of it may reach the real lake.
OUTCOMES = "gate_results"
TABLES_FOLDER = "tables"
LOCKS = "locks"


def judged_lake(lake: Lake, root: Path) -> Lake:
    """Make a lake that reads a project's tables where they are, and keeps what gates say for itself.

    So nothing that is judged with the thresholds of a proposed change is taken for what the chain itself
    said: no release is held up or let through, no report changes, and a lake that may only be read can
    be judged.

    Args:
        lake: The project's lake; it need not be there.
        root: An empty folder; what is in it is links, but for copies of the outcomes as they are now.
    """
    real, copy = lake.folder.resolve(), root / lake.project
    make_folder(copy / TABLES_FOLDER)
    _link(real, copy, {TABLES_FOLDER, LOCKS, CPU})
    _link(real / TABLES_FOLDER, copy / TABLES_FOLDER, {OUTCOMES})
    for path in find_files(real / TABLES_FOLDER / OUTCOMES, "*/*"):
        copy_file(
            path, copy / path.relative_to(real)
        )  # without its rights: those of a lake to read would forbid to write
    return Lake(root, lake.project)


def _link(real: Path, copy: Path, left_out: set[str]) -> None:
    for path in list_folder(real):
        if path.name not in left_out:
            link(copy / path.name, path)
