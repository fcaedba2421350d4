"""The package of the project file: a module a section, and nothing of the chain that reads it."""

import ast
from pathlib import Path
from typing import get_args

import pytest

import cupel.config
from cupel.config.base import Section
from cupel.config.project import Project

MODULES = sorted(Path(cupel.config.__file__).parent.glob("*.py"))
BELOW = (["config"], ["store"], ["errors"], ["printable"])
CONTRACT = [["contract", name] for name in ("format_numbers", "format_check", "kind", "modality", "ontology")]


def sections() -> dict[str, type[Section]]:
    """Return the model of each key of the project file that holds a section, or several of a kind."""
    found = {}
    for key, field in Project.model_fields.items():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, Section):
                found[key] = kind
    return found


@pytest.mark.parametrize("key", sections())
def test_a_section_stands_in_the_module_of_its_name(key: str) -> None:
    assert sections()[key].__module__ == f"cupel.config.{key}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_module_of_the_project_file_imports_nothing_that_reads_it(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            package, *module = name.split(".")
            assert (
                package != "cupel" or module[:1] in BELOW or module in CONTRACT or module[:2] == ["contract", "tables"]
            ), name
