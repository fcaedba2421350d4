"""Releases from before the present format: what would rebuild one, and how a rebuilt one is numbered."""

import json
import shlex
from pathlib import Path

from cupel.contract.format_numbers import LAST_CHOSEN_SEED, OLDEST_LAKE_OF_THESE_TABLES, RELEASE
from cupel.contract.stages import stage_of
from cupel.errors import ReleaseError
from cupel.lake.formats import recognise_partition
from cupel.lake.lake import Lake
from cupel.lake.recorded_inputs import recorded_hashes
from cupel.release import layout
from cupel.release.older_formats import release_format
from cupel.release.places import release_file, release_folder
from cupel.store.store import MissingError
from orchestration.deployment import REPOSITORY, Deployment
from orchestration.origin import find_commit


def refuse_older(deployment: Deployment, lake: Lake, release: str) -> None:
    """Refuse to rebuild a release that was made in an older format, and say what would rebuild it.

    Args:
        deployment: Where projects, data and lake are.
        lake: The project's lake.
        release: A release that has come to its end.

    Raises:
        ReleaseError: It is of an older format, which this version reads and verifies, but does not make.
    """
    manifest = _manifest(lake, release)
    of_tables = recognise_partition(lake.store, release)
    of_folder = _format_of_plan(lake, release)
    if manifest is not None:
        of_folder = release_format(release_folder(lake, release), manifest)
    if of_tables >= OLDEST_LAKE_OF_THESE_TABLES and of_folder == RELEASE:
        return
    number = min(of_tables, of_folder)
    commit = find_commit(REPOSITORY, made_by(lake, release)) or find_commit(REPOSITORY, _of_release(lake, release))
    raise ReleaseError(
        f"release {lake.project}/{release}: of format {number}, which this version of Cupel reads and verifies, but no "
        f"longer makes; rebuild it with the code that made it: {_command(deployment, lake, release, commit, manifest)}"
    )


def _format_of_plan(lake: Lake, release: str) -> int:
    """Return the format that a release would have been handed over in: of old, the draw followed from a chosen seed."""
    plan = lake.read("release_plan", release, ["status", "freeze_sha256"]).to_pylist()[0]
    is_of_old = plan["status"] == "frozen" and plan["freeze_sha256"] is None
    return LAST_CHOSEN_SEED if is_of_old else RELEASE


def made_by(lake: Lake, release: str) -> dict[str, str]:
    """Return the code that made a release and what it rests on, by stage, as far as the lake still tells.

    Args:
        lake: The project's lake.
        release: The release.
    """
    found: dict[str, set[str]] = {}
    for name, hash_ in recorded_hashes(lake, release).frozen.items():
        table, _, partition = name.rpartition("@")
        commit = lake.commit(table, partition)
        if commit is not None and commit.hash == hash_ and stage_of(table).partition == "batch":
            found.setdefault(stage_of(table).name, set()).add(_code(commit.code_version))
    return {stage: min(codes) for stage, codes in found.items() if len(codes) == 1} | _of_release(lake, release)


def _of_release(lake: Lake, release: str) -> dict[str, str]:
    commits = (lake.commit(table, release) for table in ("manifest", "certificate", "release_plan"))
    return next(({"release": _code(commit.code_version)} for commit in commits if commit is not None), {})


def _code(version: str) -> str:
    return version.partition("-")[0]


def _command(
    deployment: Deployment, lake: Lake, release: str, commit: str | None, manifest: dict[str, object] | None
) -> str:
    places = {"projects": deployment.projects, "data": deployment.data, "lake": Path(deployment.lake)}
    named = " ".join(f"--{name} {shlex.quote(str(path.resolve()))}" for name, path in places.items())
    call = f"make .venv/.run && .venv/bin/cupel rebuild {lake.project}/{release} {named}"
    if commit is not None:
        folder = f"../cupel-{commit}"
        return f"git worktree add --detach {folder} {commit} && cd {folder} && {call}"
    lock = None if manifest is None else manifest.get("requirements_sha256")
    of_lock = f" whose requirements.lock has the SHA-256 {lock}" if lock else " of its day"
    return f"check out the commit{of_lock}, then {call}"


def _manifest(lake: Lake, release: str) -> dict[str, object] | None:
    try:
        return dict(json.loads(lake.store.read(release_file(release, layout.MANIFEST_FILE))))
    except (MissingError, OSError, ValueError, TypeError):
        return None
