"""Folding in the compiled loop and hashes of a whole column, against Python's own, text by text."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.duplicates.folded_texts import fold_codes, fold_text, hash_texts, list_lower_cases, view_text_bytes
from cupel.modalities.text.scan.decoding import decode

# Letters whose lower case is another, longer, or depends on their neighbours; white space of all kinds.
ODD = "aA \u00a0\t\n\u2028\x1c\u3000\u0130\u03a3\u03c3\u1e9e\u00df\U00010400\U0001f600\u4e2d\ufffd."


def fold_all(texts: list[bytes | None] | list[str]) -> list[str | None]:
    there = view_text_bytes(pa.array(texts))
    found: list[str | None] = []
    for row, is_there in enumerate(there.is_there.tolist()):
        room = int(there.offsets[row + 1] - there.offsets[row]) + 1
        codes, result = np.empty(room, np.int32), np.empty(room, np.int32)
        count = decode(there.data, there.offsets[row], there.offsets[row + 1], codes)
        count = fold_codes(codes, count, list_lower_cases(), result)
        found.append("".join(map(chr, result[:count])) if is_there else None)
    return found


@settings(deadline=None, max_examples=300)
@given(st.lists(st.text(st.sampled_from(ODD) | st.characters(exclude_categories=["Cs"])), max_size=5))
def test_a_text_is_folded_as_python_folds_it(texts: list[str]) -> None:
    assert fold_all(texts) == [fold_text(text) for text in texts]


def test_every_code_point_is_folded_as_python_folds_it() -> None:
    every = [chr(code) for code in range(0x20000) if not 0xD800 <= code <= 0xDFFF]
    texts = ["".join(every[first : first + 1_000]) for first in range(0, len(every), 1_000)]
    assert fold_all(texts) == [fold_text(text) for text in texts]
    assert all(chr(code).lower() == chr(code) for code in range(0x20000, 0x110000))


def test_bytes_that_are_no_text_count_as_the_replacement_character() -> None:
    assert fold_all([b"A\xff\xc3 B", None, b"", b"\xce"]) == ["a\ufffd\ufffd b", None, "", "\ufffd"]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.null(), pa.string_view()])
def test_columns_of_any_kind_can_be_read(kind: pa.DataType) -> None:
    there = view_text_bytes(pa.array([None, None], kind))
    assert there.is_there.tolist() == [False, False]
    assert len(view_text_bytes(pa.array([], kind)).is_there) == 0
    assert len(view_text_bytes(pa.chunked_array([], kind)).is_there) == 0


def test_a_slice_of_a_column_is_read_where_it_stands() -> None:
    texts = pa.chunked_array([["one", "two"], ["three \u03a3", None, "five"]])
    there = view_text_bytes(texts.slice(1, 3))
    assert there.is_there.tolist() == [True, True, False]
    assert bytes(there.data[there.offsets[0] : there.offsets[1]]) == b"two"


# Letters whose lower case is another, longer, or depends on their neighbours; white space; all lengths in UTF-8.
ODD = "aA \u00a0\t\n\u2028\u3000\u0130\u03a3\u03c3\u1e9e\u023a\U00010400\U0001f600\u4e2d\ufffd."


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.text(st.sampled_from(ODD) | st.characters(exclude_categories=["Cs"])), max_size=5), st.integers(0, 3)
)
def test_a_column_has_the_hashes_of_its_texts(texts: list[str], first: int) -> None:
    column = pa.array(texts, pa.large_string())
    digests = [hashlib.sha256(fold_text(text).encode()).hexdigest() for text in texts[first:]]
    assert hash_texts(column[first:]).to_pylist() == digests
