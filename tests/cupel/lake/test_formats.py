"""Format numbers: each kind carries one, a newer one is refused with what to do, and nothing else changes by it."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from old_lakes import OLD, PROJECT, OldRelease, unpack

from cupel.config.raw import Delivery
from cupel.contract import format_numbers
from cupel.contract.table import empty
from cupel.contract.tables.answers import ANSWERS
from cupel.contract.tables.raw import DELIVERIES
from cupel.errors import FormatError, ProjectError, SourceError
from cupel.kinds.projects import load_project
from cupel.lake import formats
from cupel.lake.annotator_actions import Action
from cupel.lake.answer_chain import GIVEN
from cupel.lake.answers_log import AnswersLog
from cupel.lake.lake import Lake
from cupel.sources.register import Register
from cupel.store.local import LocalStore
from small_project import write_project

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "formats.md"


def answers() -> pa.Table:
    row = {"answer_id": "1", "batch": "one", "item_id": "i", "purpose": "label", "source": "test"}
    schema = pa.schema([ANSWERS.schema.field(name).with_nullable(True) for name in GIVEN])
    return pa.Table.from_pylist([row], schema=schema)


def write_table(lake: Lake) -> None:
    lake.write("deliveries", "one", empty(DELIVERIES))


def append_answer(lake: Lake) -> None:
    lake.answers.append(answers())


def append_action(lake: Lake) -> None:
    lake.actions.append([Action("one", "ann", "warn", 1.0, "guessing", "", None, None, 1, "a policy", 0)])


def register(lake: Lake) -> None:
    delivery = Delivery(files=("one.jsonl",), licence="CC0-1.0")
    Register(lake).add("one", {"one.jsonl": "0"}, delivery, datetime(2026, 1, 1, tzinfo=UTC))


KINDS: dict[str, tuple[str, int, Callable[[Lake], Any], Callable[[Lake], Any]]] = {
    "lake": ("", format_numbers.LAKE, write_table, lambda lake: lake.commit("deliveries", "one")),
    "answers": ("answers", format_numbers.ANSWERS_LOG, append_answer, lambda lake: lake.answers.verify()),
    # The lake's number is that of its logs too.
    "actions": ("", format_numbers.LAKE, append_action, lambda lake: lake.actions.read()),
    "register": ("", format_numbers.LAKE, register, lambda lake: Register(lake).entries()),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_written_carries_its_number(kind: str, tmp_path: Path) -> None:
    folder, number, write, read = KINDS[kind]
    write(Lake(tmp_path, "small"))
    assert (tmp_path / "small" / folder / formats.FORMAT_FILE).read_text() == f"{number}\n"
    assert read(Lake(tmp_path, "small"))


def test_what_has_no_number_is_read_and_gets_it_with_the_next_write(kind: str, tmp_path: Path) -> None:
    folder, _, write, read = KINDS[kind]
    write(Lake(tmp_path, "small"))
    path = tmp_path / "small" / folder / formats.FORMAT_FILE
    path.unlink()
    before = read(Lake(tmp_path, "small"))
    assert before
    assert not path.exists()
    if kind != "answers":
        with suppress(SourceError):  # the same delivery is not registered twice
            write(Lake(tmp_path, "small"))
        assert path.exists()


def test_what_a_newer_version_wrote_is_neither_read_nor_written(kind: str, tmp_path: Path) -> None:
    folder, number, write, read = KINDS[kind]
    write(Lake(tmp_path, "small"))
    (tmp_path / "small" / folder / formats.FORMAT_FILE).write_text(f"{number + 1}\n")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for use in (read, write):
        with pytest.raises(FormatError, match=rf"of format {number + 1}.*install a newer Cupel"):
            use(Lake(tmp_path, "small"))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("content", ["", "three", "-1", "0", "1.5"])
def test_a_number_that_is_none_is_refused_with_its_file(tmp_path: Path, content: str) -> None:
    write_table(Lake(tmp_path, "small"))
    (tmp_path / "small" / formats.FORMAT_FILE).write_text(content)
    with pytest.raises(FormatError, match="small: format"):
        Lake(tmp_path, "small").commit("deliveries", "one")


def test_a_log_of_its_own_carries_its_number_without_a_lake(tmp_path: Path) -> None:
    AnswersLog(LocalStore(tmp_path)).append(answers())
    assert (tmp_path / "answers" / formats.FORMAT_FILE).exists()


@pytest.mark.parametrize("old", OLD, ids=lambda old: old.commit)
def test_a_lake_of_an_older_version_is_recognised_by_what_it_holds(old: OldRelease, tmp_path: Path) -> None:
    lake = Lake(unpack(old.commit, tmp_path).lake, PROJECT).store
    assert lake.stat(formats.FORMAT_FILE) is None
    assert formats.recognise_lake(lake) == old.format
    assert formats.recognise_partition(lake, old.release) == old.format


def test_a_project_file_may_name_its_format(tmp_path: Path) -> None:
    path = write_project(tmp_path, format=1).projects / "small.yaml"
    assert load_project(path).format == 1
    without = path.read_text().replace("format: 1\n", "")
    path.write_text(without)
    assert load_project(path).format == format_numbers.PROJECT_FILE


def test_a_project_file_of_a_newer_format_is_refused_before_its_unknown_keys(tmp_path: Path) -> None:
    path = write_project(tmp_path, format=format_numbers.PROJECT_FILE + 1, motion="seen").projects / "small.yaml"
    with pytest.raises(ProjectError, match=r"small\.yaml: of format 2.*install a newer Cupel"):
        load_project(path)


@pytest.mark.parametrize("value", [0, -3, "one", 1.5, None])
def test_a_project_files_format_that_is_no_number_is_refused(tmp_path: Path, value: object) -> None:
    path = write_project(tmp_path).projects / "small.yaml"
    path.write_text(path.read_text() + f"format: {json.dumps(value)}\n")
    with pytest.raises(ProjectError, match="format"):
        load_project(path)


def test_the_page_of_formats_tells_the_history_of_each_number() -> None:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    told = {(row[0], int(row[1])) for row in cells if row[1].isdecimal()}
    present = {
        "lake": format_numbers.LAKE, "release": format_numbers.RELEASE, "answers log": format_numbers.ANSWERS_LOG,
        "project file": format_numbers.PROJECT_FILE,
        "actions log": 2, "register": 1,  # the last numbers of their own
    }  # fmt: skip
    assert told == {(name, number) for name, newest in present.items() for number in range(1, newest + 1)}
