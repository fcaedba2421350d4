"""Upgrading an older lake: it is told first, done at once, and only where all can be made anew."""

import itertools
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from dying_store import kill_at_change
from old_lakes import PROJECT, unpack, write_logs_of_format_3

import cupel.check.upgrade
from cupel.check.check import find_damage
from cupel.check.memory import MEMORY, Memory
from cupel.check.upgrade import upgrade_lake
from cupel.cli import main
from cupel.contract.format_numbers import LAKE
from cupel.contract.table import empty
from cupel.contract.tables.raw import DELIVERIES
from cupel.errors import FormatError, LakeError
from cupel.intake.collect_inputs import collecting
from cupel.kinds.projects import load_project
from cupel.lake.earlier_logs import earlier_logs
from cupel.lake.formats import FORMAT_FILE, recognise_lake
from cupel.lake.lake import Lake
from cupel.people.label_studio.events import Events
from cupel.release.proposals import proposed
from cupel.sources.register import Register
from cupel.store.local import LocalStore
from cupel.store.locks import claim, project_lock
from orchestration.deployment import Deployment
from small_project import write_project

OLDER = ("c2cc23b", "90b9784", "344a62c")
LOGS = ("annotator_actions", "register", "proposals", "days")


@pytest.fixture(params=OLDER)
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    return unpack(request.param, tmp_path)


def upgrade(deployment: Deployment, *options: str) -> Result:
    places = ("--projects", str(deployment.projects), "--data", str(deployment.data), "--lake", deployment.lake)
    return CliRunner().invoke(main, ["upgrade", PROJECT, *places, *options])


def content(deployment: Deployment) -> dict[str, bytes]:
    """Return what the lake holds, locks aside."""
    folder = Path(deployment.lake) / PROJECT
    files = (
        path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock" and path.parent.name != "locks"
    )
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def read_logs(lake: Lake) -> dict[str, Any]:
    return {
        "actions": lake.actions.read_with_times(), "version": lake.version("actions@one"),
        "register": Register(lake).entries(), "proposals": proposed(lake), "events": Events(lake).read(),
        "days": lake.log("days").read(), "replies": lake.log("replies/one").read(),
    }  # fmt: skip


def test_an_older_lake_is_not_written_and_the_command_is_named(deployment: Deployment) -> None:
    before = content(deployment)
    with pytest.raises(FormatError, match=rf"of format [123].*`cupel upgrade {PROJECT}`"):
        Lake(deployment.lake, PROJECT).write("deliveries", "three", empty(DELIVERIES))
    assert content(deployment) == before


def test_what_would_be_done_is_told_and_nothing_is_changed(deployment: Deployment) -> None:
    before = content(deployment)
    said = upgrade(deployment)
    assert said.exit_code == 0
    assert f"this version of Cupel writes format {LAKE}" in said.output
    is_of_now = "of format 3" in said.output
    assert ("all tables of one, two" in said.output) != is_of_now
    assert "annotator_actions, register, proposals" in said.output
    assert "-r1" in said.output
    assert "Nothing was changed" in said.output
    assert content(deployment) == before


def test_it_writes_logs_and_a_number_and_then_the_lake_may_be_written(deployment: Deployment) -> None:
    before, lake = content(deployment), Lake(deployment.lake, PROJECT)
    told = lake.actions.read_with_times(), Register(lake).entries(), proposed(lake), lake.version("actions@two")
    assert all(told)
    assert upgrade(deployment, "--yes").exit_code == 0
    after = content(deployment)
    assert after.pop(FORMAT_FILE) == f"{LAKE}\n".encode()
    assert {name for name in after if name.startswith(LOGS)} == {
        f"{log}/{name}" for log in LOGS for name in ("000000000001.jsonl", "head.json") if f"{log}/" in "".join(before)
    }
    derived = ("answers/verified.json", "seen.json", *LOGS)
    assert {name: bytes_ for name, bytes_ in after.items() if not name.startswith(derived)} == {
        name: bytes_ for name, bytes_ in before.items() if not name.startswith(derived)
    }
    lake = Lake(deployment.lake, PROJECT)
    assert told == (
        lake.actions.read_with_times(), Register(lake).entries(), proposed(lake), lake.version("actions@two")
    )  # fmt: skip
    assert find_damage(lake, is_light=False) == []
    Lake(deployment.lake, PROJECT).write("deliveries", "three", empty(DELIVERIES))
    assert "nothing to upgrade" in upgrade(deployment, "--yes").output


def test_a_kill_before_the_number_leaves_a_lake_that_the_next_upgrade_completes(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cupel.check.upgrade, "write_number", kill)
    assert upgrade(deployment, "--yes").exit_code != 0
    monkeypatch.undo()
    # One without a number is known by what it holds: where its tables are those of now, it is complete.
    if recognise_lake(Lake(deployment.lake, PROJECT).store) < LAKE:
        with pytest.raises(FormatError, match="cupel upgrade"):
            Lake(deployment.lake, PROJECT).check_writable()
    assert upgrade(deployment, "--yes").exit_code == 0


def test_a_kill_anywhere_leaves_what_is_read_as_before_and_what_the_next_upgrade_completes(tmp_path: Path) -> None:
    """At each change of the disk, of a lake with every log of format 3."""
    write_logs_of_format_3(tmp_path / "before" / PROJECT)
    before = read_logs(Lake(tmp_path / "before", PROJECT))
    assert all(before.values())
    for number in itertools.count():
        root = tmp_path / str(number)
        shutil.copytree(tmp_path / "before", root)
        project = load_project(write_project(root, name=PROJECT, items=1).projects / f"{PROJECT}.yaml")
        with kill_at_change(number) as kill:
            upgrade_lake(Lake(root, PROJECT), project, root)
        assert read_logs(Lake(root, PROJECT)) == before
        if kill.is_done and recognise_lake(LocalStore(root / PROJECT)) < LAKE:
            with pytest.raises(FormatError, match="cupel upgrade"):
                Lake(root, PROJECT).check_writable()
        upgrade_lake(Lake(root, PROJECT), project, root)
        assert recognise_lake(LocalStore(root / PROJECT)) == LAKE
        assert read_logs(Lake(root, PROJECT)) == before
        assert earlier_logs(LocalStore(root / PROJECT)) == []
        assert find_damage(Lake(root, PROJECT), is_light=False) == []
        if not kill.is_done:
            break
    assert number > 50


@pytest.mark.parametrize("name", ["days/one-r1.json", "replies/one.jsonl"])
def test_it_is_refused_where_a_log_is_not_what_it_was_when_the_lake_was_last_seen(tmp_path: Path, name: str) -> None:
    write_logs_of_format_3(tmp_path / PROJECT)
    project = load_project(write_project(tmp_path, name=PROJECT, items=1).projects / f"{PROJECT}.yaml")
    memory = Memory(LocalStore(tmp_path / PROJECT))
    memory.remember(name)
    memory.write()
    path = tmp_path / PROJECT / name
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"2026", b"2025") + b"\n")
    with pytest.raises(LakeError, match="its bytes are not those"):
        upgrade_lake(Lake(tmp_path, PROJECT), project, tmp_path)
    path.unlink()
    with pytest.raises(LakeError, match="gone"):
        upgrade_lake(Lake(tmp_path, PROJECT), project, tmp_path)
    path.write_bytes(raw)
    upgrade_lake(Lake(tmp_path, PROJECT), project, tmp_path)


def test_a_check_of_an_older_lake_leaves_the_memory_as_the_older_version_reads_it(deployment: Deployment) -> None:
    lake = Lake(deployment.lake, PROJECT)
    assert find_damage(lake, is_light=False) == []
    assert lake.store.stat(MEMORY) is None
    assert upgrade(deployment, "--yes").exit_code == 0
    assert find_damage(Lake(deployment.lake, PROJECT), is_light=False) == []
    assert lake.store.stat(MEMORY) is not None


def test_it_is_refused_where_a_delivery_could_not_be_read_again(deployment: Deployment) -> None:
    path = deployment.data / PROJECT / "one.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    if "of format 3" in upgrade(deployment).output:
        return  # its tables are those of now, and are not made anew
    assert "in the way: delivery one: colours/one.jsonl is not the file that it was" in upgrade(deployment).output
    path.unlink()
    said = upgrade(deployment, "--yes")
    assert said.exit_code == 1
    assert "not upgraded" in said.output
    assert not (Path(deployment.lake) / PROJECT / FORMAT_FILE).exists()


def test_it_is_refused_where_the_answers_log_was_altered(deployment: Deployment) -> None:
    segment = next((Path(deployment.lake) / PROJECT / "answers").glob("segment-*.parquet"))
    segment.unlink()
    assert upgrade(deployment, "--yes").exit_code == 1
    assert not (Path(deployment.lake) / PROJECT / FORMAT_FILE).exists()


def test_it_is_refused_while_a_run_is_at_work(deployment: Deployment) -> None:
    with project_lock(Lake(deployment.lake, PROJECT).store, PROJECT, "make run"):
        assert "is at work on it" in upgrade(deployment, "--yes").output


def test_it_is_refused_while_a_step_is_at_work_and_waits_for_a_collection(tmp_path: Path) -> None:
    """A service of an older version appends to the logs that are converted."""
    write_logs_of_format_3(tmp_path / PROJECT)
    project = load_project(write_project(tmp_path, name=PROJECT, items=1).projects / f"{PROJECT}.yaml")
    lake, is_done = Lake(tmp_path, PROJECT), threading.Event()
    with (
        claim(lake.store, "one", "a run"),
        pytest.raises(LakeError, match="at work on one; stop the service"),
    ):
        upgrade_lake(lake, project, tmp_path)
    assert recognise_lake(lake.store) < LAKE

    def upgrade_and_tell() -> None:
        upgrade_lake(Lake(tmp_path, PROJECT), project, tmp_path)
        is_done.set()

    thread = threading.Thread(target=upgrade_and_tell)
    with collecting(lake):
        thread.start()
        assert not is_done.wait(0.2)
        assert earlier_logs(lake.store)
    assert is_done.wait(10)
    thread.join()
    assert recognise_lake(lake.store) == LAKE


def test_a_lake_of_the_format_of_now_has_nothing_to_upgrade(tmp_path: Path) -> None:
    deployment = unpack("344a62c", tmp_path)
    assert upgrade(deployment, "--yes").exit_code == 0
    assert f"of format {LAKE}; nothing to upgrade" in upgrade(deployment).output
