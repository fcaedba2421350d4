"""Logs of lakes up to format 3: read as they were, verified by what they had, written by nobody."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from old_lakes import write_logs_of_format_3

from cupel.check.check import find_damage
from cupel.errors import FormatError, LakeError
from cupel.lake.annotator_actions import Action
from cupel.lake.earlier_logs import convert_log, earlier_files, earlier_logs, is_earlier_file
from cupel.lake.lake import Lake
from cupel.people.label_studio.events import Events, event
from cupel.release.days import recorded_day
from cupel.release.proposals import proposed
from cupel.sources.register import Register
from cupel.store.event_log import EventLog
from cupel.store.sealed import seal_json

LOGS = ["annotator_actions", "register", "proposals", "days", "label_studio/events", "replies/one"]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    write_logs_of_format_3(tmp_path / "small")
    return Lake(tmp_path, "small")


def test_each_log_is_read_as_it_was_written(lake: Lake) -> None:
    assert [(action.annotator, action.deed) for action in lake.actions.read("one")] == [
        ("ann", "warn"), ("bob", "warn"), ("cy", "warn"),
    ]  # fmt: skip
    assert all(at is not None for _, at in lake.actions.read_with_times())
    assert [(entry.sequence, entry.batch) for entry in Register(lake).entries()] == [(1, "two"), (2, "three")]
    assert proposed(lake) == ["one-r1", "one-r10", "one-r2"]
    assert [one["release"] for one in lake.log("proposals").read()] == ["one-r1", "one-r2", "one-r10"]
    assert [one["day"] for one in lake.log("days").read()] == ["2026-01-31"] * 2
    assert [one.name for one in Events(lake).read()] == [
        f"deleted/annotators/1/{task}/{number}" for task in (1, 2) for number in (7, 8)
    ]
    assert [one["charged"] for one in lake.log("replies/one").read()] == [[9, 1], [9, 1]], (
        "a line cut short is left out"
    )


def test_all_their_files_are_known_and_nothing_else_is_one(lake: Lake) -> None:
    assert earlier_logs(lake.store) == LOGS
    files = {file for log in LOGS for file in earlier_files(lake.store, log)}
    there = {path.relative_to(lake.folder).as_posix() for path in lake.folder.rglob("*") if path.is_file()}
    assert files == there - {"FORMAT"}
    assert {name for name in there if is_earlier_file(name)} == {name for name in files if not name.endswith("FORMAT")}
    for log in LOGS:
        convert_log(lake.store, log)
        assert not any(is_earlier_file(one.name) for one in lake.store.list(log))
    assert earlier_logs(lake.store) == []


def test_nothing_is_appended_to_them_and_the_command_is_named(lake: Lake) -> None:
    before = {path: path.read_bytes() for path in lake.folder.rglob("*") if path.is_file()}
    action = Action("one", "eve", "warn", 1.0, "guessing", "", None, None, 1, "a policy", 0)
    for append in (
        lambda: lake.actions.append([action]), lambda: recorded_day(lake, "one-r1"),
        lambda: Events(lake).append([event("annotators", "deleted", 1, 2, 3, None)]),
    ):  # fmt: skip
        with pytest.raises(FormatError, match=r"of format 3.*`cupel upgrade small`"):
            append()
    assert {path: path.read_bytes() for path in lake.folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(("name", "content", "words"), [
    ("annotator_actions/000002.json", None, "000003.json: action 2 is missing, or one before it was altered"),
    ("annotator_actions/000002.json", b"{}", "000002.json: action 2"),
    ("annotator_actions/000001.json", b"[1]", "000001.json: not an action"),
    ("register/000001.json", None, "000002.json: entry 1 is missing"),
    ("register/000001.json", b"{", "000001.json: not an entry of the register"),
    ("proposals/one-r1.json", b"", "one-r1.json: not a proposal"),
    ("days/one-r1.json", b'{"day": "soon", "release": "one-r1"}', "one-r1.json: it does not say the release's day"),
    ("days/one-r1.json", b'{"day": "2026-01-31", "release": "one-r2"}', "it does not say the release's day"),
    ("label_studio/events/000001.jsonl", None, "000002.jsonl: file 000001.jsonl is missing before it"),
    ("label_studio/events/000001.jsonl", b"[]\n", "000001.jsonl: not events"),
])  # fmt: skip
def test_what_is_damaged_is_neither_read_nor_converted(
    lake: Lake, name: str, content: bytes | None, words: str
) -> None:
    (lake.folder / name).unlink()
    if content is not None:
        (lake.folder / name).write_bytes(content)
    log = name.rpartition("/")[0]
    with pytest.raises(LakeError, match=words):
        lake.log(log).read()
    with pytest.raises(LakeError, match=words):
        convert_log(lake.store, log)
    assert EventLog(lake.store, log).read() == []


def test_an_event_log_that_is_another_is_not_taken_for_the_converted_one(lake: Lake) -> None:
    EventLog(lake.store, "days").append(lambda _: [{"release": "one-r1", "day": "2026-02-01"}])
    with pytest.raises(LakeError, match="days: an event log is there already"):
        convert_log(lake.store, "days")
    assert len(earlier_files(lake.store, "days")) == 2


def test_the_check_of_a_lake_that_was_not_upgraded_misses_what_its_own_version_saw(lake: Lake) -> None:
    path = lake.folder / "days" / "one-r2.json"
    stat, sha256 = path.stat(), hashlib.sha256(path.read_bytes()).hexdigest()
    seen = seal_json(
        {"files": {"days/one-r2.json": [sha256, stat.st_size, stat.st_mtime_ns, stat.st_ino]}, "marks": {}}
    )
    (lake.folder / "seen.json").write_bytes(seen)
    assert find_damage(lake, is_light=True) == []
    path.unlink()
    assert [one.path for one in find_damage(lake, is_light=True)] == ["days/one-r2.json"]
    assert (lake.folder / "seen.json").read_bytes() == seen


def test_in_a_lake_of_now_a_file_of_an_older_log_is_nothing(tmp_path: Path, lake: Lake) -> None:
    (lake.folder / "FORMAT").write_text("4\n")
    assert Lake(tmp_path, "small").log("days").read() == []
    shutil.rmtree(lake.folder)
    lake = Lake(tmp_path, "small")
    recorded_day(lake, "one-r1")
    (lake.folder / "days" / "one-r2.json").write_text(json.dumps({"release": "one-r2", "day": "2026-01-31"}))
    assert [one["release"] for one in Lake(tmp_path, "small").log("days").read()] == ["one-r1"]
    assert [(one.path, one.kind) for one in find_damage(lake, is_light=False)] == [("days/one-r2.json", "unknown file")]
