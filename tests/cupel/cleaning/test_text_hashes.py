"""Hashes of a whole column, against those of its texts one by one."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.text_hashes import text_hashes, text_sha256

# Letters whose lower case is another, longer, or depends on their neighbours; white space; all lengths in UTF-8.
ODD = "aA \u00a0\t\n\u2028\u3000\u0130\u03a3\u03c3\u1e9e\u023a\U00010400\U0001f600\u4e2d\ufffd."


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.text(st.sampled_from(ODD) | st.characters(exclude_categories=["Cs"])), max_size=5), st.integers(0, 3)
)
def test_a_column_has_the_hashes_of_its_texts(texts: list[str], first: int) -> None:
    column = pa.array(texts, pa.large_string())
    assert text_hashes(column[first:]).to_pylist() == [text_sha256(text) for text in texts[first:]]
