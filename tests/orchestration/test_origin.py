"""The commit that made a release is found in the repository's history by the versions of its code."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from orchestration.origin import find_commit

STEP = 'PACKAGES = {"release": ("release", "answers"), "raw": ("sources",)}\n'


def git(folder: Path, *arguments: str) -> str:
    names = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", "-C", str(folder), *names, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, **changed: str) -> str:
    for name, content in changed.items():
        path = folder / "cupel" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    (folder / "requirements.lock").write_text("a==1\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def history(tmp_path: Path) -> list[str]:
    git(tmp_path, "init", "-q")
    first = commit(tmp_path, step=STEP, tables="", release__plan="1", answers__log="1", sources__items="1")
    second = commit(tmp_path, release__plan="2")
    third = commit(tmp_path, sources__items="2")
    return [first, second, third]


def code(*contents: str) -> str:
    """Return the hash of a stage's code: the files of its packages, tables.py, and the lock file."""
    return hashlib.sha256("".join([*contents, "", "a==1\n"]).encode()).hexdigest()[:12]


def test_the_commit_is_the_one_whose_code_gives_the_versions(tmp_path: Path, history: list[str]) -> None:
    first, second, third = history
    assert first.startswith(find_commit(tmp_path, {"release": code("1", "1")}) or "none")
    assert second.startswith(find_commit(tmp_path, {"release": code("2", "1"), "raw": code("1")}) or "none")
    assert third.startswith(find_commit(tmp_path, {"release": code("2", "1"), "raw": code("2")}) or "none")


def test_code_that_no_commit_had_is_not_found(tmp_path: Path, history: list[str]) -> None:
    assert find_commit(tmp_path, {"release": code("3", "1")}) is None
    assert find_commit(tmp_path, {"release": code("1", "1"), "raw": code("2")}) is None
    assert find_commit(tmp_path, {"another": code("1", "1")}) is None


def test_without_a_history_nothing_is_found(tmp_path: Path) -> None:
    assert find_commit(tmp_path / "nowhere", {"release": code("1", "1")}) is None
