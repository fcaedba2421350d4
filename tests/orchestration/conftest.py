"""What holds for every test of the wiring, and what several are given: a project that came to its first release."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster._core.storage.defs_state.base import DefsStateStorage
from ticks import Daemon, with_inbox


@pytest.fixture(autouse=True)
def no_instance_left_open() -> Iterator[None]:
    """Refuse a test that leaves an instance of Dagster open: all tests after it would read from it, and fail."""
    before = DefsStateStorage.get()
    yield
    assert DefsStateStorage.get() is before, "an instance of Dagster was left open: use it, and contexts, by `with`"


@pytest.fixture(scope="session")
def first_daemon(tmp_path_factory: pytest.TempPathFactory) -> Daemon:
    """A daemon that took a project to its first release; tests only look at it, and spoil copies."""
    daemon = Daemon(with_inbox(tmp_path_factory.mktemp("first") / "there"))
    daemon.until_idle()
    return daemon


@pytest.fixture
def released(first_daemon: Daemon, tmp_path: Path) -> Daemon:
    """A daemon that began anew on a copy of that project, in `tmp_path`, and found nothing left to do."""
    shutil.copytree(first_daemon.deployment.projects.parent, tmp_path, dirs_exist_ok=True)
    places = {"projects": tmp_path / "projects", "data": tmp_path / "data", "lake": str(tmp_path / "lake")}
    daemon = Daemon(first_daemon.deployment._replace(**places, inbox=tmp_path / "inbox"))
    daemon.until_idle()
    return daemon
