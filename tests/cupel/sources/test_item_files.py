"""Files each of which is an item by itself, such as images."""

from pathlib import Path

import pytest

from cupel.config.raw import Delivery
from cupel.errors import SourceError
from cupel.sources.delivery import read_delivery
from cupel.sources.items import read_text_field

ENDINGS = (".jpg", ".png")


def read(folder: Path, files: tuple[str, ...], endings: tuple[str, ...] = ENDINGS, **fields: str | None) -> list[dict]:
    delivery = Delivery(files=files, licence="CC0-1.0", **fields)
    reader = read_delivery("b", delivery, folder, text_of=read_text_field, endings=endings)
    return [row for chunk in reader.chunks() for row in chunk.items.to_pylist()]


def folder_of(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\xff\xd8 whatever")
    return folder


def test_each_file_is_an_item_named_as_the_file(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "a/2.JPG", "a/1.png", "a/b/3.jpg")
    rows = read(folder, ("a/**/*",))
    assert [(row["item_id"], row["text"], row["line"]) for row in rows] == [
        ("a/1.png", "a/1.png", 1), ("a/2.JPG", "a/2.JPG", 1), ("a/b/3.jpg", "a/b/3.jpg", 1),
    ]  # fmt: skip
    assert {row["fields"] for row in rows} == {None}


def test_the_names_of_fields_do_not_matter_to_them(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "1.png")
    assert [row["item_id"] for row in read(folder, ("*.png",), text_field="image", id_field="key")] == ["1.png"]
    assert [row["item_id"] for row in read(folder, ("*.png",), id_field=None)] == ["1.png:1"]


def test_where_items_are_texts_such_a_file_is_refused_as_ever(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "1.png")
    with pytest.raises(SourceError, match=r"1.png ends in none of .jsonl, .csv, .txt, .parquet"):
        read(folder, ("1.png",), endings=())


def test_a_file_that_changes_while_it_is_read_stops_the_delivery(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "1.png", "2.png")
    reader = read_delivery("b", Delivery(files=("*.png",), licence="x"), folder, endings=ENDINGS)
    chunks = reader.chunks()
    next(chunks)
    (folder / "1.png").write_bytes(b"other")
    with pytest.raises(SourceError, match="changed while it was read"):
        next(chunks)
