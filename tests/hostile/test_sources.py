"""Deliveries: whatever bytes come in, each row ends as an item or rejected with a reason."""

import bz2
import csv
import gzip
import io
import json
import lzma
import tracemalloc
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from hostile.cases import cases, is_clear
from hostile.nonsense import COLUMNS, SIGNS, any_texts, damaged, parquet, texts
from hypothesis import example, given
from hypothesis import strategies as st

from cupel.config.raw import Delivery
from cupel.errors import SourceError
from cupel.sources.delivery import read_delivery
from cupel.sources.reasons import EVIDENCE_CHARACTERS, REASONS

MOST_BYTES = 4_000
ENDINGS = (".jsonl", ".csv", ".txt")
COMPRESSIONS = ("", ".gz", ".bz2", ".xz", ".zst")
BOM = b"\xef\xbb\xbf"

PIECES = [
    b'{"id": "a", "text": "fine words"}', b'{"id": 1, "text": "fine"}', b'{"id": 1.0, "text": "x"}',
    b'{"id": true, "text": "x"}',
    b'{"id": "a", "id": "b", "text": "x"}', b'{"id": {}, "text": "x"}', b'{"id": "g", "text": "x", "group": []}',
    b'{"id": "n", "text": NaN}', b'{"id": "n", "text": "x", "v": NaN}', b'{"id": "n", "text": "x", "v": -Infinity}',
    b'{"id": "big", "text": "x", "v": 1e999}', b'{"id": ' + b"9" * 600 + b', "text": "x"}',
    b'{"id": ' + b"9" * 5_000 + b', "text": "x"}',
    b'{"id": "v", "text": "x", "v": ' + b"9" * 3_900 + b"}", b"[" * 3_000, b'{"a":' * 600,
    b'{"id": "d", "text": "x", "v": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"id": "s", "text": "\\ud800"}', b'{"id": "\\udfff", "text": "x"}', b'{"id": "s", "text": "x", "\\ud800": 1}',
    b'{"\\ud800": 1, "\\ud800": 2}',
    b'{"id": "0", "text": "\\u0000"}', b'{"id": "\\u0000", "text": "x"}', b"\0", b'{"id": "0", "text": "a\0b"}',
    b"\xff\xfe{", b"\xc3(", b"\xed\xa0\x80",
    BOM + b'{"id": "bom", "text": "x"}', b"", b" ", b"\r", b"\x0b", b"\xe2\x80\xa8", b"null", b"1", b'"x"', b"{}",
    b"[]", b"{", b"}", b"nul", b"'",
    b'{"id": "", "text": "x"}', b'{"id": " ", "text": "x"}', b'{"text": "x"}', b'{"id": "e", "text": ""}',
    b'{"id": "e", "text": null}', b'{"id": "e", "text": [1]}',
    b'{"id": "long", "text": "' + b"x" * MOST_BYTES + b'"}', b'{"id": "' + b"y" * 600 + b'", "text": "x"}',
    b'{"id": "u", "text": "\xe2\x80\xa8"}',
    b'{"id": "q", "text": "x"} {"id": "r"}', b'{"id": "../../x", "text": "x"}', b"//", b'{"id": "c", "text": "x",}',
    b'\xef\xbb', b"\x85", b"\x1a", b"\x1f\x8b",
]  # fmt: skip


class Got(NamedTuple):
    """What a file came to."""

    items: list[dict[str, Any]]
    rejected: list[dict[str, Any]]

    @property
    def rows(self) -> int:
        return len(self.items) + len(self.rejected)

    @property
    def is_damaged(self) -> bool:
        return bool(self.rejected) and self.rejected[-1]["reason"] == "unreadable_file"


def read(folder: Path, name: str, content: bytes, **settings: Any) -> Got:
    """Read a file as a delivery, and hold the tables against what they promise."""
    (folder / name).write_bytes(content)
    delivery = Delivery(files=(name,), licence="MIT", **settings)
    reader = read_delivery("one", delivery, folder, rows_per_chunk=7, max_row_bytes=MOST_BYTES)
    items: list[dict[str, Any]] = []
    rejected: list[dict[str, Any]] = []
    for chunk in reader.chunks():
        items += chunk.items.to_pylist()
        rejected += chunk.rejected.to_pylist()
    (account,) = reader.deliveries().to_pylist()
    assert (account["rows_read"], account["rows_rejected"]) == (len(items), len(rejected))
    assert account["rows_in"] == account["rows_read"] + account["rows_rejected"]
    assert len({item["item_id"] for item in items}) == len(items)
    assert len({row["line"] for row in items + rejected}) == len(items) + len(rejected)
    assert all(item["text"].strip() and "\0" not in item["text"] for item in items)
    assert all(item["fields"] is None or json.loads(item["fields"]) for item in items)
    for row in rejected:
        assert row["reason"] in REASONS
        assert len(row["evidence"]) <= EVIDENCE_CHARACTERS
        assert row["evidence"].isprintable()
    return Got(items, rejected)


def packed(content: bytes, compression: str) -> bytes:
    if compression == ".zst":
        return bytes(pa.Codec("zstd").compress(content, asbytes=True)) if content else zstd_of_nothing()
    return {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[compression](content)


def zstd_of_nothing() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd"):
        pass
    return sink.getvalue().to_pybytes()


def line_count(content: bytes) -> int:
    """Return the lines as the formats define them: each ends at a line feed, the last may do without."""
    lines = content.split(b"\n")
    return len(lines) - (not lines[-1])


def is_read_to_the_last_row(got: Got, content: bytes) -> bool:
    """Tell whether each line is a row, but for empty ones behind the last."""
    left = content.removeprefix(BOM).split(b"\n")[got.rows :]
    return got.rows <= line_count(content) and not b"".join(left).decode(errors="replace").strip(" \t\r\n\v\f,")


json_lines = st.lists(
    st.one_of(
        st.sampled_from(PIECES),
        st.binary(max_size=12),
        st.builds(lambda i, t: json.dumps({"id": i, "text": t, "x": [t]}).encode(), any_texts(8), any_texts()),
    ),
    max_size=12,
)
ends = st.sampled_from((b"\n", b"\r\n", b"\n\n", b"\r"))


@cases(900)
@given(json_lines, ends, st.booleans(), st.sampled_from(COMPRESSIONS))
def test_every_line_of_json_lines_ends_somewhere(
    tmp_path: Path, lines: list[bytes], end: bytes, has_bom: bool, compression: str
) -> None:
    content = (BOM if has_bom else b"") + end.join(lines)
    got = read(tmp_path, f"one.jsonl{compression}", packed(content, compression), group_field="group")
    assert is_read_to_the_last_row(got, content)
    assert not got.is_damaged


@cases(400)
@given(json_lines, ends, st.sampled_from(COMPRESSIONS))
def test_every_line_of_a_text_ends_somewhere(tmp_path: Path, lines: list[bytes], end: bytes, compression: str) -> None:
    content = end.join(lines)
    assert is_read_to_the_last_row(read(tmp_path, f"one.txt{compression}", packed(content, compression)), content)


cells = st.one_of(
    st.text(st.sampled_from(SIGNS + "ab"), max_size=6), st.sampled_from(["a", "", '"', '""', 'x"y', "a,b"])
)


@cases(600)
@given(st.lists(st.lists(cells, max_size=5).map(",".join), max_size=10), ends)
@example(['"a', 'b"'], b"\n")
def test_no_csv_record_is_lost_however_its_quotes_stand(tmp_path: Path, rows: list[str], end: bytes) -> None:
    body = end.join(row.encode() for row in rows)
    got = read(tmp_path, "one.csv", b"id,text,group\n" + body, group_field="group")
    # A record takes one line, or several where quotes hold them together; none is skipped.
    assert got.rows <= line_count(body)
    if '"' not in "".join(rows):
        assert is_read_to_the_last_row(got, body)
    if got.rows:
        assert min(row["line"] for row in got.items + got.rejected) == 2


@cases(400)
@given(st.lists(st.tuples(texts(), texts()), max_size=8), st.booleans(), st.data())
def test_csv_as_the_standard_has_it_is_read_whole(
    tmp_path: Path, rows: list[tuple[str, str]], has_bom: bool, data: st.DataObject
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(("text", "x", "n"))
    for number, row in enumerate(rows):
        writer.writerow((*row, number))
    content = (BOM if has_bom else b"") + out.getvalue().encode()
    got = read(tmp_path, "one.csv", content, id_field=None)
    assert got.rows == len(rows)
    for item in got.items:
        fields = json.loads(item["fields"])
        text, other = rows[int(fields["n"])]
        # RFC 4180 lets a field hold any line end; ours are read as line feeds.
        assert (item["text"], fields["x"]) == (text.replace("\r\n", "\n"), other.replace("\r\n", "\n"))


@cases(300)
@given(
    st.lists(texts(6), max_size=5), st.sampled_from([b"id,text\n", b"", b"id;text\n", b"text,text,id\n", b"id,text"])
)
def test_a_header_is_right_or_refused_by_name(tmp_path: Path, names: list[str], start: bytes) -> None:
    header = ",".join(names).encode()
    try:
        got = read(tmp_path, "one.csv", header + start + b"i1,some words\n")
    except SourceError as error:
        is_clear(error, "one.csv")
    else:
        assert got.rows <= 3


@cases(700)
@given(st.integers(0, 2**32), st.sampled_from(ENDINGS), st.sampled_from(COMPRESSIONS))
def test_a_damaged_file_keeps_what_was_read_and_says_where_it_breaks(
    tmp_path: Path, seed: int, ending: str, compression: str
) -> None:
    lines = {".jsonl": '{{"id": {0}, "text": "row {0}, {0}"}}', ".csv": '{0},"row {0}, {0}"', ".txt": "row {0}, {0}"}
    header = "id,text\n" if ending == ".csv" else ""
    content = (header + "".join(lines[ending].format(number) + "\n" for number in range(40))).encode()
    broken = damaged(packed(content, compression), seed)
    try:
        got = read(tmp_path, f"one{ending}{compression}", broken)
    except SourceError as error:
        assert ending == ".csv"
        is_clear(error, "one.csv")
        return
    if not compression and ending != ".csv":
        assert is_read_to_the_last_row(got, broken)
    if compression in (".gz", ".bz2", ".xz") and not got.is_damaged:
        # No damage was seen: these formats check their content, so only whole streams were added or lost.
        assert len(got.items) in (0, 40) or all(row["text"].startswith("row") for row in got.items)


@cases(700)
@given(st.binary(max_size=300), st.sampled_from(ENDINGS), st.sampled_from(COMPRESSIONS))
def test_noise_is_read_or_refused(tmp_path: Path, content: bytes, ending: str, compression: str) -> None:
    try:
        got = read(tmp_path, f"one{ending}{compression}", content)
    except SourceError as error:
        is_clear(error, "one.csv")
    else:
        assert bool(got.rows) == bool(content.strip()) or compression or ending == ".csv" or content == BOM


GOOD_PARQUET = parquet(
    pa.table({"id": [f"i{n}" for n in range(40)], "text": [f"row {n}" for n in range(40)], "x": list(range(40))})
)


@cases(700)
@given(st.integers(0, 2**32))
@example(1003511)
@example(1019285)
def test_a_damaged_parquet_file_is_one_error_or_one_rejected_row(tmp_path: Path, seed: int) -> None:
    try:
        got = read(tmp_path, "one.parquet", damaged(GOOD_PARQUET, seed))
    except SourceError as error:
        is_clear(error, "one.parquet")
    else:
        assert got.rows <= 41


@cases(500)
@given(
    st.lists(st.tuples(st.sampled_from(["id", "text", "group", "x", "\x1b", ""]), st.sampled_from(COLUMNS)), max_size=5)
)
def test_parquet_columns_of_any_type_are_read_or_refused(tmp_path: Path, columns: list[tuple[str, pa.Array]]) -> None:
    content = parquet(pa.table([array for _, array in columns], names=[name for name, _ in columns]))
    try:
        got = read(tmp_path, "one.parquet", content, group_field="group" if "group" in dict(columns) else None)
    except SourceError as error:
        is_clear(error, "one.parquet")
    else:
        assert got.rows == 3


PATTERNS = ["one.jsonl", "in/one.jsonl", "*.jsonl", "**", "[", "../*", "/tmp/x.csv", "link.jsonl"]


@cases(600)
@given(
    st.lists(
        st.one_of(
            any_texts(12),
            st.sampled_from(PATTERNS),
        ),
        min_size=1,
        max_size=2,
    )
)
@example(["a\0.jsonl"])
@example(["x" * 300 + ".jsonl"])
@example(["\ud800.jsonl"])
def test_a_file_name_finds_a_file_in_the_folder_or_is_refused(tmp_path: Path, names: list[str]) -> None:
    folder, outside = tmp_path / "data", tmp_path / "outside.jsonl"
    if not folder.exists():
        (folder / "in").mkdir(parents=True)
        outside.write_text('{"id": 1, "text": "x"}')
        (folder / "link.jsonl").symlink_to(outside)
        for place in ("one.jsonl", "in/one.jsonl", "=1.csv", "<b>.txt"):
            (folder / place).write_text("")
    try:
        reader = read_delivery("one", Delivery(files=tuple(names), licence="MIT"), folder)
    except SourceError as error:
        is_clear(error, "delivery one")
    else:
        assert all(file.path.resolve().is_relative_to(folder.resolve()) for file in reader.files)


def test_a_small_file_that_unpacks_to_much_is_read_a_block_at_a_time(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "bomb", "wb") as file:
        file.writelines([b'{"id": "', *([b"x" * (1 << 20)] * 100)])
    content = (tmp_path / "bomb").read_bytes()
    tracemalloc.start()
    try:
        got = read(tmp_path, "one.jsonl.gz", content)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert [row["reason"] for row in got.rejected] == ["row_too_long"]
