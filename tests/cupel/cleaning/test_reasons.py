"""The reasons are explained where people look them up."""

from pathlib import Path

import pytest

from cupel.cleaning import REASONS
from cupel.sources.reasons import REASONS as ROW_REASONS

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "cleaning.md"


@pytest.mark.parametrize(("reason", "meaning"), [*REASONS.items(), *ROW_REASONS.items()])
def test_the_reference_explains_every_reason_in_the_same_words(reason: str, meaning: str) -> None:
    assert f"| `{reason}` | {meaning}" in REFERENCE.read_text(encoding="utf-8")
