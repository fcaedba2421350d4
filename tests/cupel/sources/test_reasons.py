"""Evidence is printable and short, whatever was found."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.sources.reasons import EVIDENCE_CHARACTERS, evidence


@settings(deadline=None)
@given(st.one_of(st.text(alphabet=st.characters()), st.binary(), st.integers(), st.lists(st.text())))
def test_evidence_is_printable_and_no_longer_than_allowed(found: object) -> None:
    shown = evidence(found)
    assert len(shown) <= EVIDENCE_CHARACTERS
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        ("a\nb\x00", "a\\nb\\x00"),
        (b"caf\xe9", "caf\\xe9"),
        ("\ud83d", "\\ud83d"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 199 + "…"),
        (True, "True"),
    ],
)
def test_what_is_shown_of(found: object, shown: str) -> None:
    assert evidence(found) == shown
