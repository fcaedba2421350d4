"""The reference page says what the code says."""

from pathlib import Path

from expectations.reference import COMMAND, gates_page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "gates.md"


def test_the_page_is_what_the_suites_make_of_it() -> None:
    assert PAGE.read_text(encoding="utf-8") == gates_page(), f"run: {COMMAND}"
