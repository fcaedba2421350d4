"""Words that compare, and hashes of runs of them."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.modalities.text.words import hash_runs, hash_words, plain_words


def hashed(text: str, length: int) -> list[int]:
    """Return the hashes of the runs of a text."""
    data = np.frombuffer(text.encode() or b" ", np.uint8)
    words, runs = np.zeros(len(data) + 1, np.uint64), np.zeros(len(data) + 1, np.uint64)
    count = hash_words(data, 0, len(text.encode()), words)
    return [int(run) for run in runs[: hash_runs(words, count, length, runs)]]


def test_case_and_signs_do_not_count_and_scripts_without_spaces_go_by_the_letter() -> None:
    texts = pa.array(["  The CAT's -- mat!", "你好, world", "Straße ЖУК", "", None])
    assert plain_words(texts).to_pylist() == ["the cat s mat", "你 好 world", "straße жук", "", None]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "ab", "ba"]), max_size=30), st.integers(1, 14))
def test_equal_runs_have_equal_hashes_and_other_runs_others(words: list[str], length: int) -> None:
    runs = [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]
    found = hashed(" ".join(words), length)
    assert len(found) == len(runs)
    assert len(set(zip(runs, found, strict=True))) == len(set(runs)) == len(set(found))
    assert 0 not in found


def test_runs_of_other_lengths_differ() -> None:
    assert not set(hashed("a a a a", 2)) & set(hashed("a a a a", 3))
