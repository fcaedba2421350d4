"""Hashed features against scikit-learn's, and what they must not depend on."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from cupel.modalities.text import hashed_words as hashed
from cupel.modalities.text.hashed_words import features, vocabulary
from cupel.modalities.text.word_hash import IS_RUN

TEXTS = [
    "the cat sat on the mat", "The CAT\tsat\n\non a mat", "a b c", "x", "", "Été İstanbul ΑΣ? naïve_1",
    "the dog sat on the cat", "\u0928\u092e\u0938\u094d\u0924\u0947 the", "the cat sat", "été 2 20 200", "the the the",
] * 3  # fmt: skip


def column(texts: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(texts[:4], pa.string()), pa.array(texts[4:], pa.string())])


def dense(texts: list[str], known: hashed.Vocabulary) -> np.ndarray:
    return np.vstack([piece.toarray() for piece in features(column(texts), known)])


def test_they_are_those_of_scikit_learn_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashed, "PIECE_TEXTS", 7)
    ours = dense(TEXTS, vocabulary(column(TEXTS), 4, 6))
    word = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=4).fit_transform(TEXTS)
    run = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(3, 5), min_df=6).fit_transform(TEXTS)
    theirs = np.hstack([word.toarray(), run.toarray()])
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours @ ours.T, theirs @ theirs.T, atol=1e-5)
    np.testing.assert_allclose(np.sort(ours.sum(axis=0)), np.sort(theirs.sum(axis=0)), atol=1e-4)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet="ab é_1.\t\nİß\U0001f600", max_size=12), min_size=1, max_size=5))
def test_they_count_what_scikit_learn_counts(texts: list[str]) -> None:
    row, hashes, count = hashed._counts(texts)
    for analyzer, lengths, is_run in (("word", (1, 2), False), ("char_wb", (3, 5), True)):
        expected_of = CountVectorizer(analyzer=analyzer, ngram_range=lengths).build_analyzer()
        ours = (hashes >= IS_RUN) == is_run
        for place, text in enumerate(texts):
            expected = expected_of(text)
            assert count[ours & (row == place)].sum() == len(expected)
            assert (ours & (row == place)).sum() == len(set(expected))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=6), st.integers(1, 3))
def test_what_a_text_has_does_not_depend_on_the_texts_beside_it(texts: list[str], size: int) -> None:
    known = vocabulary(column(texts), 1, 1)
    together = dense(texts, known)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hashed, "PIECE_TEXTS", 1 + size)
        patch.setattr(hashed, "PIECE_CHARACTERS", 4 * size)
        np.testing.assert_array_equal(dense(texts, known), together)
        assert vocabulary(column(texts), 1, 1).slots.tobytes() == known.slots.tobytes()


def test_texts_without_a_known_word_have_nothing() -> None:
    known = vocabulary(column(["the cat"] * 3), 2, 2)
    assert not dense(["xyz", "", "q"], known).any()
    assert not dense(["the cat"], vocabulary(column(["a", "b", "c"]), 2, 9)).any()
