"""A column of texts normalised and masked: the same as text by text."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.cleaning.kept_texts import kept_texts
from cupel.cleaning.repairs import repaired
from cupel.config.cleaning import Cleaning, Repairs
from cupel.modalities.text.privacy.mask import mask
from cupel.modalities.text.privacy.tokens import without_keyed

KEY = bytes(range(32))
SETTINGS = (
    Cleaning(),
    Cleaning(normalisation="NFKC", phone_region="DE"),
    Cleaning(repairs=Repairs(hidden=False, spaces=False, mojibake=True)),
    Cleaning(repairs=Repairs(policy_lines=True, unwrap=True)),
)
PIECES = st.sampled_from(
    ["cafe\u0301", "caf\u00c3\u00a9", "in\u200bside", "  ", "\r\n", "\n\n", "a@b.example", "12 Elm Street", "\u00e9",
     "uses cookies", "<EMAIL-abcdefghij>", "plain words", "\u0915\u094d\u0937", "+1 415 555 2671",
     "\u1100\u1161", "\u212b"]
)  # fmt: skip


@pytest.mark.parametrize("chosen", SETTINGS)
def test_no_texts_are_no_texts(chosen: Cleaning) -> None:
    assert len(kept_texts(pa.chunked_array([], pa.string()), chosen).plain) == 0


@settings(deadline=None, max_examples=200)
@given(st.sampled_from(SETTINGS), st.lists(st.lists(PIECES | st.text(max_size=3), max_size=6).map("".join), max_size=4))
def test_a_column_is_treated_as_its_texts_one_by_one(chosen: Cleaning, texts: list[str]) -> None:
    found = kept_texts(pa.chunked_array([pa.array(texts, pa.string())]), chosen, key=KEY)
    normal = [repaired(text, chosen) for text in texts]
    masked = [mask(one.text, chosen.phone_region, KEY) for one in normal]
    assert found.columns["text"].to_pylist() == [one.text for one in masked]
    assert found.plain.to_pylist() == [without_keyed(one.text) for one in masked]
    assert found.columns["is_changed"].to_pylist() == [
        one.text != text for one, text in zip(normal, texts, strict=True)
    ]
    assert [tuple(steps) for steps in found.columns["repairs"].to_pylist()] == [one.steps for one in normal]
    assert found.columns["emails_masked"].to_pylist() == [one.emails for one in masked]
    assert found.columns["phones_masked"].to_pylist() == [one.phones for one in masked]
