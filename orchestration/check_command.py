"""`cupel check`: what is damaged in a deployment's lake and in Dagster's record, and what mends it."""

import logging
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cupel.check.accept import accept_losses
from cupel.check.check import find_damage
from cupel.check.damage import Damage
from cupel.errors import FormatError, LakeError
from cupel.lake.formats import FORMAT_FILE
from cupel.lake.lake import Lake
from cupel.show.damage_table import KEYS, as_json, print_damages
from cupel.store.files import is_folder, list_folder
from cupel.store.outputs import Output, check_outputs, is_json_list, write_output
from orchestration.deployment import Deployment
from orchestration.home_check import check_home
from orchestration.repair import Repair

DAMAGED = 1
RECORD = "Dagster's record"


def check(
    project: str | None,
    projects: Path,
    data: Path,
    lake: Path,
    home: Path,
    is_repaired: bool,
    json_file: Path | None,
    accepted: Sequence[str] = (),
) -> int:
    """Check projects and Dagster's record, show what was found, and return the exit code of `cupel check`.

    Args:
        project: The project; None: all that the lake holds.
        projects: Folder of the project files.
        data: Folder of the deliveries' files.
        lake: The deployment's lake.
        home: DAGSTER_HOME.
        is_repaired: Make again what can be made.
        json_file: Where it is written for machines.
        accepted: Files of the one project that are taken as they are.

    Raises:
        LakeError: There is no such project, or what is to be accepted is not damaged, or cannot be accepted.
    """
    logging.getLogger("dagster").setLevel(logging.ERROR)
    console = Console(highlight=False)
    if json_file is not None:
        check_outputs([Output("--json", json_file, is_json_list(*KEYS))], [], [lake, home])
    names = _projects(lake, project)
    if accepted and project is None:
        raise LakeError("--accept: name the project that the file is of")
    results: list[tuple[str, list[Damage], list[str]]] = []
    said = Repair.of_home(home, console) if is_repaired else []
    found = list(check_home(home))
    print_damages(console, RECORD, found)
    results.append((RECORD, found, said))
    for name in names:
        there, lines = Lake(str(lake), name), list[str]()
        damages = _find_damage(there)
        if accepted:
            lines = accept_losses(there, damages, accepted)
            damages = _find_damage(there)
        if is_repaired and any(not damage.is_told_only for damage in damages):
            print_damages(console, name, damages)
            lines += Repair(Deployment(projects, data, str(lake)), name, console).run(damages)
            damages = _find_damage(there)
        print_damages(console, name, damages)
        results.append((name, damages, lines))
    if json_file is not None:
        write_output("--json", json_file, as_json(results))
    return 0 if all(damage.is_told_only for _, damages, _ in results for damage in damages) else DAMAGED


def _find_damage(lake: Lake) -> list[Damage]:
    """Check a lake in full; one that a newer version wrote is told, so that the others are checked all the same."""
    try:
        return find_damage(lake, is_light=False)
    except FormatError as error:
        return [Damage(FORMAT_FILE, "format", str(error), "check it with the version that wrote it")]


def _projects(lake: Path, project: str | None) -> list[str]:
    there = [path.name for path in list_folder(lake) if is_folder(path)]
    there = [name for name in there if name[0] != "."]
    if project is None:
        return there
    if project not in there:
        raise LakeError(f"project {project}: not in the lake {lake}; it holds {', '.join(there) or 'no project'}")
    return [project]
