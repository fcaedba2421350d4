"""Ways to break a file: its bytes, its JSON or YAML values, its cells, its XML, its Parquet columns, its encoding."""

import copy
import gzip
import io
import json
import random
import zlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

ODD_TEXTS = (
    "",
    " ",
    "\0",
    "a\nb",
    "nan",
    "None",
    "<NA>",
    "NULL",
    "=1+1",
    "\ud800",
    "\udc80",
    "é",
    "\u200bwarm",
    "Warm",
    "İ",
    "💥" * 50,
    "../../etc",
    "https://x.example/a",
    "a,b;c\td|e",
    '"',
    '"' * 7,
    "x" * 5_000,
    "[1, 2]",
    '{"a": 1}',
    "1e999",
    "\x1b[31m",
    "9" * 5_000,
    "%s %d {x}",
    "-0",
    "1.0",
    "true",
)
ODD_BYTES = (
    b"\0",
    b"\xff",
    b"\xfe\xff",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xe9",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\r",
    b"\n\n\n",
    b'"',
    b"'",
    b",",
    b";",
    b"\t",
    b"|",
    b"[",
    b"{",
    b"}",
    b"]",
    b"<",
    b">",
    b"&",
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
    b"\\ud800",
    b"1e999",
    b"NaN",
    b"-",
    b"9" * 5_000,
    b"[" * 3_000,
    b'{"a":' * 3_000,
    b"<a>" * 3_000,
    b"x" * 100_000,
)
ENCODINGS = ("utf-16", "utf-16-le", "utf-8-sig", "cp1252", "utf-32", "cp037", "shift_jis")


def odd_value(rng: random.Random) -> Any:
    """Return a JSON value that no reader hopes for."""
    deep: Any = []
    for _ in range(rng.choice((3, 60, 101, 400))):
        deep = {"a": deep} if rng.random() < 0.5 else [deep]
    return rng.choice(
        (
            None,
            True,
            False,
            0,
            -1,
            1.5,
            10.0,
            1e308,
            10**400,
            -(10**30),
            2**63,
            float("nan"),
            float("inf"),
            [],
            {},
            [None],
            [[]],
            {"": ""},
            ["warm", "cold"],
            {"a": [1, {"b": None}]},
            deep,
            rng.choice(ODD_TEXTS),
            rng.choice(ODD_TEXTS),
        )
    )


def mutate(name: str, content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    """Return a file broken in one to four ways, by what its name says that it is."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        content = rng.choice(_choose_ways(name))(content, others, rng)[:2_000_000]
    return content


Way = Callable[[bytes, list[bytes], random.Random], bytes]


def _choose_ways(name: str) -> list[Way]:
    ways: list[Way] = [_flip, _cut, _insert, _repeat, _join, _encode]
    if name.endswith((".json", ".jsonl", ".ndjson", ".yaml")):
        return ways + 6 * [_change_json]
    if name.endswith(".parquet"):
        return ways + 6 * [_change_parquet]
    if name.endswith(".gz"):
        return [*ways, *4 * [_change_zipped]]
    return ways + (4 * [_change_xml] if name.endswith(".xml") else 6 * [_change_cell])


def _flip(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    out = bytearray(content)
    for _ in range(rng.choice((1, 3, 20)) if out else 0):
        out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


def _cut(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    start, end = sorted((rng.randrange(len(content) + 1), rng.randrange(len(content) + 1)))
    return rng.choice((content[:end], content[start:], content[:start] + content[end:]))


def _insert(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    place = rng.choice((0, rng.randrange(len(content) + 1)))
    return content[:place] + rng.choice(ODD_BYTES) + content[place:]


def _repeat(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    start, end = sorted((rng.randrange(len(content) + 1), rng.randrange(len(content) + 1)))
    return content[:end] + content[start:end] * rng.choice((1, 2, 100)) + content[end:]


def _join(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    other = rng.choice(others)
    place = rng.randrange(len(content) + 1)
    return content[:place] + other[rng.randrange(len(other) + 1) :]


def _encode(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    encoding = rng.choice(ENCODINGS)
    text = content.decode("utf-8", "replace").replace('encoding="utf-8"', f'encoding="{encoding}"')
    return text.encode(encoding, "replace")


def _change_json(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    try:
        document, are_lines = json.loads(content), False
    except (ValueError, RecursionError):
        try:
            document, are_lines = [json.loads(line) for line in content.splitlines()], True
        except (ValueError, RecursionError):
            return _insert(content, others, rng)
    document = _change_value(document, rng)
    try:
        if are_lines and isinstance(document, list):
            return "".join(f"{json.dumps(row)}\n" for row in document).encode()
        return json.dumps(document).encode()
    except (ValueError, RecursionError):
        return content


def _change_value(document: Any, rng: random.Random) -> Any:
    """Return a document with a value in it replaced, removed, doubled, or under another key."""
    document = copy.deepcopy(document)
    parent: Any = None
    key: Any = None
    inside = document
    while isinstance(inside, dict | list) and inside and (parent is None or rng.random() < 0.8):
        parent = inside
        key = rng.choice(list(inside)) if isinstance(inside, dict) else rng.randrange(len(inside))
        inside = parent[key]
    if parent is None:
        return odd_value(rng)
    way = rng.randrange(6)
    if way == 0:
        del parent[key]
    elif way == 1 and isinstance(parent, dict):
        parent[rng.choice(ODD_TEXTS)] = parent.pop(key)
    elif way == 2 and isinstance(parent, list):
        parent.insert(0, copy.deepcopy(inside))
    elif way == 3 and isinstance(parent, dict):
        parent[rng.choice(("id", "label", "annotations", "text", "answer", "result"))] = odd_value(rng)
    else:
        parent[key] = odd_value(rng)
    return document


def _change_cell(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    row = rng.choice((0, rng.randrange(len(lines))))
    delimiter = max((b",", b";", b"\t"), key=lines[row].count)
    cells = lines[row].split(delimiter)
    odd = rng.choice(ODD_TEXTS).encode("utf-8", "surrogatepass")
    place = rng.randrange(len(cells))
    cells[place : place + rng.choice((0, 1))] = [odd if rng.random() < 0.6 else rng.choice(cells)]
    lines[row] = delimiter.join(cells) * rng.choice((1, 1, 1, 1, 500))
    return b"\n".join(lines)


def _change_xml(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    signs = [place for place, sign in enumerate(content) if sign in b'<>="/']
    if not signs:
        return _insert(content, others, rng)
    place = rng.choice(signs)
    odd = (
        b"<box/>",
        b"<tag/>",
        b' label=""',
        b"<image/>",
        b"<track/>",
        b"<skeleton/>",
        b"<x>",
        b"&amp;",
        b"&#0;",
        *ODD_BYTES,
    )
    return content[:place] + rng.choice(odd) + content[place + rng.choice((0, 1, 5, 40)) :]


def _change_zipped(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    try:
        inside = gzip.decompress(content)
    except (OSError, EOFError, ValueError, zlib.error):
        inside = content
    return gzip.compress(_change_cell(inside, others, rng), mtime=0)


def _change_parquet(content: bytes, others: list[bytes], rng: random.Random) -> bytes:
    kinds: list[Any] = [
        pa.array([1.0, None, float("nan")]),
        pa.array([10**17, 0, None], pa.timestamp("ns")),
        pa.array([b"\xff", b"", None]),
        pa.array([[1], [], None]),
        pa.array([{"a": [{"b": "c"}]}, {"a": None}, None]),
        pa.nulls(3),
        pa.array([True, False, None]),
        pa.array(["a", "b", None]).dictionary_encode(),
        pa.array([2**63 - 1, -(2**63), None]),
        pa.array(["x" * 100_000] * 3),
        pa.array([2**63, 1, 2], pa.uint64()),
        pa.array(["warm", "cold", "warm"]),
        pa.array(["", " ", "\0"]),
        pa.array([253402300800 * 10**6, -(10**17), 0], pa.timestamp("us")),
        pa.array([10**9, -(10**9), 0], pa.date32()),
        pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
        pa.array([1, 2, 3], pa.duration("ns")),
    ]
    names = ["id", "text", "label", "annotator", "batch", "item_id", "purpose", rng.choice(ODD_TEXTS[:9])]
    rng.shuffle(names)
    chosen = names[: rng.randrange(1, 7)] + (["id"] if rng.random() < 0.1 else [])
    sink = io.BytesIO()
    try:
        pq.write_table(pa.table([rng.choice(kinds) for _ in chosen], names=chosen), sink)
    except (pa.ArrowException, ValueError, UnicodeEncodeError):
        return _flip(content, others, rng)
    return sink.getvalue()
