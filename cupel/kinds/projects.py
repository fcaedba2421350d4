"""Project files, read with the label kinds and modalities that there are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cupel.config import project
from cupel.config.project import Known, Project, read_project
from cupel.kinds import KNOWN
from cupel.store.files import find_files


def load_project(path: Path, known: Known = KNOWN) -> Project:
    """Read a project file; see `read_project`."""
    return read_project(path, known)


def load_projects(folder: Path, known: Known = KNOWN) -> list[Project]:
    """Return the projects of all YAML files in a folder, by name."""
    return [read_project(path, known) for path in find_files(folder, "*.yaml")]


def make_project(content: Mapping[str, Any], known: Known = KNOWN) -> Project:
    """Return a project of the content of its file; see `cupel.config.project.make_project`."""
    return project.make_project(content, known)
