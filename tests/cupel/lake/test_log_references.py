import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from cupel.contract.table import empty
from cupel.contract.tables import TABLES
from cupel.contract.tables.answers import ANSWERS
from cupel.errors import AnswerError
from cupel.lake.annotator_actions import Action
from cupel.lake.lake import Lake
from cupel.lake.log_references import check_references

GIVEN = pa.schema([field for field in ANSWERS.schema if field.name not in ("sequence", "hash")])


def answers(first: int, last: int) -> pa.Table:
    rows = [
        {"answer_id": f"a{n}", "batch": "one", "item_id": f"i{n}", "purpose": "label", "label": "x", "source": "test"}
        for n in range(first, last)
    ]
    return pa.Table.from_pylist(rows, schema=GIVEN)


def action(annotator: str) -> Action:
    return Action("one", annotator, "remove", 0.0, "by hand", "why", None, None, 0, "eve", 1)


def make_table(lake: Lake) -> None:
    inputs = {name: lake.version(name) for name in ("answers:label@one", "actions@one")}
    lake.write("annotations", "one", empty(TABLES["annotations"]), inputs)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with two segments of answers and two actions, and a table that was made from all of them."""
    lake = Lake(tmp_path, "small")
    lake.answers.append(answers(0, 3))
    lake.actions.append([action("ann")])
    shutil.copytree(lake.folder, tmp_path / "older")
    lake.answers.append(answers(3, 6))
    lake.actions.append([action("bob")])
    make_table(lake)
    check_references(lake)
    return lake


@pytest.mark.parametrize("log", ["answers", "annotator_actions"])
def test_a_log_that_is_gone_is_not_a_new_one(lake: Lake, log: str) -> None:
    shutil.rmtree(lake.folder / log)
    with pytest.raises(AnswerError, match=rf"small/{log}: the log is gone: table annotations of one.*restore"):
        check_references(Lake(lake.root, "small"))


@pytest.mark.parametrize("log", ["answers", "annotator_actions"])
def test_an_older_copy_of_a_whole_log_is_refused(lake: Lake, log: str) -> None:
    shutil.rmtree(lake.folder / log)
    shutil.copytree(lake.root / "older" / log, lake.folder / log)
    Lake(lake.root, "small").answers.verify()  # by itself it is whole
    with pytest.raises(AnswerError, match=rf"small/{log}: the log holds other records now: table annotations of one"):
        check_references(Lake(lake.root, "small"))


def test_a_log_that_grew_still_holds_what_tables_were_made_from(lake: Lake) -> None:
    lake.answers.append(answers(6, 9))
    lake.actions.append([action("cy")])
    check_references(lake)


def test_the_last_action_altered_is_found_by_the_tables_that_knew_it(lake: Lake) -> None:
    shutil.rmtree(lake.folder / "annotator_actions")
    lake.actions.append([action("ann"), action("eve")])  # with a chain of its own, so that it is whole by itself
    with pytest.raises(AnswerError, match="annotator_actions"):
        check_references(lake)


def test_only_tables_of_the_partitions_named_are_asked(lake: Lake) -> None:
    shutil.rmtree(lake.folder / "answers")
    check_references(lake, {"two"})
    with pytest.raises(AnswerError):
        check_references(lake, {"one", "two"})
