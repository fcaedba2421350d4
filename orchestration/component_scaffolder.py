"""What `dg scaffold defs cupel.Project NAME` writes: the component's ten lines, and a project file to begin with."""

from pathlib import Path
from typing import Any

import dagster as dg

from cupel.config.base import check_name
from cupel.errors import CupelError
from cupel.store.files import is_file, put_file

DEFS_FILE = "defs.yaml"
DEFS = """\
type: {type_name}
attributes:
  project: {name}.yaml  # the project file, beside this one
  data: "{{{{ context.project_root }}}}/data"  # deliveries and recorded answers are named relative to it
  lake: "{{{{ context.project_root }}}}/lake"  # tables, answers and releases
  inbox: "{{{{ context.project_root }}}}/inbox"  # deliveries that arrive later; leave it out for none
  is_automated: false  # true: sensors and schedules work from the start
"""
PROJECT = """\
# docs/reference/project.md lists every key.
project: {name}
title: Reviews, good or bad
owner: team:data

raw:
  deliveries:
    first:
      files: [{name}/first.csv]  # with columns id and text, below the component's data folder
      licence: CC0-1.0

labeling:
  question: Is the review good or bad?
  classes: [good, bad]
  overlap: {{first: 2, most: 3}}
  workforce: recorded
  answers: [{name}/answers.csv]  # batch, item_id, purpose, annotator, label
  experts: {{answers: 1, description: one expert}}

release:
  error_budget: 0.05
  audit_size: 100
  max_experts_seen_share: 0.35
"""


class ProjectScaffolder(dg.Scaffolder[Any]):
    """Writes a component of a new project, and its project file where there is none."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write both files to the folder that was asked for.

        Raises:
            CupelError: It would be Python, or one more in a file that is there; or the name cannot be a project's.
        """
        if request.scaffold_format != "yaml" or request.append:
            raise CupelError(f"{request.type_name}: is written as YAML, a folder each; leave out --format and --append")
        name = _checked(request.target_path)
        put_file(request.target_path / DEFS_FILE, DEFS.format(type_name=request.type_name, name=name).encode())
        if not is_file(path := request.target_path / f"{name}.yaml"):
            put_file(path, PROJECT.format(name=name).encode())


def _checked(folder: Path) -> str:
    try:
        return check_name(folder.name)
    except ValueError as error:
        raise CupelError(f"{folder}: the folder's name is that of the project, and cannot be: {error}") from None
