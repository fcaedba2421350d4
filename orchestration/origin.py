"""The commit of this repository that made a release, found by the versions of the code that its tables name.

Only for releases of formats before the present one: their code versions are hashes of source files, as this module
computes them again from the repository's history.
"""

import ast
import hashlib
import subprocess
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

# As they were called in the commits that are looked for.
_STEP, _TABLES, _LOCK = "cupel/step.py", "cupel/tables.py", "requirements.lock"
_CODE = (".py",)  # where `CODE` was not named yet
_SECONDS = 60


def find_commit(repository: Path, code_by_stage: Mapping[str, str]) -> str | None:
    """Return the latest commit whose code gives these hashes; None where the history is not there, or none does.

    Args:
        repository: A copy of the repository, with its history.
        code_by_stage: The first part of the code versions that tables name, by their stage.
    """
    try:
        return next((commit for commit in _commits(repository) if _gives(repository, commit, code_by_stage)), None)
    except (OSError, subprocess.SubprocessError):
        return None


def _commits(repository: Path) -> list[str]:
    """Return the commits that changed what code versions are made of, the latest first."""
    return _git(repository, "rev-list", "--abbrev-commit", "HEAD", "--", "cupel", _LOCK).decode().split()


def _gives(repository: Path, commit: str, code_by_stage: Mapping[str, str]) -> bool:
    files = _files(repository, commit)
    if _STEP not in files:
        return False
    constants = _constants(_blob(repository, files[_STEP]))
    packages, suffixes = constants.get("PACKAGES", {}), constants.get("CODE", _CODE)
    return all(
        stage in packages and _code_hash(repository, files, packages[stage], suffixes) == code
        for stage, code in code_by_stage.items()
    )


def _code_hash(repository: Path, files: Mapping[str, str], packages: tuple[str, ...], suffixes: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for package in packages:
        paths = (PurePosixPath(path) for path in files if path.startswith(f"cupel/{package}/"))
        for path in sorted(path for path in paths if path.suffix in suffixes):
            digest.update(_blob(repository, files[str(path)]))
    for name in (_TABLES, _LOCK):
        if name in files:
            digest.update(_blob(repository, files[name]))
    return digest.hexdigest()[:12]


def _files(repository: Path, commit: str) -> dict[str, str]:
    """Return the files of a commit that count, with the names of their content."""
    listed = _git(repository, "ls-tree", "-r", "-z", commit, "--", "cupel", _LOCK).decode().split("\0")
    return dict(_entries(listed))


def _entries(listed: list[str]) -> Iterator[tuple[str, str]]:
    for line in filter(None, listed):
        about, _, path = line.partition("\t")
        yield path, about.split()[2]


def _constants(source: bytes) -> dict[str, Any]:
    """Return the constants of a module that are written as literals."""
    found: dict[str, Any] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            try:
                found[node.targets[0].id] = ast.literal_eval(node.value)
            except ValueError:
                continue
    return found


@lru_cache(maxsize=65_536)
def _blob(repository: Path, name: str) -> bytes:
    return _git(repository, "cat-file", "blob", name)


def _git(repository: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=_SECONDS).stdout
