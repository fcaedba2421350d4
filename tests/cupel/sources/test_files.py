"""Which files a delivery has: inside its folder, there, of a known ending."""

from pathlib import Path

import pytest

from cupel.errors import SourceError
from cupel.sources.files import source_files
from cupel.store.files import hash_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "in"
    (inside / "part").mkdir(parents=True)
    for name in ("b.jsonl", "a.jsonl", "part/c.csv.gz", "odd[1].txt", "table.parquet"):
        (inside / name).write_bytes(b"")
    (tmp_path / "outside.jsonl").write_bytes(b"")
    return inside


def test_patterns_are_matched_in_order_of_name_and_each_file_is_read_once(folder: Path) -> None:
    found = source_files("m", ("*.jsonl", "b.jsonl", "**/*.gz"), folder)
    assert [(file.name, file.label) for file in found] == [
        ("a.jsonl", "jsonl"),
        ("b.jsonl", "jsonl"),
        ("part/c.csv.gz", "csv.gz"),
    ]


def test_a_file_whose_name_holds_a_wildcard_is_taken_as_it_is(folder: Path) -> None:
    assert [file.name for file in source_files("m", ("odd[1].txt",), folder)] == ["odd[1].txt"]


def test_an_absolute_name_inside_the_folder_is_allowed(folder: Path) -> None:
    assert [file.name for file in source_files("m", (str(folder / "a.jsonl"),), folder)] == ["a.jsonl"]


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        ("none.jsonl", "does not exist"),
        ("*.json", "no file in"),
        ("part", "is a folder"),
        ("part*", "no file in"),
        (".", "is a folder|names no file"),
        ("../outside.jsonl", "leads out of"),
        ("part/../../outside.jsonl", "leads out of"),
        ("/etc/passwd", "outside"),
        ("**a", "glob pattern|no file in"),
        ("", "is a folder|names no file"),
    ],
)
def test_what_is_no_file_of_the_folder_is_an_error_naming_the_batch(folder: Path, pattern: str, problem: str) -> None:
    with pytest.raises(SourceError, match=f"delivery m.*({problem})"):
        source_files("m", (pattern,), folder)


def test_a_link_that_leads_out_of_the_folder_is_an_error(folder: Path) -> None:
    (folder / "link.jsonl").symlink_to(folder.parent / "outside.jsonl")
    with pytest.raises(SourceError, match="link that leads out"):
        source_files("m", ("*.jsonl",), folder)


@pytest.mark.parametrize("name", ["a.json", "a.doc", "a", "a.parquet.gz", "a.gz", ".jsonl"])
def test_an_unknown_ending_is_an_error_that_says_what_is_allowed(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"")
    with pytest.raises(SourceError, match=r"\.jsonl, \.csv, \.txt, \.parquet.*\.gz, \.bz2, \.xz, \.zst"):
        source_files("m", (name,), folder)


def test_the_hash_is_that_of_the_bytes(folder: Path) -> None:
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert hash_file(folder / "a.jsonl") == empty
