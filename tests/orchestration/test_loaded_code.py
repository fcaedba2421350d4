"""Whether loaded code and project files are still those on disk."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.remote_representation.grpc_server_registry import GrpcServerRegistry

from orchestration import loaded_code
from orchestration.dagster_daemon import CodeServers
from orchestration.deployment import Deployment
from orchestration.loaded_code import describe_code


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    for name in ("repository/cupel", "projects", "data"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "repository" / "cupel" / "lake.py").write_text("a = 1\n")
    (tmp_path / "projects" / "small.yaml").write_text("project: small\n")
    monkeypatch.setattr(loaded_code, "REPOSITORY", tmp_path / "repository")
    return Deployment(tmp_path / "projects", tmp_path / "data", str(tmp_path / "lake"))


@pytest.mark.parametrize("change", ["repository/cupel/lake.py", "projects/small.yaml", "projects/other.yaml"])
def test_a_changed_or_new_file_of_code_or_projects_is_seen_and_data_are_not(
    deployment: Deployment, tmp_path: Path, change: str
) -> None:
    before = describe_code(deployment)
    (tmp_path / "data" / "one.jsonl").write_text("{}\n")
    (tmp_path / "repository" / "lake").mkdir()
    assert describe_code(deployment) == before
    (tmp_path / change).write_text("a = 2\n")
    os.utime(tmp_path / change, (1, 1))
    assert describe_code(deployment) != before


def test_the_daemon_keeps_its_code_server_until_something_has_changed_or_it_has_ended(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = object.__new__(CodeServers)  # without starting one
    cleared: list[bool] = []
    monkeypatch.setattr(GrpcServerRegistry, "clear_all_grpc_endpoints", lambda self: cleared.append(True))
    servers._deployment, servers._code, servers._since = deployment, describe_code(deployment), 1e12
    servers._active_entries = {}
    servers.clear_all_grpc_endpoints()
    assert len(cleared) == 0
    (deployment.projects / "other.yaml").write_text("project: other\n")
    servers.clear_all_grpc_endpoints()
    servers.clear_all_grpc_endpoints()
    assert len(cleared) == 1
    servers._active_entries = {"one": object()}  # type: ignore[dict-item]  # it could not be started
    servers.clear_all_grpc_endpoints()
    assert len(cleared) == 2


def test_files_and_folders_that_vanish_while_they_are_looked_at_break_nothing(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "repository" / "cupel"
    expected = describe_code(deployment)
    (package / "switched").mkdir()
    scan, stat, looks = os.scandir, os.stat, Counter[str]()
    for name in ("saved_1.py", "saved_2.py"):  # one goes before the first look at it, one before the second
        (package / name).write_text("a = 1\n")

    def scan_late(place: Any = ".") -> Any:
        if str(place).endswith("switched") and Path(place).exists():
            Path(place).rmdir()
        return scan(place)

    def stat_late(path: Any, **options: Any) -> os.stat_result:
        name = os.path.basename(str(path))
        looks[name] += 1
        if name == f"saved_{looks[name]}.py":
            Path(path).unlink(missing_ok=True)
        return stat(path, **options)

    monkeypatch.setattr(os, "scandir", scan_late)
    monkeypatch.setattr(os, "stat", stat_late)
    describe_code(deployment)
    for path in package.glob("saved_*.py"):
        path.unlink()
    assert describe_code(deployment) == expected


def test_a_code_server_may_take_a_minute_to_load_on_a_busy_machine(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(GrpcServerRegistry, "__init__", lambda self, **settings: given.update(settings))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        CodeServers(instance, deployment)
    assert given["heartbeat_ttl"] >= 60  # while it loads nobody tells it that it is wanted
