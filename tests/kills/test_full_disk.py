"""A disk that is full of lake, record or temporary files is told, and the same release comes of it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cupel.store.files import hash_file
from orchestration.deployment import REPOSITORY, Deployment
from small_project import write_project

# Sizes in kB, of which the last has room for all; nothing of this project is put into TMPDIR.
SIZES = {"lake": (16, 150, 300, 800, 50_000), "home": (16, 700, 1_500, 3_000, 50_000), "tmp": (4,)}


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", folder], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no small disk may be mounted here: {made.stderr}")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def deploy(folder: Path) -> Deployment:
    deployment = write_project(folder, items=60, release={"audit_size": 40, "error_budget": 0.2})
    for name in SIZES:
        (folder / name).mkdir(exist_ok=True)
    return deployment


def run(deployment: Deployment) -> tuple[int, str]:
    folder = deployment.projects.parent
    if not (home := folder / "home" / "dagster.yaml").exists():
        home.write_bytes((REPOSITORY / "orchestration" / "dagster.yaml").read_bytes())
    places = {
        "CUPEL_PROJECTS": deployment.projects, "CUPEL_DATA": deployment.data, "CUPEL_LAKE": deployment.lake,
        "CUPEL_INBOX": folder / "inbox", "DAGSTER_HOME": folder / "home", "TMPDIR": folder / "tmp", "COLUMNS": "200",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.run", "small"], cwd=REPOSITORY, capture_output=True, text=True,
        env=os.environ | {name: str(place) for name, place in places.items()}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def release_of(deployment: Deployment) -> dict[str, str]:
    """Return the hashes of the release's files, without the record of the run, which tells seconds."""
    folder = Path(deployment.lake) / "small" / "releases" / "one-r1"
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "run.json"]
    return {str(path.relative_to(folder)): hash_file(path) for path in files}


@pytest.mark.kills
@pytest.mark.parametrize("place", SIZES)
def test_a_full_disk_is_told_wherever_it_is_and_the_release_is_the_same(tmp_path: Path, place: str) -> None:
    whole, small = deploy(tmp_path / "whole"), deploy(tmp_path / "small")
    assert run(whole)[0] == 0
    disk = tmp_path / "small" / place
    with small_disk(disk):
        for size in SIZES[place]:
            subprocess.run(["mount", "-o", f"remount,size={size}k", disk], check=True)
            code, said = run(small)
            assert "Traceback" not in said
            if size == SIZES[place][-1]:
                assert (code, release_of(small)) == (0, release_of(whole))
            else:
                assert code == 1
                assert f"{disk}" in said
                words = " ".join(said.split())  # a line of the terminal may end anywhere
                assert "then run again" in words or "see to its rights and its disk" in words
