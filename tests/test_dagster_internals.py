"""Private names of Dagster are imported in one file, which says what each is needed for."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration import dagster_internals

REPOSITORY = Path(__file__).parent.parent
PACKAGES = ("cupel", "assets", "expectations", "orchestration", "samples", "benchmarks")
SEAM = "orchestration/dagster_internals.py"


def private_names(source: str) -> Iterator[str]:
    """Yield what a module names of Dagster's private modules: imports, and texts that are the name of one."""
    for node in ast.walk(ast.parse(source)):
        names = [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            is_of_dagster = parts[0].startswith("dagster") and " " not in name
            if is_of_dagster and (parts[0] == "dagster_shared" or any(part.startswith("_") for part in parts[1:])):
                yield name


@pytest.mark.parametrize(
    "source",
    ["import dagster._core.events", "from dagster import _core", "from dagster._core.events import DagsterEvent",
     "from dagster_shared.error import SerializableErrorInfo", "log = getLogger('dagster._core.executor')"],
)  # fmt: skip
def test_a_private_name_is_found(source: str) -> None:
    assert list(private_names(source))


def test_public_names_and_words_are_not_private() -> None:
    assert not list(private_names("import dagster as dg\nfrom dagster_duckdb import DuckDBResource\n'dagster _is_'"))


def test_private_names_are_imported_in_one_file() -> None:
    found = {
        str(path.relative_to(REPOSITORY)): names
        for package in PACKAGES
        for path in sorted((REPOSITORY / package).rglob("*.py"))
        if (names := list(private_names(path.read_text())))
    }
    assert found.pop(SEAM), "the seam itself names none: this test looks at nothing"
    assert not found


def test_every_name_of_the_seam_is_there() -> None:
    for name in dagster_internals.__all__:
        assert getattr(dagster_internals, name) is not None
