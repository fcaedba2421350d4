"""Fingerprints: the same for a text whatever stands beside it, of any bytes, at a cost in proportion to its length."""

import numpy as np
import pyarrow as pa
import pytest

from cupel.cleaning import fingerprints as module
from cupel.cleaning.fingerprints import fingerprints
from cupel.cleaning.minhash import Banding
from cupel.cleaning.shingles import Shape


def test_threads_and_pieces_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pa.array([f"text number {place} of many, {'long ' * (place % 50)}" for place in range(1_000)] + [None, ""])
    whole = fingerprints(texts, keep_shingles=True, threads=1)
    monkeypatch.setattr(module, "PIECE", 7)
    for one, other in zip(whole, fingerprints(texts, keep_shingles=True, threads=4), strict=True):
        assert np.array_equal(one, other)
    assert len(whole.shingles) == whole.sizes.sum()
    assert whole.sizes[-2:].tolist() == [0, 1]


def test_shingles_are_kept_only_when_asked_for_and_bands_made_only_when_there_are_some() -> None:
    found = fingerprints(pa.array(["some text"]), banding=Banding(0, 1))
    assert (found.bands.shape, len(found.shingles), found.sizes.tolist()) == ((1, 0), 0, [5])


@pytest.mark.parametrize("shape", [Shape(5), Shape(5, of_words=True)])
def test_one_word_a_million_times_is_a_small_set(shape: Shape) -> None:
    found = fingerprints(pa.array(["word " * 1_000_000]), shape)
    assert found.sizes.tolist() == [1 if shape.of_words else 5]


def test_a_document_of_a_hundred_megabytes_is_read() -> None:
    rng = np.random.default_rng(0)
    text = rng.integers(97, 123, 100_000_000, np.uint8).tobytes()
    found = fingerprints(pa.array([text], pa.large_binary()))
    # Nearly all of the 26^5 runs of five letters are in it; some hashes are equal.
    assert found.sizes[0] == pytest.approx(26**5, rel=0.003)
    assert found.texts[0, 1] == 100_000_000
