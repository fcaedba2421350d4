import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cupel.versions.code_version import ROOT

FOLDERS = ("cupel", "assets", "expectations")


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the repository's code; whoever changes a file puts it back."""
    folder = tmp_path_factory.mktemp("code")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "requirements.lock", folder)
    return folder


Edit = Callable[[str, str, str], None]


@pytest.fixture
def edit(copied: Path) -> "Callable[[str, str, str], None]":
    """Return a function that replaces a text in a file of the copy; files are put back after the test."""
    before: dict[Path, str] = {}

    def replace(path: str, old: str, new: str) -> None:
        place = copied / path
        text = before.setdefault(place, place.read_text("utf-8"))
        assert old in text, f"{path} does not hold {old!r}"
        place.write_text(text.replace(old, new, 1), "utf-8")

    yield replace  # type: ignore[misc]
    for place, text in before.items():
        place.write_text(text, "utf-8")
