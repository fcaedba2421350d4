"""A delivery to items and rejected rows: every row ends in one of them, with a reason."""

import bz2
import contextlib
import gzip
import json
import lzma
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cupel.config.raw import Delivery
from cupel.contract.table import conform
from cupel.contract.tables.raw import RAW_ITEMS, REJECTED_ROWS
from cupel.errors import SourceError
from cupel.sources.delivery import read_delivery
from cupel.sources.reasons import REASONS


def deliver(folder: Path, name: str, content: bytes, **how: object) -> tuple[list[dict], list[dict], dict]:
    """Write one file, read it as a delivery, and return items, rejected rows and the file's account."""
    (folder / name).write_bytes(content)
    limits = {key: how.pop(key) for key in ("rows_per_chunk", "max_row_bytes") if key in how}
    delivery = Delivery.model_validate({"files": (name,), "licence": "CC0-1.0", **how})
    reader = read_delivery("movies", delivery, folder, **limits)
    items, rejected = [], []
    for chunk in reader.chunks():
        conform(chunk.items, RAW_ITEMS)
        conform(chunk.rejected, REJECTED_ROWS)
        items += chunk.items.to_pylist()
        rejected += chunk.rejected.to_pylist()
    (account,) = reader.deliveries().to_pylist()
    assert account["rows_in"] == len(items) + len(rejected)
    assert (account["rows_read"], account["rows_rejected"]) == (len(items), len(rejected))
    assert {row["reason"] for row in rejected} <= set(REASONS)
    assert all(len(row["evidence"]) <= 200 and (row["evidence"] + "x").isprintable() for row in rejected)
    lines = [(row["source_file"], row["line"]) for row in (*items, *rejected)]
    assert len(set(lines)) == len(lines)
    return items, rejected, account


def reasons(rejected: list[dict]) -> list[tuple[int, str]]:
    return [(row["line"], row["reason"]) for row in rejected]


def line(item_id: object, text: object = "some text", **others: object) -> bytes:
    return json.dumps({"id": item_id, "text": text, **others}).encode() + b"\n"


def test_an_item_keeps_what_was_delivered(tmp_path: Path) -> None:
    content = line("a", "  Caf\u00e9\t", thread=7, b=[1], a=None)
    (item,), rejected, account = deliver(tmp_path, "a.jsonl", content, group_field="thread")
    assert item == {
        "batch": "movies", "item_id": "a", "source_file": "a.jsonl", "line": 1, "text": "  Caf\u00e9\t",
        "group_id": "7", "declared_language": None, "fields": '{"a": null, "b": [1]}', "licence": "CC0-1.0",
    }  # fmt: skip
    assert rejected == []
    assert account["format"] == "jsonl"
    assert account["size_bytes"] == len(content)


def test_a_source_may_declare_the_language_and_what_can_be_none_is_not_declared(tmp_path: Path) -> None:
    said = ["deu_Latn", " en ", 7, "", "x" * 36, "a\nb"]
    content = b"".join(line(str(place), language=language) for place, language in enumerate(said))
    items, rejected, _ = deliver(tmp_path, "a.jsonl", content, language_field="language")
    assert [item["declared_language"] for item in items] == ["deu_Latn", "en", None, None, None, None]
    assert {item["fields"] for item in items} == {None}
    assert rejected == []


BAD_LINES: list[tuple[bytes, str]] = [
    (b'{"id": "x", "text": ', "broken_json"),
    (b'{"id": "x", "text": "a", "score": NaN}', "broken_json"),
    (b'{"id": "x", "text": "a", "score": 1e999}', "broken_json"),
    (b'{"id": "x", "text": "a", "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
    (b'{"id": "x", "text": "a", "deep": ' + b"[" * 100 + b"]" * 100 + b"}", "too_deep"),
    (b'{"id": "x", "text": "a", "n": ' + b"9" * 5_000 + b"}", "broken_json"),
    (b'["x", "a"]', "not_an_object"),
    (b'"x"', "not_an_object"),
    (b'{"id": "x", "text": "a", "text": "b"}', "duplicate_key"),
    (b'{"id": "x", "text": "a", "more": {"k": 1, "k": 1}}', "duplicate_key"),
    (b'{"id": "x", "text": "caf\xe9"}', "wrong_encoding"),
    (b'{"id": "x", "text": "a\x00b"}', "nul_byte"),
    (b'{"id": "x", "text": "a\\u0000b"}', "nul_byte"),
    (b'{"id": "x", "text": "a\\ud83d"}', "lone_surrogate"),
    (b'{"id": "x", "text": "a", "\\udc00": 1}', "lone_surrogate"),
    (b'{"id": "x"}', "missing_text"),
    (b'{"id": "x", "text": null}', "missing_text"),
    (b'{"id": "x", "text": 5}', "text_not_string"),
    (b'{"id": "x", "text": ["a"]}', "text_not_string"),
    (b'{"id": "x", "text": ""}', "empty_text"),
    (b'{"id": "x", "text": " \\n\\u00a0"}', "empty_text"),
    (b"", "empty_row"),
    (b" \t", "empty_row"),
    (b'{"text": "a"}', "missing_id"),
    (b'{"id": null, "text": "a"}', "missing_id"),
    (b'{"id": " ", "text": "a"}', "missing_id"),
    (b'{"id": "nan", "text": "a"}', "missing_id"),
    (b'{"id": "<NA>", "text": "a"}', "missing_id"),
    (b'{"id": ["x"], "text": "a"}', "bad_id"),
    (b'{"id": true, "text": "a"}', "bad_id"),
    (b'{"id": 1.5, "text": "a"}', "bad_id"),
    (b'{"id": "a\\nb", "text": "a"}', "bad_id"),
    (b'{"id": "a\\ud800", "text": "a"}', "bad_id"),
    (b'{"id": "' + b"x" * 513 + b'", "text": "a"}', "bad_id"),
    (b'{"id": "good", "text": "some text"}', "duplicate_id"),
    (b'{"id": "x", "text": "a", "thread": {"no": 1}}', "bad_group"),
    (b'{"id": "x", "text": "a", "rights": 7}', "bad_licence"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_LINES)
def test_a_bad_line_is_rejected_with_its_reason_and_costs_no_other_row(tmp_path: Path, bad: bytes, reason: str) -> None:
    content = line("good") + bad + b"\n" + line("next")
    items, rejected, _ = deliver(tmp_path, "a.jsonl", content, group_field="thread", licence_field="rights")
    assert [item["item_id"] for item in items] == ["good", "next"]
    assert reasons(rejected) == [(2, reason)]


def test_every_reason_of_a_row_is_tried_here() -> None:
    elsewhere = {"unreadable_file", "row_too_long", "broken_csv", "unclosed_quote", "field_count", "unreadable_value"}
    elsewhere |= {"one_id_two_items"}
    assert {reason for _, reason in BAD_LINES} | elsewhere == set(REASONS)


def test_ids_are_data_whatever_they_hold(tmp_path: Path) -> None:
    ids = ["../../etc/passwd", "a/b\\c", "'; DROP TABLE raw_items; --", '"', "\u202ex", "x" * 512, " x", "007"]
    items, rejected, _ = deliver(tmp_path, "a.jsonl", b"".join(map(line, ids)))
    assert [item["item_id"] for item in items] == ids
    assert rejected == []


def test_an_integer_id_is_its_decimal_string_and_the_same_id_as_that_string(tmp_path: Path) -> None:
    items, rejected, _ = deliver(tmp_path, "a.jsonl", line(12) + line(-3) + line("12") + line(10.0) + line(10))
    assert [item["item_id"] for item in items] == ["12", "-3", "10"]
    assert reasons(rejected) == [(3, "duplicate_id"), (5, "duplicate_id")]


def test_without_an_id_field_the_id_is_file_and_line(tmp_path: Path) -> None:
    items, _, _ = deliver(tmp_path, "a.jsonl", b"\n" + line("x"), id_field=None)
    assert [item["item_id"] for item in items] == ["a.jsonl:2"]
    assert items[0]["fields"] == '{"id": "x"}'


def test_a_byte_order_mark_and_crlf_are_no_part_of_a_row(tmp_path: Path) -> None:
    for name, content in {
        "a.jsonl": b"\xef\xbb\xbf" + line("x", "t").replace(b"\n", b"\r\n"),
        "a.csv": b"\xef\xbb\xbfid,text\r\nx,t\r\n",
    }.items():
        items, rejected, _ = deliver(tmp_path, name, content)
        assert [(item["item_id"], item["text"]) for item in items] == [("x", "t")]
        assert rejected == []
    items, _, _ = deliver(tmp_path, "a.txt", b"\xef\xbb\xbfone\r\ntwo")
    assert [(item["item_id"], item["text"]) for item in items] == [("a.txt:1", "one"), ("a.txt:2", "two")]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv", "a.txt", "a.parquet", "a.jsonl.gz", "a.csv.bz2", "a.txt.zst"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    items, rejected, account = deliver(tmp_path, name, b"")
    assert items == []
    assert rejected == []
    assert account["rows_in"] == 0


def test_duplicate_ids_are_found_across_the_files_of_a_batch(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(line("x", "first"))
    (tmp_path / "a.jsonl").write_bytes(line("x", "first"))
    reader = read_delivery("movies", Delivery(files=("b.jsonl", "a.jsonl"), licence="MIT"), tmp_path)
    chunks = list(reader.chunks())
    assert [chunk.items.column("text").to_pylist() for chunk in chunks] == [["first"], []]
    assert chunks[1].rejected.column("reason").to_pylist() == ["duplicate_id"]
    assert reader.deliveries().column("source_file").to_pylist() == ["a.jsonl", "b.jsonl"]


def test_an_id_of_two_texts_becomes_no_item_when_the_delivery_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(line("x", "first") + line("y", "other"))
    (tmp_path / "b.jsonl").write_bytes(line("x", "second") + line("x", "first"))
    reader = read_delivery("movies", Delivery(files=("a.jsonl", "b.jsonl"), licence="MIT"), tmp_path)
    assert sum(chunk.items.num_rows for chunk in reader.chunks()) == 2
    assert reader.has_torn_ids
    chunks = list(reader.chunks())
    assert not reader.has_torn_ids
    assert [chunk.items["item_id"].to_pylist() for chunk in chunks] == [["y"], []]
    assert [chunk.rejected["reason"].to_pylist() for chunk in chunks] == [
        ["one_id_two_items"], ["one_id_two_items"] * 2,
    ]  # fmt: skip
    assert [row["rows_in"] for row in reader.deliveries().to_pylist()] == [2, 2]


def zstandard(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".bz2": bz2.compress,
    ".xz": lambda content: lzma.compress(content, preset=0),
    ".zst": zstandard,
}


@pytest.mark.parametrize("ending", sorted(COMPRESS))
def test_a_compressed_file_reads_like_the_plain_one(tmp_path: Path, ending: str) -> None:
    content = b"".join(line(number) for number in range(3))
    items, rejected, account = deliver(tmp_path, "a.jsonl" + ending, COMPRESS[ending](content))
    assert [item["item_id"] for item in items] == ["0", "1", "2"]
    assert rejected == []
    assert account["format"] == "jsonl" + ending


@pytest.mark.parametrize("ending", sorted(COMPRESS))
@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_truncated_file_keeps_the_rows_so_far_and_one_rejected_row(tmp_path: Path, ending: str, kind: str) -> None:
    texts = [os.urandom(64).hex() for _ in range(12_000)]
    if kind == "csv":
        content = b"id,text\n" + b"".join(f"{number},{text}\n".encode() for number, text in enumerate(texts))
    else:
        content = b"".join(line(number, text) for number, text in enumerate(texts))
    whole = COMPRESS[ending](content)
    items, rejected, _ = deliver(tmp_path, f"a.{kind}{ending}", whole[: len(whole) * 3 // 4])
    assert 0 < len(items) < len(texts)
    assert [item["text"] for item in items] == texts[: len(items)]
    assert reasons(rejected) == [(len(items) + (2 if kind == "csv" else 1), "unreadable_file")]


@pytest.mark.parametrize("name", ["a.jsonl.gz", "a.jsonl.xz", "a.csv.zst", "a.txt.bz2", "a.parquet"])
def test_a_file_that_is_not_what_its_ending_says_is_one_rejected_row(tmp_path: Path, name: str) -> None:
    items, rejected, _ = deliver(tmp_path, name, b"this is none of that\n" * 100)
    assert items == []
    assert reasons(rejected) == [(1, "unreadable_file")]


def test_a_line_of_fifty_megabytes_is_read_past_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with path.open("wb") as file:
        file.write(line("before"))
        file.write(b'{"id": "long", "text": "')
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b'"}\n' + line("after"))
    reader = read_delivery("movies", Delivery(files=("a.jsonl",), licence="MIT"), tmp_path)
    tracemalloc.start()
    (chunk,) = reader.chunks()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert chunk.items.column("item_id").to_pylist() == ["before", "after"]
    assert chunk.rejected.column("reason").to_pylist() == ["row_too_long"]
    assert peak < 30_000_000


def test_a_row_on_the_limit_is_read_and_one_over_it_is_not(tmp_path: Path) -> None:
    for name, start in (("a.jsonl", b""), ("a.csv", b"id,text\n")):
        make = (lambda text: line("x", text)) if name == "a.jsonl" else (lambda text: f"x,{text}\n".encode())
        length = len(make("")) - 1
        fits = start + make("a" * (100 - length))
        items, rejected, _ = deliver(tmp_path, name, fits, max_row_bytes=100)
        assert (len(items), rejected) == (1, [])
        items, rejected, _ = deliver(tmp_path, name, start + make("a" * (101 - length)), max_row_bytes=100)
        assert items == []
        assert [row["reason"] for row in rejected] == ["row_too_long"]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak(rows: int) -> int:
        (tmp_path / "a.txt").write_bytes((b"a line of text " * 60 + b"\n") * rows)
        reader = read_delivery("movies", Delivery(files=("a.txt",), licence="MIT"), tmp_path, rows_per_chunk=1_000)
        tracemalloc.start()
        count = sum(chunk.items.num_rows for chunk in reader.chunks())
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == rows
        return found

    # What is left to grow is the set of ids, 250 bytes an item at most; the text of an item alone is 900.
    assert peak(22_000) - peak(2_000) < 20_000 * 250


def test_a_chunk_has_no_more_rows_than_asked(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"".join(line(number) if number % 3 else b"{\n" for number in range(10)))
    reader = read_delivery("movies", Delivery(files=("a.jsonl",), licence="MIT"), tmp_path, rows_per_chunk=4)
    sizes = [chunk.items.num_rows + chunk.rejected.num_rows for chunk in reader.chunks()]
    assert sizes == [4, 4, 2]


def test_the_account_is_there_only_after_the_last_chunk(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(line("x"))
    reader = read_delivery("movies", Delivery(files=("a.jsonl",), licence="MIT"), tmp_path)
    with pytest.raises(SourceError, match="not read to its end"):
        reader.deliveries()


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(line(1) + line(2))
    reader = read_delivery("movies", Delivery(files=("a.jsonl",), licence="MIT"), tmp_path, rows_per_chunk=1)
    chunks = reader.chunks()
    next(chunks)
    (tmp_path / "a.jsonl").write_bytes(line(1) + line(2) + line(3))
    with pytest.raises(SourceError, match="changed while it was read"):
        list(chunks)


def test_a_file_that_another_takes_the_place_of_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path, other = tmp_path / "a.jsonl", tmp_path / "other"
    path.write_bytes(line(1) + line(2))
    other.write_bytes(line(3) + line(4))
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    chunks = read_delivery("movies", Delivery(files=("a.jsonl",), licence="MIT"), tmp_path, rows_per_chunk=1).chunks()
    next(chunks)
    other.replace(path)
    with pytest.raises(SourceError, match="changed while it was read"):
        list(chunks)


@pytest.mark.parametrize("name", ["a.txt", "b.txt"])
def test_a_file_that_vanishes_while_its_delivery_is_read_is_named(tmp_path: Path, name: str) -> None:
    for each in ("a.txt", "b.txt"):
        (tmp_path / each).write_text("one text\nand another\n")
    reader = read_delivery("movies", Delivery(files=("*.txt",), licence="MIT"), tmp_path, rows_per_chunk=1)
    chunks = reader.chunks()
    next(chunks)
    (tmp_path / name).unlink()
    with pytest.raises(SourceError, match=f"^{name}: the file vanished while the delivery was read"):
        list(chunks)
    with pytest.raises(SourceError, match="not read to its end"):
        reader.deliveries()
    with pytest.raises(SourceError, match=f"^{name}: the file vanished"):
        reader.hashes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), name=st.sampled_from(["a.jsonl", "a.txt", "a.csv", "a.jsonl.gz", "a.parquet"]))
def test_no_bytes_crash_the_reader_and_every_row_is_accounted_for(tmp_path: Path, content: bytes, name: str) -> None:
    # Only a header without the fields that the delivery names is no row that could be rejected.
    with contextlib.suppress(*([SourceError] if name == "a.csv" else [])):
        deliver(tmp_path, name, content)


def test_the_same_parquet_text_comes_back(tmp_path: Path) -> None:
    table = pa.table(
        {"id": [1, 2, None, 4], "text": ["a", None, "c", "\u00e9"], "score": [0.5, 1.0, 2.0, float("nan")]}
    )
    pq.write_table(table, tmp_path / "t.parquet", row_group_size=2)
    items, rejected, _ = deliver(tmp_path, "a.parquet", (tmp_path / "t.parquet").read_bytes())
    assert [(item["item_id"], item["line"], item["text"], item["fields"]) for item in items] == [
        ("1", 1, "a", '{"score": 0.5}'),
        ("4", 4, "\u00e9", '{"score": null}'),
    ]
    assert reasons(rejected) == [(2, "missing_text"), (3, "missing_id")]


def test_an_item_has_its_own_licence_and_the_deliverys_where_it_names_none(tmp_path: Path) -> None:
    content = line("a", rights="MIT") + line("b", rights=None) + line("c", rights="  ") + line("d")
    content += line("e", rights=" bought ")
    items, rejected, account = deliver(tmp_path, "a.jsonl", content, licence_field="rights")
    assert [item["licence"] for item in items] == ["MIT", "CC0-1.0", "CC0-1.0", "CC0-1.0", "bought"]
    assert {item["fields"] for item in items} == {None}
    assert (rejected, account["licence"]) == ([], "CC0-1.0")


@pytest.mark.parametrize("value", [7, True, ["MIT"], "x" * 201, "MIT\nor so", "M\u0000T"])
def test_a_licence_that_can_be_none_rejects_its_row(tmp_path: Path, value: object) -> None:
    _, rejected, _ = deliver(tmp_path, "a.jsonl", line("a", rights=value) + line("b"), licence_field="rights")
    assert reasons(rejected) == [(1, "bad_licence")]


def test_a_table_without_the_column_of_licences_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no field 'rights'; the file has 'id', 'text'"):
        deliver(tmp_path, "a.csv", b"id,text\n1,some text\n", licence_field="rights")


def test_plain_text_has_the_licence_of_its_delivery(tmp_path: Path) -> None:
    items, _, _ = deliver(tmp_path, "a.txt", b"some text\n", licence_field="rights")
    assert [item["licence"] for item in items] == ["CC0-1.0"]
