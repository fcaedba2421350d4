"""Columns of the deliveries that a release hands over: named, as delivered, and refused where they are not there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from forged_releases import failed, forge
from pydantic import ValidationError

from cupel.config.project import change_project
from cupel.contract.table import from_rows
from cupel.contract.tables.raw import RAW_ITEMS
from cupel.errors import ReleaseError
from cupel.lake.lake import Lake
from cupel.lake.step import Step
from cupel.release import layout
from cupel.release.carried_columns import CarriedColumns, check_carried
from cupel.release.folder import write_release
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore
from made_releases import PROVENANCE, Made, make_project, make_release

READABLE = "every table can be read and has its columns"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_release(tmp_path_factory.mktemp("lake"))


def carrying(project: Any, *names: str, private: tuple[str, ...] = ()) -> Any:
    content = json.loads(project.model_dump_json())
    content["release"] |= {"carry": list(names), "carry_private": list(private)}
    return change_project(project, content)


def raw_items(fields: dict[str, dict[str, object] | None], file: str = "movies.jsonl") -> pa.Table:
    rows = [
        {"batch": "movies", "item_id": name, "source_file": file, "line": place, "text": "t", "licence": "MIT",
         "fields": None if given is None else json.dumps(given, sort_keys=True)}
        for place, (name, given) in enumerate(fields.items(), 1)
    ]  # fmt: skip
    return from_rows(rows, RAW_ITEMS)


@pytest.fixture
def folder(made: Made, tmp_path: Path) -> Path:
    assert made.tables is not None
    names = made.lake.read("release_items", "movies-r1")["item_id"].to_pylist()
    fields = {name: {"url": f"https://example.org/{name}", "votes": int(name[1:])} for name in names[1:]}
    table = raw_items({**fields, names[0]: {"url": None}, "rejected": {"url": "x"}}).sort_by("item_id")
    pieces = [table.slice(start, 7) for start in range(0, table.num_rows, 7)]
    facts = replace(made.facts, project=carrying(made.facts.project, "url", "votes"))
    tables = replace(made.tables, carried=CarriedColumns(("url", "votes"), lambda batch: iter(pieces)))
    write_release(LocalStore(tmp_path), "r", facts, tables, PROVENANCE, describe_release)
    return tmp_path / "r"


def test_named_columns_stand_behind_the_others_as_they_were_delivered(folder: Path, made: Made) -> None:
    for name in layout.DATA_FILES:
        table = pq.read_table(folder / name)
        assert table.column_names[-2:] == ["url", "votes"]
        for row in table.to_pylist():
            if row["url"] is not None:
                assert (row["url"], row["votes"]) == (
                    f"https://example.org/{row['item_id']}",
                    str(int(row["item_id"][1:])),
                )
    assert "| `url` |" in (folder / "README.md").read_text()
    assert '"train/url"' in (folder / "croissant.json").read_text()
    assert json.loads((folder / "manifest.json").read_text())["carried"] == ["url", "votes"]
    assert verify_release(folder).is_passed


@pytest.mark.parametrize("named", [["url"], ["url", "votes", "more"], ["url", "url"], ["label"], "url", [1], [""]])
def test_a_manifest_that_names_other_columns_is_found(folder: Path, named: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (folder / "manifest.json").write_bytes(layout.json_bytes(manifest | {"carried": named}))
    forge(folder)
    assert READABLE in failed(verify_release(folder))


def test_without_the_key_nothing_is_handed_over(made: Made, tmp_path: Path) -> None:
    assert made.tables is not None
    write_release(LocalStore(tmp_path), "r", made.facts, made.tables, PROVENANCE, describe_release)
    assert "carried" not in json.loads((tmp_path / "r/manifest.json").read_text())
    assert pq.read_schema(tmp_path / "r/data/train.parquet").names[-1] == "terms"


def check(tmp_path: Path, table: pa.Table, *names: str, private: tuple[str, ...] = ()) -> None:
    lake = Lake(tmp_path / "lake", "tiny")
    lake.write("raw_items", "movies", table)
    check_carried(Step(lake, carrying(make_project(), *names, private=private), "movies-r1"), ["movies"])


def test_a_column_that_a_file_has_not_is_named_with_the_file_and_what_it_has(tmp_path: Path) -> None:
    table = raw_items({"a": {"url": "u", "stars": 3}, "b": None})
    check(tmp_path, table, "url")
    with pytest.raises(
        ReleaseError, match=r"batch movies, movies\.jsonl: no column 'author', .*; the file has stars, url"
    ):
        check(tmp_path, table, "url", "author")
    other = pa.concat_tables([table, raw_items({"c": {"link": "u"}}, "more.csv")])
    with pytest.raises(ReleaseError, match=r"more\.csv: no column 'url', which release\.carry names"):
        check(tmp_path, other, "url")


def test_private_data_are_handed_over_only_where_the_column_is_named_as_private(tmp_path: Path) -> None:
    table = raw_items({"a": {"by": "Ann"}, "b": {"by": "ann.bell@example.org"}})
    with pytest.raises(
        ReleaseError, match=r"movies\.jsonl, row 2: column 'by' holds what looks like emails; .*carry_pri"
    ):
        check(tmp_path, table, "by")
    check(tmp_path, table, "by", private=("by",))


@pytest.mark.parametrize(
    ("carry", "private", "said"),
    [
        (["url", "url"], [], "carry: 'url' is there twice"),
        (["url"], ["author"], "carry_private: found 'author', which carry does not name"),
        (["label"], [], "release.carry, label: a release has a column of that name already"),
        (["text"], [], "release.carry, text"),
        ([""], [], "at least 1 character"),
        ("url", [], "carry"),
    ],
)
def test_a_key_that_cannot_be_is_refused(carry: Any, private: Any, said: str) -> None:
    project = make_project()
    content = json.loads(project.model_dump_json())
    content["release"] |= {"carry": carry, "carry_private": private}
    with pytest.raises(ValidationError, match=said):
        change_project(project, content)


def test_an_item_that_is_not_among_the_raw_items_is_told() -> None:
    columns = CarriedColumns(("url",), lambda batch: iter([raw_items({"a": {"url": "u"}})]))
    rows = pa.table({"batch": ["movies", "movies"], "item_id": ["a", "b"]})
    with pytest.raises(ReleaseError, match=r"batch movies, item 'b': released, but not among the raw items"):
        columns.add(rows)
