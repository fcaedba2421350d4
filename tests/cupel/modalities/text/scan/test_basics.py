"""The compiled loops say what the definitions say, to the last bit, whatever the text."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.modalities.text.quality import quality
from cupel.modalities.text.scan import basics as measured
from cupel.modalities.text.scan.basics import basics

TRICKY = st.text(
    alphabet=st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("aA b1\n\n'\u2019#..\u2026\u200c\u200d\u0301\u0915\u094d"),
        st.sampled_from("\u0130\u03a3\u03c3_\u00bd\u00b2\u0660\u4e2d\x1c\x00"),
    ),
    max_size=80,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(TRICKY, max_size=6))
def test_a_column_is_measured_as_each_of_its_texts_is(texts: list[str]) -> None:
    found = basics(pa.array(texts, pa.large_string()))
    rows = [
        dict(zip(found, row, strict=True)) for row in zip(*(found[name].to_pylist() for name in found), strict=True)
    ]
    assert rows == [quality(text)._asdict() for text in texts]


def test_slices_and_threads_change_nothing() -> None:
    texts = pa.array([f"A line, {number}\n" * number for number in range(700)], pa.large_string())
    whole = basics(texts, threads=1)
    for name, values in basics(texts, threads=3).items():
        assert values.equals(whole[name])
    for name, values in basics(texts.slice(300, 50)).items():
        assert values.equals(whole[name].slice(300, 50))


def test_very_long_texts_are_measured_too(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "A line.\n" * 10
    texts = pa.array([text], pa.large_string())
    compiled = basics(texts)
    monkeypatch.setattr(measured, "LONGEST_BYTES", 20)
    assert {name: values.to_pylist() for name, values in compiled.items()} == {
        name: [value] for name, value in quality(text)._asdict().items()
    }


def test_no_texts_have_no_measures() -> None:
    assert all(len(values) == 0 for values in basics(pa.array([], pa.large_string())).values())
