"""A team's own `dg` workspace for tests: the files that `create-dagster project` makes, in a folder of its own."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from small_project import write_project

# Python keeps a package that it has imported: each workspace has one of another name.
_NUMBERS = itertools.count()
PYPROJECT = """\
[project]
name = "{name}"
requires-python = ">=3.10,<3.15"
version = "0.1.0"

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[tool.dg]
directory_type = "project"

[tool.dg.project]
root_module = "{name}"
"""
DEFINITIONS = """\
from pathlib import Path

from dagster import definitions, load_from_defs_folder


@definitions
def defs():
    return load_from_defs_folder(path_within_project=Path(__file__).parent)
"""
# What the team has already: a model of each release, a check of its own, and an executor.
MODELS = """\
from pathlib import Path

import dagster as dg

LAKE = Path(__file__).parents[3] / "lake"
RELEASES = dg.DynamicPartitionsDefinition(name="{project}_releases")
TRAINING_SET = dg.AssetKey(["{project}", "training_set"])


@dg.asset(deps=[TRAINING_SET], partitions_def=RELEASES)
def sentiment_model(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    from cupel.lake.lake import Lake

    rows = Lake(LAKE, "{project}").read("training_set", context.partition_key)
    return dg.MaterializeResult(metadata={{"rows": rows.num_rows}})


@dg.asset_check(asset=TRAINING_SET)
def training_set_has_both_labels(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    from cupel.lake.lake import Lake

    lake = Lake(LAKE, "{project}")
    labels = set(lake.read("training_set", context.run.tags["dagster/partition"])["label"].to_pylist())
    return dg.AssetCheckResult(passed=labels == {{"warm", "cold"}})
"""
EXECUTOR = """\
import dagster as dg

executor = dg.Definitions(executor=dg.in_process_executor)
"""


class Workspace:
    """A workspace in a folder, without any component yet.

    Args:
        folder: Where its files are written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.name = folder, f"team_{next(_NUMBERS)}"
        self.defs = folder / "src" / self.name / "defs"
        self.defs.mkdir(parents=True)
        (folder / "pyproject.toml").write_text(PYPROJECT.format(name=self.name))
        (self.defs.parent / "__init__.py").touch()
        (self.defs / "__init__.py").touch()
        (self.defs.parent / "definitions.py").write_text(DEFINITIONS)

    def add_project(self, name: str, place: str | None = None, **attributes: Any) -> Path:
        """Add a component with a small project and its data; return the component's file."""
        made = write_project(self.folder / "made" / name, name, items=200)
        folder = self.defs / (place or name)
        folder.mkdir(parents=True)
        shutil.copy(made.projects / f"{name}.yaml", folder)
        shutil.copytree(made.data, self.folder / "data", dirs_exist_ok=True)
        root = "{{ context.project_root }}"
        content = {"project": f"{name}.yaml", "data": f"{root}/data", "lake": f"{root}/lake", **attributes}
        file = folder / "defs.yaml"
        file.write_text(yaml.safe_dump({"type": "cupel.Project", "attributes": content}))
        return file

    def add_models(self, project: str) -> None:
        """Add what the team has already, downstream of a project's releases."""
        (self.defs / "models.py").write_text(MODELS.format(project=project))
        (self.defs / "executor.py").write_text(EXECUTOR)

    def run_dg(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run `dg` in the workspace, on an instance of its own with Dagster's usual launcher."""
        tools, home = Path(sys.executable).parent, self.folder / "home"
        home.mkdir(exist_ok=True)
        (home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
        environment = os.environ | {
            "DAGSTER_HOME": str(home),
            "PYTHONPATH": str(self.folder / "src"),
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(tools.parent),
        }
        command = [str(tools / "dg"), *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

    @contextmanager
    def load(self) -> Iterator[dg.Definitions]:
        """Load the workspace as its `definitions.py` does."""
        sys.path.insert(0, str(self.folder / "src"))
        try:
            yield dg.load_from_defs_folder(path_within_project=self.folder)
        finally:
            sys.path.remove(str(self.folder / "src"))
