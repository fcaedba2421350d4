import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from media_files import PNG

from cupel.accept.delivery import read_delivery
from cupel.accept.item_files import ItemFolder
from cupel.accept.item_keys import DeliveredItems, fold_content, take_items

ROWS = [(f"i{n}", f"Ein schöner Text, Nummer {n}", "good" if n % 3 else "bad") for n in range(30)]
Write = Callable[[Path], Path]


def taken(path: Path) -> DeliveredItems:
    return take_items(read_delivery(path), ItemFolder(path))


def csv_text(rows: list[tuple[str, str, str]] = ROWS, end: str = "\n", delimiter: str = ",") -> str:
    return end.join(delimiter.join((i, f'"{t}"', one)) for i, t, one in [("id", "text", "label"), *rows])


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> DeliveredItems:
    path = tmp_path_factory.mktemp("plain") / "d.csv"
    path.write_text(csv_text())
    return taken(path)


def keys_of(items: DeliveredItems) -> set[tuple[int, int]]:
    return {(int(one), int(other)) for one, other in items.keys}


SAME: dict[str, tuple[str, bytes]] = {
    "a line end more": ("d.csv", csv_text().encode() + b"\n"),
    "three empty lines more": ("d.csv", csv_text().encode() + b"\n\n \n\n"),
    "an empty line in the middle": ("d.csv", csv_text().encode().replace(b"\n", b"\n\n", 1)),
    "another name": ("Other name 2.csv", csv_text().encode()),
    "Windows line ends": ("d.csv", csv_text(end="\r\n").encode()),
    "a byte order mark": ("d.csv", csv_text().encode("utf-8-sig")),
    "UTF-16": ("d.csv", csv_text().encode("utf-16")),
    "semicolons": ("d.csv", csv_text(delimiter=";").encode()),
    "another order": ("d.csv", csv_text(ROWS[::-1]).encode()),
    "packed": ("d.csv.gz", gzip.compress(csv_text().encode())),
    "JSON Lines": ("d.jsonl", "\n".join(json.dumps({"id": i, "text": t, "label": o}) for i, t, o in ROWS).encode()),
    "JSON": ("d.json", json.dumps([{"label": o, "text": t, "id": i} for i, t, o in ROWS]).encode()),
}


@pytest.mark.parametrize("change", SAME)
def test_a_delivery_is_known_by_what_was_parsed(plain: DeliveredItems, tmp_path: Path, change: str) -> None:
    name, content = SAME[change]
    (tmp_path / name).write_bytes(content)
    assert taken(tmp_path / name).digest == plain.digest


def test_a_delivery_in_parquet_is_the_same(plain: DeliveredItems, tmp_path: Path) -> None:
    columns = dict(zip(("id", "text", "label"), map(list, zip(*ROWS, strict=True)), strict=True))
    pq.write_table(pa.table(columns), tmp_path / "d.parquet")
    assert taken(tmp_path / "d.parquet").digest == plain.digest


LINKED: dict[str, list[tuple[str, str, str]]] = {
    "other labels": [(i, t, "bad") for i, t, _ in ROWS],
    "other ids": [(f"x{i}", t, o) for i, t, o in ROWS],
    "capitals": [(i, t.upper(), o) for i, t, o in ROWS],
    "spaces": [(i, f" {t.replace(' ', '  ')}\t", o) for i, t, o in ROWS],
    "marks that are not seen": [(i, f"\u200b{t[:3]}\u00ad{t[3:]}\ufeff", o) for i, t, o in ROWS],
    "letters in two parts": [(i, t.replace("ö", "o\u0308"), o) for i, t, o in ROWS],
    "wide letters": [(i, t.replace("T", "\uff34"), o) for i, t, o in ROWS],
}


@pytest.mark.parametrize("change", LINKED)
def test_the_same_contents_are_the_same_items(plain: DeliveredItems, tmp_path: Path, change: str) -> None:
    (tmp_path / "d.csv").write_text(csv_text(LINKED[change]))
    found = taken(tmp_path / "d.csv")
    assert keys_of(found) == keys_of(plain)
    assert (found.digest == plain.digest) == (change not in ("other labels", "other ids"))


def test_other_contents_share_no_item(plain: DeliveredItems, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(csv_text([(i, f"Another {t}", o) for i, t, o in ROWS]))
    assert not keys_of(taken(tmp_path / "d.csv")) & keys_of(plain)


def test_a_picture_is_known_by_its_bytes_wherever_it_lies(tmp_path: Path) -> None:
    found = []
    for folder, name in (("one", "a"), ("two", "b")):
        (tmp_path / folder).mkdir()
        for n in range(4):
            (tmp_path / folder / f"{name}{n}.png").write_bytes(PNG + bytes([n]))
        lines = [f"{name}{n}.png,{'xy'[n % 2]}" for n in range(4)]
        (tmp_path / folder / "d.csv").write_text("\n".join(["image,label", *lines]))
        found.append(keys_of(taken(tmp_path / folder / "d.csv")))
    assert found[0] == found[1]
    assert len(found[0]) == 4


def test_without_a_text_the_other_fields_are_the_content_and_without_those_the_id(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("id,price,size,label\n1,3,4,a\n2,3,5,b\n")
    one = keys_of(taken(path))
    path.write_text("id,size,cost,label\n8,5,3,a\n9,4,3,b\n")
    assert keys_of(taken(path)) == one
    path.write_text("id,label\n1,a\n2,b\n")
    by_id = keys_of(taken(path))
    path.write_text("id,label\n2,a\n3,b\n")
    assert len(keys_of(taken(path)) & by_id) == 1


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold_content(fold_content(text)) == fold_content(text)
