"""What goes wrong from outside while the chain is left running: each is said clearly, and nothing is lost."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from cupel.errors import AnswerError, ProjectError
from cupel.kinds.projects import load_project
from cupel.lake.lake import Lake
from cupel.people.answers.recorded import RecordedWorkforce
from cupel.sources.delivery import Chunk, DeliveryReader
from orchestration.deployment import Deployment
from orchestration.rounds import Done, Rounds
from small_project import NO_RELEASE, write_project

ITEMS = 120


def rounds(deployment: Deployment, say: Callable[[str], None] = lambda words: None, workforce: Any = None) -> Rounds:
    project = load_project(deployment.projects / "small.yaml")
    return Rounds(project, deployment, dg.DagsterInstance.ephemeral(), workforce, say=say)


def finish(deployment: Deployment, say: Callable[[str], None] = lambda words: None) -> tuple[Done, Lake]:
    made = rounds(deployment, say)
    done = made.run()
    assert [run.error for run in done.broken] == []
    return done, made.lake


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a deployment with a finished release."""
    folder = tmp_path_factory.mktemp("finished")
    finish(write_project(folder, items=ITEMS))
    return folder


@pytest.fixture
def copied(finished: Path, tmp_path: Path) -> Deployment:
    """A copy of the finished deployment that a test may spoil."""
    root = shutil.copytree(finished, tmp_path / "copied")
    return Deployment(root / "projects", root / "data", str(root / "lake"))


def edit(deployment: Deployment, section: str, **settings: Any) -> None:
    path = deployment.projects / "small.yaml"
    content = yaml.safe_load(path.read_text())
    content[section] = {**content.get(section, {}), **settings}
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def test_a_delivery_that_vanishes_while_it_is_read_leaves_nothing_half_done_and_is_read_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = write_project(tmp_path, items=ITEMS, operation=NO_RELEASE)
    path = deployment.data / "small" / "one.jsonl"
    content, chunks = path.read_bytes(), DeliveryReader.chunks

    def vanishing(self: DeliveryReader) -> Iterator[Chunk]:
        for chunk in chunks(self):
            path.unlink()
            yield chunk

    with monkeypatch.context() as patch:
        patch.setattr(DeliveryReader, "chunks", vanishing)
        made = rounds(deployment)
        (broken,) = made.run().broken
    assert "small/one.jsonl: the file vanished while the delivery was read" in str(broken.error)
    assert "bring the file back and run again" in str(broken.error)
    assert made.lake.commit("raw_items", "one") is None
    path.write_bytes(content)
    _, lake = finish(deployment)
    assert lake.read("raw_items", "one").num_rows == ITEMS
    assert lake.partitions("labels") == ["one"]


def test_what_an_edited_project_file_changes_is_said_before_it_is_made_anew(copied: Deployment) -> None:
    lake = Lake(copied.lake, "small")
    before = {table: lake.version(f"{table}@one") for table in ("clean_items", "consensus", "predictions")}
    frozen = lake.version("release_items@one-r1")
    edit(copied, "checking", regularisation=1.0)
    heard: list[tuple[str, str]] = []
    finish(copied, lambda words: heard.append((words, lake.version("predictions@one"))))
    ((words, then),) = [one for one in heard if "made anew" in one[0]]
    assert words.startswith("one: settings of labeling or checking changed; made anew: predictions, routes, labels")
    assert then == before["predictions"]
    assert lake.version("predictions@one") != before["predictions"]
    assert {table: lake.version(f"{table}@one") for table in ("clean_items", "consensus")} == {
        table: before[table] for table in ("clean_items", "consensus")
    }
    assert lake.version("release_items@one-r1") == frozen


class Editor(RecordedWorkforce):
    """Recorded answers; before the first of them somebody edits the project file."""

    def __init__(self, deployment: Deployment, change: Callable[[], None]) -> None:
        super().__init__([deployment.data / "small" / "answers.csv"])
        self.changes = [change]

    def answer(self, tasks: pa.Table) -> pa.Table:
        while self.changes:
            self.changes.pop()()
        return super().answer(tasks)


def test_a_project_file_edited_while_rounds_run_holds_from_the_next_round_on(tmp_path: Path) -> None:
    deployment = write_project(tmp_path, items=ITEMS, operation=NO_RELEASE)
    heard: list[str] = []
    editor = Editor(deployment, lambda: edit(deployment, "cleaning", min_words=3))
    made = rounds(deployment, heard.append, editor)
    assert made.run().broken == []
    said = [words for words in heard if "edited" in words or "made anew" in words]
    assert said[0] == "small.yaml was edited; from the next round on it holds as it is now"
    assert said[1].startswith("one: what its gate asks: settings of thresholds or expectations or cleaning")
    assert "item_signals" in said[1]
    again, lake = finish(deployment)
    assert again.runs == []
    assert lake.partitions("labels") == ["one"]


def test_a_project_file_that_is_broken_between_two_rounds_stops_them_and_loses_nothing(tmp_path: Path) -> None:
    deployment = write_project(tmp_path, items=ITEMS, operation=NO_RELEASE)
    path = deployment.projects / "small.yaml"
    content = path.read_text()
    made = rounds(deployment, workforce=Editor(deployment, lambda: path.write_text(content + "colour: red\n")))
    with pytest.raises(ProjectError, match="key colour: not known"):
        made.run()
    assert made.lake.answers.head().sequence > 0
    path.write_text(content)
    _, lake = finish(deployment)
    assert lake.partitions("labels") == ["one"]


@pytest.mark.parametrize("damage", ["altered", "cut short"])
def test_an_answers_log_that_is_not_what_was_written_stops_the_rounds_and_names_the_first_bad_answer(
    damage: str, copied: Deployment
) -> None:
    lake = Lake(copied.lake, "small")
    before = lake.version("training_set@one-r1")
    first, *_, last = (Path(str(segment)) for segment in lake.answers.segments())
    whole = {path: path.read_bytes() for path in (first, last)}
    if damage == "altered":
        records = pq.read_table(first)
        position = records.column_names.index("label")
        pq.write_table(records.set_column(position, "label", flipped(records, 5)), first)
        words = "answer 5 was altered"
    else:
        number = pq.read_table(last)["sequence"][0].as_py()
        last.unlink()
        words = f"the segment is gone; it held the answers from {number} to "
    with pytest.raises(AnswerError, match=words):
        rounds(copied).run()
    for path, content in whole.items():
        path.write_bytes(content)
    again, lake = finish(copied)
    assert (again.runs, lake.version("training_set@one-r1")) == ([], before)


def flipped(records: pa.Table, sequence: int) -> pa.ChunkedArray:
    """Return the labels of a segment, the other one for one answer."""
    labels = records["label"].cast(pa.string()).to_pylist()
    place = records["sequence"].to_pylist().index(sequence)
    labels[place] = {"warm": "cold", "cold": "warm"}[labels[place]]
    return pa.chunked_array([pa.array(labels, pa.string())])


def test_a_clock_that_jumps_back_changes_no_byte_of_a_release(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(2_000_000_000, 0, -3_600))
    with monkeypatch.context() as patch:
        patch.setattr("time.time", lambda: float(next(ticks)))
        _, lake = finish(write_project(tmp_path, items=ITEMS))
    assert lake.version("manifest@one-r1") == Lake(finished / "lake", "small").version("manifest@one-r1")
    assert next(ticks) < 2_000_000_000 - 3_600 * 100
