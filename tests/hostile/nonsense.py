"""Strategies for what nobody should send: texts, damaged bytes, file names."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

# Characters that break out of something: HTML, SQL, CSV, Markdown, Jinja, JSON, shells, terminals, paths.
SIGNS = "\"'`<>&;|,=+-@\t\r\n\\/%{}[]()$#!?*_~:. \x00\x07\x0b\x0c\x1b\x7f\x85\x9b\u2028\u2029\u202e\u200b\ufeff"
HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><b>', "' onmouseover='x", "]]>", "<!--",
    "--></style>",
    "'; DROP TABLE raw_items; --", '" OR 1=1 --', "{{7*7}}", "{% raw %}", "{{ ''.__class__ }}", "${7*7}",
    "$(touch x)",
    "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "=HYPERLINK(\"http://x\")", "\t=1+1", "\r=1",
    "| a | b |", "![x](http://x/y.png)", "[x](javascript:alert(1))", "```", "---\nlicense: x", "# title",
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x9b2J", "a\x00b", "\ufeffbom", "\u202egnp.exe", "../../etc/passwd",
    "/etc/passwd",
    "C:\\windows", "%2e%2e%2f", "con", "nul", ".", "..", "~", "*", "a/b", "NaN", "null", "None", "1e999", "ид",
    "🦊" * 5,
)  # fmt: skip

# Columns of three rows, of types and values that nobody expects in their place.
OFFSETS = pa.py_buffer(b"\0\0\0\0\2\0\0\0\4\0\0\0\6\0\0\0")
COLUMNS = (
    pa.array(["a", None, "b"]), pa.array(["a", "a", ""]), pa.array([1, 2, None]), pa.array([True, None, False]),
    pa.array([1.5, float("nan"), float("inf")]),
    pa.array([b"\xff", b"", None]), pa.array([None, None, None]), pa.array([["x"], [], None]),
    pa.array([{"a": 1}, {"a": None}, None]),
    pa.array([2**63 - 1, -(2**63), 0]), pa.array([2**64 - 1, 0, 1], pa.uint64()),
    pa.array([2**53, 0, None], pa.timestamp("ms")), pa.array([2**62, -(2**62), 0], pa.timestamp("ns", tz="UTC")),
    pa.array([2**31 - 1, -(2**31), 0], pa.date32()), pa.array([2**62, 0, 1], pa.duration("s")),
    pa.array(["a", "b", None]).dictionary_encode(), pa.array(["a", "b", None], pa.large_string()),
    pa.array(["a\0b", "\x1b", " "]), pa.array([86399, 0, None], pa.time32("ms")),
    pa.array([[("k", 1)], [], None], pa.map_(pa.string(), pa.int64())),
    pa.array(["1.5", None, "2"]).cast(pa.decimal128(9, 3)),
    pa.Array.from_buffers(pa.string(), 3, [None, OFFSETS, pa.py_buffer(b"\xff\xfeabcd")]),
)  # fmt: skip


def texts(most: int = 20) -> st.SearchStrategy[str]:
    """Return texts that can be written as UTF-8: signs that break out, known tricks, any character."""
    return st.one_of(
        st.sampled_from(HOSTILE),
        st.text(st.sampled_from(SIGNS + "ab1é"), max_size=most),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=most),
    )


def any_texts(most: int = 20) -> st.SearchStrategy[str]:
    """Return texts of any code points, halves of characters included."""
    return st.one_of(texts(most), st.text(st.characters(), max_size=most))


def damaged(content: bytes, seed: int) -> bytes:
    """Return bytes that differ a little, or much: bits flipped, cut off, a piece doubled, lost or made of noise."""
    rng = random.Random(seed)
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 5, 20))):
        if not made:
            break
        place, length = rng.randrange(len(made)), rng.choice((1, 1, 2, 4, 16, 64))
        kind = rng.randrange(6)
        if kind == 0:
            made[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del made[place:]
        elif kind == 2:
            made[place:place] = made[place : place + length]
        elif kind == 3:
            del made[place : place + length]
        elif kind == 4:
            made[place : place + length] = rng.randbytes(length)
        else:
            made[place : place + length] = rng.choice((b"\0", b"\xff", b"\n", b'"', b"{")) * length
    return bytes(made)


def parquet(table: pa.Table) -> bytes:
    """Return a table as a Parquet file of several row groups."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=16)
    return sink.getvalue().to_pybytes()
