"""What is dropped in the inbox becomes a delivery once, whole, or stays with a reason."""

import os
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cupel.config.licences import Licence
from cupel.config.project import Project
from cupel.config.raw import Delivery
from cupel.errors import SourceError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.sources import inbox as inbox_module
from cupel.sources.inbox import Taken, answer_files, arrivals, take, take_unregistered, whole
from cupel.sources.register import Register, delivery_folder, with_registered
from cupel.store import files
from cupel.store.event_log import BrokenLogError
from small_project import write_project

NOW = datetime(2026, 1, 2, tzinfo=UTC)


class World:
    """A project with an inbox."""

    def __init__(self, folder: Path) -> None:
        deployment = write_project(folder, items=3)
        path = deployment.projects / "small.yaml"
        path.write_text(path.read_text().replace("raw:\n", "raw:\n  inbox: {licence: CC0-1.0}\n"))
        self.file = load_project(path)
        self.lake = Lake(deployment.lake, "small")
        self.inbox = folder / "inbox" / "small"
        (self.inbox / "answers").mkdir(parents=True)

    @property
    def project(self) -> Project:
        return with_registered(self.file, self.lake)

    def drop(self, name: str, content: str = '{"id": "a", "text": "x"}\n') -> Path:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def take(self) -> list[Taken]:
        return [take(arrival, self.project, self.lake, NOW) for arrival in arrivals(self.inbox)]

    def names(self) -> list[str]:
        return [arrival.path.name for arrival in arrivals(self.inbox)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_file_becomes_the_next_delivery_and_leaves_the_inbox(world: World) -> None:
    path = world.drop("Movies of May.jsonl")
    assert [(taken.outcome, taken.batch) for taken in world.take()] == [("registered", "movies-of-may")]
    assert not path.exists()
    assert list(world.project.raw.deliveries) == ["one", "movies-of-may"]
    delivery = world.project.raw.deliveries["movies-of-may"]
    assert (delivery.files, delivery.licence) == (("Movies of May.jsonl",), "CC0-1.0")
    folder = delivery_folder(world.lake, "movies-of-may", Path("data"))
    assert (folder / "Movies of May.jsonl").is_file()
    assert delivery_folder(world.lake, "one", Path("data")) == Path("data")


def test_a_folder_may_say_how_it_is_read(world: World) -> None:
    world.drop("may/a.jsonl", '{"id": "a", "body": "x"}\n')
    world.drop("may/notes.pdf", "not data")
    world.drop("may/delivery.yaml", "licence: MIT\ntext_field: body\nfiles: ['*.jsonl']\n")
    assert world.take()[0].outcome == "registered"
    delivery = world.project.raw.deliveries["may"]
    assert (delivery.licence, delivery.text_field, delivery.files) == ("MIT", "body", ("a.jsonl",))


def test_a_delivery_without_one_row_that_can_be_read_is_refused_and_one_such_row_is_enough(world: World) -> None:
    world.drop("may.jsonl", "<html>\n502\n</html>\n")
    (taken,) = world.take()
    assert (taken.outcome, taken.batch) == ("refused", None)
    assert taken.reason.startswith("may.jsonl, line 1: the line is not valid JSON; none of the 3 rows can be read.")
    assert (world.inbox / "may.jsonl.refused.txt").read_text().startswith(taken.reason)
    world.drop("may.jsonl", '<html>\n502\n{"id": "b", "text": "y"}\n')
    assert world.take()[0].outcome == "registered"


def test_the_same_content_is_recognised_whatever_it_is_called(world: World) -> None:
    world.drop("may.jsonl")
    world.take()
    world.drop("june.jsonl")
    (taken,) = world.take()
    assert (taken.outcome, taken.batch) == ("known", "may")
    assert list(world.project.raw.deliveries) == ["one", "may"]
    assert len(list((world.inbox / "_known").iterdir())) == 1
    assert world.names() == []


def test_another_content_of_the_same_name_is_another_delivery(world: World) -> None:
    world.drop("may.jsonl")
    world.take()
    world.drop("may.jsonl", '{"id": "b", "text": "y"}\n')
    assert world.take()[0].batch == "may-2"


@pytest.mark.parametrize(
    ("name", "words"), [("scan.pdf", "ends in none of"), ("empty/.hidden", None), ("f/a.exe", "ends in none of")]
)
def test_what_cannot_be_read_stays_with_a_reason_until_it_changes(world: World, name: str, words: str | None) -> None:
    path = world.drop(name)
    if words is None:
        assert [taken.outcome for taken in world.take()] in ([], ["refused"])
        return
    (taken,) = world.take()
    assert taken.outcome == "refused"
    assert words in taken.reason
    top = world.inbox / Path(name).parts[0]
    assert words in top.with_name(top.name + ".refused.txt").read_text()
    assert path.exists()
    assert world.names() == []
    path.write_text("mended, perhaps")
    assert world.names() == [top.name]


def test_a_link_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text("{}")
    os.symlink(tmp_path / "secret.jsonl", world.inbox / "link.jsonl")
    (taken,) = world.take()
    assert (taken.outcome, "is a link" in taken.reason) == ("refused", True)


def test_what_still_grows_is_not_whole_and_what_is_marked_is(world: World) -> None:
    path = world.drop("may.jsonl")
    first = arrivals(world.inbox)
    assert whole(first, {}) == []
    looks = {str(arrival.path): arrival.look for arrival in first}
    path.write_text(path.read_text() * 2)
    assert whole(arrivals(world.inbox), looks) == []
    looks = {str(arrival.path): arrival.look for arrival in arrivals(world.inbox)}
    assert [arrival.path for arrival in whole(arrivals(world.inbox), looks)] == [path]
    world.drop("may.jsonl.done", "")
    assert [arrival.path for arrival in whole(arrivals(world.inbox), {})] == [path]
    world.drop("june.jsonl.part")
    world.drop(".july.jsonl")
    assert world.names() == ["may.jsonl"]
    world.take()
    assert list(world.inbox.glob("may*")) == []


def test_a_delivery_that_vanishes_is_said_and_nothing_breaks(world: World) -> None:
    path = world.drop("may.jsonl")
    (arrival,) = arrivals(world.inbox)
    path.unlink()
    taken = take(arrival, world.project, world.lake, NOW)
    assert taken.outcome in ("gone", "refused")
    assert list(world.project.raw.deliveries) == ["one"]


def test_a_kill_between_files_and_register_is_mended(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.drop("may.jsonl")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Register, "add", killed)
        with pytest.raises(KeyboardInterrupt):
            world.take()
    (Register(world.lake).root / "june").mkdir()
    assert list(world.project.raw.deliveries) == ["one"]
    assert [taken.batch for taken in take_unregistered(world.project, world.lake, NOW)] == ["may"]
    assert list(world.project.raw.deliveries) == ["one", "may"]


def test_between_file_systems_a_delivery_is_copied_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = os.rename

    def across(source: Path, target: Path) -> None:
        if Path(source).is_relative_to(world.inbox):
            raise OSError(18, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(files.os, "rename", across)
    world.drop("may/a.jsonl")
    world.drop("june.jsonl", '{"id": "j", "text": "z"}\n')
    assert {taken.outcome for taken in world.take()} == {"registered"}
    assert sorted(world.project.raw.deliveries) == ["june", "may", "one"]
    assert world.names() == []


def test_a_kill_while_it_is_copied_leaves_the_source_and_blocks_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def across(source: Path, target: Path) -> None:
        raise OSError(18, "Invalid cross-device link")

    def killed(source: Path, target: Path) -> None:
        Path(target).write_bytes(Path(source).read_bytes()[:5])
        raise KeyboardInterrupt

    world.drop("june.jsonl")
    world.drop("answers/a.csv", "batch,item_id,purpose,annotator,label\n")
    with monkeypatch.context() as patch:
        patch.setattr(files.os, "rename", across)
        patch.setattr(files.shutil, "copyfile", killed)
        for arrival in arrivals(world.inbox):
            with pytest.raises(KeyboardInterrupt):
                take(arrival, world.project, world.lake, NOW)
    assert take_unregistered(world.project, world.lake, NOW) == []
    assert [taken.outcome for taken in world.take()] == ["registered", "registered"]
    assert list(world.project.raw.deliveries) == ["one", "june"]
    assert [path for path in Path(str(world.lake.folder)).rglob("*") if inbox_module.COPY in path.name] == []


def test_a_marker_never_outlives_what_it_marked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    world.drop("may.jsonl")
    world.drop("may.jsonl.done", "")
    with monkeypatch.context() as patch:
        patch.setattr(inbox_module, "_move", killed)
        with pytest.raises(KeyboardInterrupt):
            world.take()
    assert [arrival.is_marked for arrival in arrivals(world.inbox)] == [False]


def test_answers_are_taken_in_the_order_of_their_arrival_and_once(world: World) -> None:
    world.drop("answers/z.csv", "batch,item_id,purpose,annotator,label\n")
    world.take()
    world.drop("answers/a.csv", "batch,item_id,purpose,annotator,label\none,i0,label,ann,warm\n")
    world.drop("answers/b.xlsx", "?")
    assert sorted(taken.outcome for taken in world.take()) == ["refused", "registered"]
    world.drop("answers/again.csv", "batch,item_id,purpose,annotator,label\n")
    assert [taken.outcome for taken in world.take()] == ["known"]
    assert [path.name[:6] + path.name[-6:] for path in answer_files(world.lake)] == ["000001-z.csv", "000002-a.csv"]


def test_a_signature_is_taken_with_its_file_of_answers_and_is_none_itself(world: World) -> None:
    world.drop("answers/a.csv", "batch,item_id,purpose,annotator,label\n")
    before = [arrival.look for arrival in arrivals(world.inbox)]
    world.drop("answers/a.csv.dsse.json", "{}")
    assert world.names() == ["a.csv"]
    assert [arrival.look for arrival in arrivals(world.inbox)] != before  # not whole while its signature still comes
    world.take()
    [path] = answer_files(world.lake)
    assert path.with_name(f"{path.name}.dsse.json").read_text() == "{}"
    world.drop("answers/again.csv", "batch,item_id,purpose,annotator,label\n")
    world.drop("answers/again.csv.dsse.json", "{}")
    assert [taken.outcome for taken in world.take()] == ["known"]
    assert list((world.inbox / "answers").iterdir()) == []


def test_a_register_with_a_gap_or_a_broken_entry_is_an_error(world: World) -> None:
    for number in range(3):
        world.drop(f"d{number}.jsonl", f'{{"id": "{number}", "text": "x"}}\n')
    world.take()
    folder = world.lake.folder / "register"
    second = folder / "000000000002.jsonl"
    kept = second.read_bytes()
    second.unlink()
    with pytest.raises(BrokenLogError, match="000000000003"):
        Register(world.lake).entries()
    second.write_bytes(kept[:20])
    with pytest.raises(BrokenLogError, match="event 2 cannot be read"):
        Register(world.lake).entries()
    second.write_bytes(kept)
    shutil.rmtree(folder)
    assert len(take_unregistered(world.project, world.lake, NOW)) == 3


def test_of_those_that_register_one_name_at_once_one_does(tmp_path: Path) -> None:
    delivery = Delivery(files=("a.jsonl",), licence="CC0-1.0")

    def register(number: int) -> str:
        try:
            return Register(Lake(tmp_path, "small")).add(f"d{number // 4}", {"a.jsonl": "0"}, delivery, NOW).batch
        except SourceError as error:
            return str(error)

    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(register, range(8)))
    entries = Register(Lake(tmp_path, "small")).entries()
    assert [entry.sequence for entry in entries] == [1, 2]
    assert {entry.batch for entry in entries} == {"d0", "d1"}
    assert sum("the name is taken" in words for words in said) == 6


def test_the_clock_decides_nothing(world: World) -> None:
    world.drop("may.jsonl")
    (arrival,) = arrivals(world.inbox)
    take(arrival, world.project, world.lake, NOW)
    world.drop("june.jsonl", '{"id": "b", "text": "y"}\n')
    (arrival,) = arrivals(world.inbox)
    take(arrival, world.project, world.lake, datetime(1999, 1, 1, tzinfo=UTC))
    assert list(world.project.raw.deliveries) == ["one", "may", "june"]


def test_a_name_of_a_registered_delivery_is_not_free_for_the_project_file(world: World) -> None:
    world.drop("one-more.jsonl")
    world.take()
    deliveries = world.file.raw.deliveries | {"one-more": world.file.raw.deliveries["one"]}
    changed = world.file.model_copy(update={"raw": world.file.raw.model_copy(update={"deliveries": deliveries})})
    with pytest.raises(SourceError, match="one-more"):
        with_registered(changed, world.lake)


def test_a_delivery_under_a_licence_that_the_project_does_not_name_stays_in_the_inbox(world: World) -> None:
    world.file = world.file.model_copy(update={"licences": (Licence(name="CC0-1.0"),)})
    world.drop("may/a.jsonl")
    world.drop("may/delivery.yaml", "licence: cc0-1.0\n")
    (taken,) = world.take()
    assert (taken.outcome, taken.batch) == ("refused", None)
    assert "may/delivery.yaml: key licence: 'cc0-1.0' is not among the project's licences; write it 'CC0-1.0'" in (
        taken.reason
    )


def test_one_entry_that_cannot_be_taken_is_refused_alone(world: World) -> None:
    inbox = world.inbox
    (inbox / ("x" * 249 + ".jsonl")).write_text("{}")
    (inbox / "root").symlink_to("/")
    (inbox / "inner").mkdir()
    (inbox / "inner" / "link.jsonl").symlink_to("/etc/passwd")
    (inbox / "good.jsonl.done").mkdir()
    os.mkfifo(inbox / "pipe.jsonl")
    os.mkdir(os.fsencode(inbox) + b"/caf\xe9")
    place = os.open(inbox, os.O_RDONLY)
    for _ in range(60):
        os.mkdir("deep", dir_fd=place)
        inner = os.open("deep", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    (inbox / "noise.txt").write_bytes(b"a\n" + random.Random(1).randbytes(50_000))
    world.drop("good.jsonl")
    found = {taken.name[:12]: (taken.outcome, taken.reason) for taken in world.take()}
    assert found.pop("good.jsonl")[0] == "registered"
    assert {name: outcome for name, (outcome, _) in found.items()} == dict.fromkeys(
        ["x" * 12, "root", "inner", "good.jsonl.d", "pipe.jsonl", "caf\\udce9", "deep", "noise.txt"], "refused"
    )
    for name, words in {
        "x" * 12: "longer than 200 bytes", "root": "is a link", "inner": "link.jsonl is a link", "deep": "more than 32",
        "good.jsonl.d": "ends as that of a note", "pipe.jsonl": "not a regular file", "noise.txt": "of the first",
    }.items():  # fmt: skip
        assert words in found[name][1]
    assert world.names() == []  # each was refused once, and is looked at again when it changes
    assert len(list(inbox.glob("*.refused.txt"))) == 8


def test_what_is_taken_into_a_lake_is_its_owners_alone(world: World) -> None:
    world.drop("may/a.jsonl")
    world.drop("answers/crew.csv", "batch,item_id,purpose,annotator,label\none,a,label,ann,warm\n")
    world.take()
    world.lake.write_catalog()
    there = [world.lake.folder, *world.lake.folder.rglob("*")]
    assert {path.name for path in there} >= {"a.jsonl", "catalog.duckdb"}
    for path in there:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path
