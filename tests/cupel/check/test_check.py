"""What a check finds in a small lake, with no chain at work."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner, Result

from cupel.check.accept import accept_losses
from cupel.check.aside import Aside, clear_for_run, describe_again
from cupel.check.check import find_damage
from cupel.check.damage import Damage
from cupel.check.memory import MEMORY, Memory
from cupel.cli import main
from cupel.contract.table import empty, from_rows
from cupel.contract.tables import TABLES
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError, FormatError, LakeError
from cupel.lake.draw_log import DRAWN, DRAWS
from cupel.lake.lake import Commit, Lake
from cupel.people.label_studio.record import LAKE_ID, Records
from cupel.release import layout
from cupel.release.reported import made_from
from cupel.sources.inbox import COPY
from cupel.store.locks import claim, is_at_work
from cupel.store.sealed import open_sealed, seal_json
from made_releases import make_terms

GIVEN = pa.schema([field for field in ANSWERS.schema if field.name not in ("sequence", "hash")])


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake that was looked at: a log, two tables of a batch, a proposal, a file that is written once."""
    lake = Lake(tmp_path / "lake", "small")
    rows = [{"answer_id": "a", "batch": "one", "item_id": "i", "purpose": "label", "label": "x", "source": "test"}]
    lake.answers.append(pa.Table.from_pylist(rows, schema=GIVEN))
    for table in ("raw_items", "annotations"):
        lake.write(table, "one", empty(TABLES[table]), {"answers:label@one": lake.version("answers:label@one")})
    lake.log("proposals").append(lambda _: [{"asked_by": "eve", "release": "one-r1"}])
    Records(lake).lake_id()
    assert find_damage(lake, is_light=True) == []
    assert find_damage(lake, is_light=False) == []
    return lake


def part(lake: Lake, table: str = "raw_items") -> Path:
    return Path(lake.files(table, "one")[0])


def found(lake: Lake, *, is_light: bool = True) -> list[Damage]:
    return find_damage(Lake(lake.root, "small"), is_light=is_light)


def test_a_part_that_looks_otherwise_is_read_again_by_the_light_form(lake: Lake) -> None:
    content = part(lake).read_bytes()
    part(lake).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (one,) = found(lake)
    assert (one.table, one.by_run, one.hash) == ("raw_items", True, lake.version("raw_items@one"))
    part(lake).write_bytes(content)
    assert found(lake) == []


def test_a_release_whose_draw_is_not_in_the_log_any_more_is_damage(lake: Lake) -> None:
    terms = make_terms(10, release="one-r1", freeze_sha256="a" * 64, nonce="n", nonce_source="operating system")
    draw = {"event": DRAWN, "release": "one-r1", "part": "audit", "frozen_sha256": "a" * 64, "nonce": "n"}
    lake.write("release_plan", "one-r1", from_rows([terms.to_plan()], TABLES["release_plan"]))
    lake.log(DRAWS).append(lambda _: [draw])
    assert found(lake) == []
    shutil.rmtree(lake.folder / DRAWS)
    (lake.folder / MEMORY).unlink()  # nobody remembers that there was a log
    assert [one.what for one in found(lake)] == ["holds no draw of one-r1"]
    lake.log(DRAWS).append(lambda _: [draw | {"nonce": "another"}])
    assert [one.what for one in found(Lake(lake.root, "small"))] == ["holds another draw than the plan of one-r1"]


def test_a_byte_that_changed_without_a_trace_is_found_in_full(lake: Lake) -> None:
    path, stat = part(lake), part(lake).stat()
    content = path.read_bytes()
    with path.open("r+b") as file:
        file.write(bytes([content[0] ^ 1]))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert found(lake) == []
    (one,) = found(lake, is_light=False)
    assert one.table == "raw_items"


def test_what_a_run_makes_again_is_moved_aside_and_its_hash_is_compared_afterwards(lake: Lake) -> None:
    before, said = lake.version("raw_items@one"), list[str]()
    part(lake).write_bytes(b"")
    again = clear_for_run(lake, found(lake), said.append)
    assert again == {("raw_items", "one"): before}
    assert "it was moved to" in said[0]
    assert lake.commit("raw_items", "one") is None
    assert [path.read_bytes() for path in (Path(str(lake.folder)) / "damaged").rglob("part-*")] == [b""]
    assert "not made again yet" in describe_again(lake, again)[0]
    lake.write("raw_items", "one", empty(TABLES["raw_items"]))
    assert describe_again(lake, again) == [f"raw_items of one: made again, the same bytes ({before[:12]})"]
    assert "other than before" in describe_again(lake, {("raw_items", "one"): "f" * 64})[0]


def test_a_batch_that_a_step_is_at_work_on_is_left_alone(lake: Lake) -> None:
    part(lake).write_bytes(b"")
    with claim(lake.store, "one", "a-run"):
        assert is_at_work(lake.store, "one")
        assert clear_for_run(lake, found(lake), print) == {}
    assert not is_at_work(lake.store, "one")
    assert part(lake).exists()


def test_a_table_that_was_there_and_is_gone_is_told(lake: Lake) -> None:
    (part(lake).parent / "commit.json").unlink()
    (one,) = found(lake)
    assert one.path == "tables/raw_items/one/commit.json"


def test_a_writer_killed_before_its_first_commit_left_no_damage(lake: Lake) -> None:
    folder = lake.partition_folder("labels", "two")
    Path(str(folder)).mkdir(parents=True)
    (Path(str(folder)) / f"part-{'0' * 64}.parquet").write_bytes(b"begun")
    assert found(lake) == []


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_a_file_that_is_written_once_is_missed_and_known_again(lake: Lake, content: bytes | None) -> None:
    path = Path(str(lake.folder)) / LAKE_ID
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    (one,) = found(lake)
    assert (one.path, one.kind) == (LAKE_ID, "kept file")
    with pytest.raises(LakeError, match="--accept label_studio"):
        clear_for_run(lake, [one], print)
    assert accept_losses(lake, [one], [one.path])
    assert found(lake) == []
    event = json.loads((Path(str(lake.folder)) / "damaged" / "accepted.jsonl").read_text())
    assert event["path"] == one.path


def test_a_logs_head_that_is_gone_is_missed_and_a_whole_log_too(lake: Lake) -> None:
    (lake.folder / "proposals" / "head.json").unlink()
    (one,) = found(lake)
    assert (one.path, one.what) == ("proposals/head.json", "gone; it was there when the lake was last seen")
    shutil.rmtree(lake.folder / "proposals")
    assert {one.path for one in found(lake)} == {"proposals/head.json", "proposals/000000000001.jsonl"}


def test_replies_that_were_altered_are_told_in_full_and_can_be_moved_aside(lake: Lake) -> None:
    lake.log("replies/one").append(lambda _: [{"key": "0" * 64, "problem": "too late", "charged": [9, 1]}])
    assert found(lake, is_light=False) == []
    (segment,) = (lake.folder / "replies" / "one").glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"late", b"soon"))
    (one,) = found(lake, is_light=False)
    assert (one.path, one.kind, one.by_repair) == ("replies/one", "derived file", True)
    assert Aside(lake.folder).move(one.path) is not None
    assert found(lake, is_light=False) == []


def test_what_is_whole_or_a_log_cannot_be_accepted(lake: Lake) -> None:
    with pytest.raises(LakeError, match="nothing is wrong"):
        accept_losses(lake, found(lake), [LAKE_ID])
    shutil.rmtree(lake.folder / "answers")
    with pytest.raises(LakeError, match="restore"):
        accept_losses(lake, found(lake), ["answers"])


@pytest.mark.parametrize("content", [None, b"", b"[]", b'{"files": 1}'])
def test_a_memory_that_is_damaged_is_made_anew(lake: Lake, content: bytes | None) -> None:
    path = Path(str(lake.folder)) / MEMORY
    before = path.read_bytes()
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert found(lake) == []
    assert path.read_bytes() == before


def test_what_an_earlier_version_remembered_still_holds(lake: Lake) -> None:
    path = lake.folder / MEMORY
    content = open_sealed(path.read_bytes())
    for name, (sha256, _) in content["files"].items():
        about = (lake.folder / name).stat()
        content["files"][name] = [sha256, about.st_size, about.st_mtime_ns, about.st_ino]
    name = LAKE_ID
    content["files"][name][0] = "f" * 64  # by which it is seen that the file is not read again
    path.write_bytes(seal_json(content))
    memory = Memory(lake.store)
    assert memory.sha256(name) == "f" * 64
    assert memory.paths() == sorted(content["files"])


def test_a_memory_that_was_altered_is_not_believed(lake: Lake) -> None:
    path = Path(str(lake.folder)) / MEMORY
    raw = path.read_bytes()
    known = Memory(lake.store).known(LAKE_ID)
    assert known is not None
    path.write_bytes(raw.replace(known.encode(), b"0" * 64))
    assert Memory(lake.store).known(LAKE_ID) is None


def test_an_unknown_file_is_told_and_is_no_damage(lake: Lake) -> None:
    (Path(str(lake.folder)) / "notes.txt").write_text("mine")
    assert found(lake) == []
    (one,) = found(lake, is_light=False)
    assert (one.path, one.is_told_only) == ("notes.txt", True)


def test_a_lake_of_a_newer_version_is_refused_and_a_number_that_is_none_is_told(lake: Lake) -> None:
    path = Path(str(lake.folder)) / "FORMAT"
    path.write_text("999\n")
    with pytest.raises(FormatError):
        found(lake)
    path.write_text("")
    (one,) = found(lake)
    assert (one.path, one.by_repair) == ("FORMAT", True)


def test_a_head_that_is_lost_is_written_again_where_it_is_known_how_far_the_log_reached(lake: Lake) -> None:
    path = Path(str(lake.folder)) / "answers" / "head.json"
    before = path.read_bytes()
    path.write_text("{")
    (one,) = found(lake)
    assert one.by_repair
    lake.answers.restore_head()
    assert path.read_bytes() == before
    path.with_name("verified.json").unlink()
    with pytest.raises(AnswerError, match="nobody remembers"):
        lake.answers.restore_head()


def test_a_head_that_is_behind_the_log_is_brought_up_to_it(lake: Lake) -> None:
    path = Path(str(lake.folder)) / "answers" / "head.json"
    before = path.read_bytes()
    path.write_text(json.dumps({"sequence": 0, "hash": "0" * 64}))
    assert clear_for_run(lake, found(lake), print) == {}
    assert path.read_bytes() == before


@pytest.mark.parametrize("change", [{"hash": "0"}, {"inputs": {}}, {"code_version": "2"}, {"rows": 7}, {"more": 1}])
def test_a_commit_that_says_something_else_is_refused(lake: Lake, change: dict[str, Any]) -> None:
    path = part(lake, "annotations").parent / "commit.json"
    content = json.loads(path.read_bytes()) | change
    path.write_text(json.dumps(content))
    with pytest.raises(LakeError, match="not a commit as it was written"):
        lake.commit("annotations", "one")


def test_a_commit_in_the_place_of_another_is_refused(lake: Lake) -> None:
    shutil.copy(part(lake).parent / "commit.json", part(lake, "annotations").parent / "commit.json")
    with pytest.raises(LakeError, match="it is that of raw_items of one"):
        lake.commit("annotations", "one")


def test_a_commit_from_before_there_were_seals_is_read(lake: Lake) -> None:
    path = part(lake).parent / "commit.json"
    commit = lake.commit("raw_items", "one")
    path.write_text(json.dumps(open_sealed(path.read_bytes())))
    assert lake.commit("raw_items", "one") == commit
    assert open_sealed(seal_json({"a": 1})) == {"a": 1}


def check(lake: Lake, *options: str) -> Result:
    places = ["--lake", str(lake.root), "--home", str(Path(str(lake.root)).parent / "none")]
    return CliRunner().invoke(main, ["check", *places, *options])


def test_the_command_exits_0_where_all_is_whole_1_where_not_and_writes_what_it_found(
    lake: Lake, tmp_path: Path
) -> None:
    file = tmp_path / "found.json"
    assert check(lake, "small", "--json", str(file)).exit_code == 0
    assert [row["is_whole"] for row in json.loads(file.read_text())] == [True, True]
    part(lake).unlink()
    said = check(lake, "--json", str(file))
    assert said.exit_code == 1
    assert "make run PROJECT=small" in " ".join(said.output.split())
    (damage,) = json.loads(file.read_text())[1]["damages"]
    assert damage["table"] == "raw_items"
    assert check(lake, "other").exit_code == 1
    assert check(lake, "--nonsense").exit_code == 2
    assert check(lake, "--accept", "x").exit_code == 1


@pytest.fixture
def _ends_with_its_manifest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Releases whose tables have no rows, and which are finished when they have a manifest."""

    def has_manifest(lake: Lake, release: str) -> bool:
        return lake.commit("manifest", release) is not None

    monkeypatch.setattr("cupel.check.examined.is_finished", has_manifest)


def finish(lake: Lake, **inputs: str) -> None:
    """Write the tables without which no release is finished; the certificate was made from these inputs."""
    for table in ("release_plan", "certificate", "training_set", "manifest"):
        lake.write(table, "one-r1", empty(TABLES[table]), inputs if table == "certificate" else {})


@pytest.mark.usefixtures("_ends_with_its_manifest")
def test_what_a_release_was_before_its_end_is_not_held_against_it(lake: Lake) -> None:
    """A collection looks at a lake while a release is under way, and remembers its tables as they are then."""
    lake.write("audit", "one-r1", empty(TABLES["audit"]), {})
    assert found(lake) == []
    memory = Memory(lake.store)
    memory.marks["audit@one-r1"] = "f" * 64  # as it was while answers were awaited
    memory.write()
    finish(lake)
    assert not [one for one in found(lake) if one.table == "audit"]
    marks = Memory(lake.store).marks
    assert "finished@one-r1" in marks
    assert marks["audit@one-r1"] == lake.version("audit@one-r1")


@pytest.mark.usefixtures("_ends_with_its_manifest")
def test_a_table_of_another_time_is_told_again_by_every_look_also_where_nothing_was_remembered(lake: Lake) -> None:
    lake.write("audit", "one-r1", empty(TABLES["audit"]), {})
    finish(lake, **{"audit@one-r1": "f" * 64})
    for _ in range(3):
        assert [one.what[:15] for one in found(lake) if one.table == "audit"] == ["of another time"]


@pytest.mark.usefixtures("_ends_with_its_manifest")
def test_what_a_gate_that_is_asked_no_more_judged_is_not_held_against_a_release(lake: Lake) -> None:
    lake.write("release_tasks", "one-r1", empty(TABLES["release_tasks"]), {})
    results = empty(TABLES["gate_results"])
    lake.write("gate_results", "release_tasks--one-r1", results, {"release_tasks@one-r1": "f" * 64})
    finish(lake)
    assert not [one for one in found(lake) if one.table == "release_tasks"]


class LakeAtWork(Lake):
    """A lake in which something is written while one commit is read."""

    def __init__(self, lake: Lake, key: tuple[str, str], write: Callable[[], object]) -> None:
        super().__init__(lake.root, lake.project)
        self._key, self._write = key, [write]

    def commit(self, table: str, partition: str) -> Commit | None:
        is_before = (table, partition) == self._key and self._write
        read = super().commit(table, partition)
        if is_before:
            self._write.pop()()
        return read


@pytest.mark.usefixtures("_ends_with_its_manifest")
def test_a_release_that_ends_while_its_lake_is_looked_at_is_no_damage(lake: Lake) -> None:
    def end() -> None:
        row = {
            "release": "one-r1",
            "language": "und",
            "items_in": 1,
            "items": 1,
            "withheld": 0,
            "audited": 0,
            "wrong": 0,
        }
        lake.write("release_languages", "one-r1", from_rows([row], TABLES["release_languages"]))
        finish(lake)

    lake.write("release_languages", "one-r1", empty(TABLES["release_languages"]))
    find_damage(LakeAtWork(lake, ("release_languages", "one-r1"), end), is_light=True)
    assert not [one for one in found(lake) if one.table == "release_languages"]


def test_tables_that_are_written_while_their_lake_is_looked_at_are_not_gone(lake: Lake) -> None:
    def begin() -> None:
        lake.write("raw_items", "two", empty(TABLES["raw_items"]))
        lake.write("annotations", "two", empty(TABLES["annotations"]), {"raw_items@two": lake.version("raw_items@two")})

    lake.write("annotations", "two", empty(TABLES["annotations"]))
    assert find_damage(LakeAtWork(lake, ("raw_items", "one"), begin), is_light=True) == []


def test_a_part_that_is_pruned_while_its_lake_is_looked_at_is_no_damage(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    superseded = part(lake).with_name(f"part-{'0' * 64}.parquet")
    superseded.write_bytes(b"of before")
    sha256 = Memory.sha256

    def prune_first(memory: Memory, path: str) -> str:
        if path.endswith(superseded.name):
            superseded.unlink()
        return sha256(memory, path)

    monkeypatch.setattr(Memory, "sha256", prune_first)
    assert find_damage(lake, is_light=False) == []


def test_a_delivery_that_is_being_copied_is_not_missed_afterwards(lake: Lake) -> None:
    copy = Path(str(lake.folder)) / "deliveries" / f"{COPY}1"
    copy.mkdir(parents=True)
    (copy / "half.jsonl").write_text("{")
    assert found(lake) == found(lake, is_light=False) == []
    copy.rename(copy.with_name("two"))
    assert found(lake) == []
    (copy.with_name("two") / "half.jsonl").unlink()
    assert [one.path for one in found(lake)] == ["deliveries/two/half.jsonl"]


@pytest.mark.usefixtures("_ends_with_its_manifest")
def test_a_table_of_a_release_that_nobody_can_make_again_can_be_accepted_as_damaged_as_it_is(lake: Lake) -> None:
    lake.write("audit", "one-r1", empty(TABLES["audit"]), {})
    finish(lake)
    path = Path(lake.files("audit", "one-r1")[0])
    path.write_bytes(b"nothing")
    (one,) = (one for one in found(lake) if one.table == "audit")
    accept_losses(lake, [one], [one.path])
    assert not [one for is_light in (True, False) for one in found(lake, is_light=is_light) if one.table == "audit"]
    path.unlink()
    assert [one.what for one in found(lake) if one.table == "audit"] == ["gone"]


def test_no_step_begins_while_a_damaged_table_is_moved_aside(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    part(lake).write_bytes(b"")
    claiming, is_held = Path(str(lake.folder)) / "locks" / ".claiming", list[bool]()
    move = Aside.move

    def look_and_move(aside: Aside, path: str) -> Path | None:
        with claiming.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                is_held.append(True)
        return move(aside, path)

    monkeypatch.setattr(Aside, "move", look_and_move)
    assert clear_for_run(lake, found(lake), print)
    assert is_held == [True]


@pytest.mark.usefixtures("_ends_with_its_manifest")
def test_a_report_that_is_due_is_no_damage_and_one_that_is_gone_is(lake: Lake) -> None:
    def reports() -> list[Damage]:
        return [one for is_light in (True, False) for one in found(lake, is_light=is_light) if one.kind == "report"]

    finish(lake)
    assert reports() == []
    folder = Path(str(lake.folder)) / "reports" / "one-r1"
    folder.mkdir(parents=True)
    for name in ("report.html", "relabel_next.csv"):
        (folder / name).write_text("of before the end")
    (folder / ".made_from").write_text("certificate@one-r1 absent\n")
    assert reports() == []
    (folder / ".made_from").write_text(made_from(lake, "one-r1") + "report.html 0\n")
    assert {one.path for one in reports()} == {"reports/one-r1/report.html"}


def test_a_lake_of_a_newer_version_does_not_keep_the_others_from_being_checked(lake: Lake, tmp_path: Path) -> None:
    other = Lake(lake.root, "later")
    other.write("raw_items", "one", empty(TABLES["raw_items"]))
    (Path(str(other.folder)) / "FORMAT").write_text("999\n")
    part(lake).unlink()
    file = tmp_path / "found.json"
    assert check(lake, "--json", str(file)).exit_code == 1
    assert [(row["project"], [one["kind"] for one in row["damages"]]) for row in json.loads(file.read_text())[1:]] == [
        ("later", ["format"]), ("small", ["table"]),
    ]  # fmt: skip


def test_what_a_run_writes_while_a_lake_is_looked_at_is_no_unknown_file(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, covered = Path(str(lake.folder)) / "reports" / "one-r1", layout.covered

    def write_first(optional: tuple[str, ...]) -> list[str]:
        folder.mkdir(parents=True)
        (folder / "report.html").touch()
        return list(covered(optional))

    monkeypatch.setattr("cupel.check.files.layout.covered", write_first)
    assert find_damage(lake, is_light=False) == []
