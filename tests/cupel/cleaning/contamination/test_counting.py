"""Counting texts once: what is remembered is what was counted, and is never in the way."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from cupel.cleaning.contamination import counting
from cupel.cleaning.contamination.counting import Counted, Remembered, counted

TEXTS = pa.chunked_array([[f"win a prize number {place % 7} now" for place in range(60)], ["the end"] * 20])


def same(one: Counted, other: Counted) -> bool:
    parts = [(found.known.slots, found.known.weights, *sparse(found)) for found in (one, other)]
    return all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(*parts, strict=True))


def sparse(found: Counted) -> tuple[np.ndarray, ...]:
    return found.features.data, found.features.indices, found.features.indptr, np.array(found.features.shape)


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return how many texts were counted, each time that any were."""
    made: list[int] = []

    def noted(texts: pa.ChunkedArray) -> Counted:
        made.append(len(texts))
        return counted(texts)

    monkeypatch.setattr(counting, "counted", noted)
    return made


def test_the_same_texts_are_counted_once_and_give_the_same(tmp_path: Path, counts: list[int]) -> None:
    first, again = (Remembered(tmp_path / "one", "v1")(TEXTS) for _ in range(2))
    assert counts == [80]
    assert same(first, again)
    assert same(first, counted(TEXTS))


@pytest.mark.parametrize(
    ("texts", "version"),
    [
        (pa.chunked_array([["the end"] * 20]), "v1"),
        (TEXTS, "v2"),
        # The same characters, divided otherwise.
        (pa.chunked_array([["".join(TEXTS.slice(0, 2).to_pylist())], TEXTS.slice(2).to_pylist()]), "v1"),
    ],
)
def test_other_texts_or_other_code_are_counted_anew_and_only_the_last_is_kept(
    tmp_path: Path, counts: list[int], texts: pa.ChunkedArray, version: str
) -> None:
    Remembered(tmp_path / "one", "v1")(TEXTS)
    Remembered(tmp_path / "one", version)(texts)
    assert counts == [80, len(texts)]
    assert len(list((tmp_path / "one").iterdir())) == 1


def test_what_cannot_be_read_is_counted_anew(tmp_path: Path, counts: list[int]) -> None:
    Remembered(tmp_path / "one", "v1")(TEXTS)
    (path,) = (tmp_path / "one").iterdir()
    for content in (b"", b"PK", path.read_bytes()[:500]):
        path.write_bytes(content)
        assert same(Remembered(tmp_path / "one", "v1")(TEXTS), counted(TEXTS))
    assert counts == [80] * 4


def test_too_much_is_not_remembered(tmp_path: Path, counts: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MOST_REMEMBERED", 10)
    for _ in range(2):
        Remembered(tmp_path / "one", "v1")(TEXTS)
    assert counts == [80, 80]


def test_forgetting_leaves_nothing(tmp_path: Path) -> None:
    remembered = Remembered(tmp_path / "one", "v1")
    remembered(TEXTS)
    remembered.forget()
    remembered.forget()
    assert list(tmp_path.iterdir()) == []
