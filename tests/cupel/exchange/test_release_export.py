import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cupel.errors import OutputError, ReleaseError
from cupel.exchange.release_export import export_release
from cupel.kinds import KINDS
from cupel.release import layout
from cupel.release.folder import write_release
from cupel.show.release_documents import describe_release
from cupel.store.files import hash_file
from cupel.store.local import LocalStore
from made_kinds import MADE_KINDS, MOODS
from made_releases import PROVENANCE, Made, make_release

ALL = (*KINDS, *MADE_KINDS)


def written(made: Made, folder: Path) -> Path:
    assert made.tables is not None
    write_release(LocalStore(folder), "r", made.facts, made.tables, PROVENANCE, describe_release)
    return folder / "r"


@pytest.fixture(scope="module")
def moods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("moods")
    return written(make_release(root, kind=MOODS), root)


@pytest.fixture(scope="module")
def plain(certified: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(certified, tmp_path_factory.mktemp("plain"))


def rows_of(release: Path) -> list[dict[str, Any]]:
    return [row for name in layout.DATA_FILES for row in pq.read_table(release / name).to_pylist()]


def lines_of(folder: Path) -> list[dict[str, Any]]:
    files = [folder / f"{split}.jsonl" for split in layout.SPLITS]
    return [json.loads(line) for file in files for line in file.read_text().splitlines()]


def test_a_release_of_classes_goes_out_as_json_lines_unless_a_format_is_named(plain: Path, tmp_path: Path) -> None:
    done = export_release(plain, tmp_path, None, ALL)
    rows = rows_of(plain)
    assert done.format == "jsonl"
    assert [(split.lines, split.left_out) for split in done.splits] == [
        (sum(row["split"] == split for row in rows), 0) for split in layout.SPLITS
    ]
    assert lines_of(tmp_path) == [
        {name: row[name] for name in ("batch", "item_id", "text", "language", "label", "licence")} for row in rows
    ]


def test_csv_holds_what_the_json_lines_hold(moods: Path, tmp_path: Path) -> None:
    export_release(moods, tmp_path, "jsonl", ALL)
    export_release(moods, tmp_path, "csv", ALL)
    found = [
        row for split in layout.SPLITS for row in csv.DictReader((tmp_path / f"{split}.csv").open(encoding="utf-8"))
    ]
    words = {True: "true", False: "false"}
    assert found == [
        {name: words[value] if isinstance(value, bool) else value for name, value in line.items()}
        for line in lines_of(tmp_path)
    ]


def test_columns_of_the_kind_go_out_and_its_own_format_is_the_usual_one(moods: Path, tmp_path: Path) -> None:
    export_release(moods, tmp_path, "jsonl", ALL)
    for line in lines_of(tmp_path):
        assert (line["is_negative"], line["is_positive"]) == (line["label"] == "negative", line["label"] == "positive")
    (tmp_path / "own").mkdir()
    done = export_release(moods, tmp_path / "own", None, ALL)
    labels = [row["label"] for row in rows_of(moods)]
    assert done.format == "moods"
    assert sum(split.left_out for split in done.splits) == labels.count("neutral")
    assert [line["is_good"] for line in lines_of(tmp_path / "own")] == [
        label == "positive" for label in labels if label != "neutral"
    ]


def test_an_earlier_export_is_replaced_and_one_of_another_format_is_not(moods: Path, tmp_path: Path) -> None:
    export_release(moods, tmp_path, "moods", ALL)
    export_release(moods, tmp_path, "moods", ALL)
    before = (tmp_path / "train.jsonl").read_bytes()
    with pytest.raises(OutputError, match="was not written by this command"):
        export_release(moods, tmp_path, "jsonl", ALL)
    assert (tmp_path / "train.jsonl").read_bytes() == before


def test_the_folder_is_made_but_not_those_above_it(plain: Path, tmp_path: Path) -> None:
    export_release(plain, tmp_path / "out", None, ALL)
    assert (tmp_path / "out" / "train.jsonl").is_file()
    with pytest.raises(OutputError, match="No such file"):
        export_release(plain, tmp_path / "none" / "out", None, ALL)
    assert not (tmp_path / "none").exists()


def test_a_format_that_is_not_there_is_answered_with_those_that_are(moods: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"no format 'yolo'; --format is one of moods, jsonl, csv"):
        export_release(moods, tmp_path, "yolo", ALL)


def test_items_that_have_no_place_in_the_format_are_named(plain: Path, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"item_id 'i\d+': .*only releases of label kind preference"):
        export_release(plain, tmp_path, "pairs", ALL)
    assert list(tmp_path.iterdir()) == []


def test_a_kind_that_is_not_there_is_said(moods: Path, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="'moods'; known here: category, preference"):
        export_release(moods, tmp_path, None, KINDS)


def test_a_cell_may_hold_what_csv_needs_quotes_for(certified: Any, tmp_path: Path) -> None:
    release = written(certified, tmp_path)
    path = release / "data/test.parquet"
    table = pq.read_table(path)
    texts = ['a "b", c\nd', *table["text"].to_pylist()[1:]]
    pq.write_table(table.set_column(table.column_names.index("text"), "text", pa.array(texts)), path)
    with pytest.raises(ReleaseError, match=r"test\.parquet: not what the manifest names"):
        export_release(release, tmp_path, "csv", ALL)
    assert not (tmp_path / "test.csv").exists()
    manifest = json.loads((release / "manifest.json").read_text())
    for row in manifest["files"]:
        row["sha256"] = hash_file(release / row["path"])
    (release / "manifest.json").write_text(json.dumps(manifest))
    export_release(release, tmp_path, "csv", ALL)
    with (tmp_path / "test.csv").open(encoding="utf-8", newline="") as file:
        assert [row["text"] for row in csv.DictReader(file)] == texts
