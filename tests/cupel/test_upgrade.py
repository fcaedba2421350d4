"""Upgrading an older lake: it is told first, done at once, and only where all can be made anew."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from old_lakes import PROJECT, unpack

import cupel.upgrade
from cupel.cli import main
from cupel.contract.format_numbers import LAKE
from cupel.contract.table import empty
from cupel.contract.tables.raw import DELIVERIES
from cupel.errors import FormatError
from cupel.formats import FORMAT_FILE
from cupel.lake import Lake
from cupel.store.locks import project_lock
from orchestration.deployment import Deployment

OLDER = ("c2cc23b", "90b9784")


@pytest.fixture(params=OLDER)
def deployment(request: pytest.FixtureRequest, tmp_path: Path) -> Deployment:
    return unpack(request.param, tmp_path)


def upgrade(deployment: Deployment, *options: str) -> Result:
    places = ("--projects", str(deployment.projects), "--data", str(deployment.data), "--lake", deployment.lake)
    return CliRunner().invoke(main, ["upgrade", PROJECT, *places, *options])


def content(deployment: Deployment) -> dict[str, bytes]:
    """Return what the lake holds, locks aside."""
    folder = Path(deployment.lake) / PROJECT
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_an_older_lake_is_not_written_and_the_command_is_named(deployment: Deployment) -> None:
    before = content(deployment)
    with pytest.raises(FormatError, match=rf"of format [12].*`cupel upgrade {PROJECT}`"):
        Lake(deployment.lake, PROJECT).write("deliveries", "three", empty(DELIVERIES))
    assert content(deployment) == before


def test_what_would_be_done_is_told_and_nothing_is_changed(deployment: Deployment) -> None:
    before = content(deployment)
    said = upgrade(deployment)
    assert said.exit_code == 0
    assert f"this version of Cupel writes format {LAKE}" in said.output
    assert "all tables of one, two" in said.output
    assert "one-r1" in said.output
    assert "Nothing was changed" in said.output
    assert content(deployment) == before


def test_it_puts_one_file_in_place_and_then_the_lake_may_be_written(deployment: Deployment) -> None:
    before = content(deployment)
    assert upgrade(deployment, "--yes").exit_code == 0
    after = content(deployment)
    assert after.pop(FORMAT_FILE) == f"{LAKE}\n".encode()
    after.pop("answers/verified.json")
    before.pop("answers/verified.json", None)
    assert after == before
    Lake(deployment.lake, PROJECT).write("deliveries", "three", empty(DELIVERIES))
    assert "nothing to upgrade" in upgrade(deployment, "--yes").output


def test_a_kill_before_the_number_leaves_the_lake_as_it_was(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cupel.upgrade, "write_number", kill)
    assert upgrade(deployment, "--yes").exit_code != 0
    monkeypatch.undo()
    with pytest.raises(FormatError, match="cupel upgrade"):
        Lake(deployment.lake, PROJECT).check_writable()
    assert upgrade(deployment, "--yes").exit_code == 0


def test_it_is_refused_where_a_delivery_could_not_be_read_again(deployment: Deployment) -> None:
    path = deployment.data / PROJECT / "one.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
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


def test_a_lake_of_the_format_of_now_has_nothing_to_upgrade(tmp_path: Path) -> None:
    assert "of format 3; nothing to upgrade" in upgrade(unpack("344a62c", tmp_path)).output
