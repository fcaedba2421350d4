"""Writes the reference pages and the map that are made from the code; a test fails where they are not up to date."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cupel.config.project import Project
from cupel.contract.stages import STAGES
from cupel.contract.tables import TABLES
from docs.draw_architecture import draw_map, read_rooms
from expectations.reference import gates_page

DOCS = Path(__file__).parent


def tables_page() -> str:
    """Return the page that describes every table and column."""
    lines = [
        "# Tables",
        "",
        "Made by `make docs` from `cupel/contract/tables/`. `?` marks a column that may be null.",
        "",
    ]
    for stage in sorted(STAGES.values(), key=lambda stage: stage.name == "answers"):
        lines += [f"## {stage.name}", ""]
        for table in (TABLES[name] for name in TABLES if name in stage.tables):
            lines += [f"### {table.name}", f"A row is {table.row}. Key: `{', '.join(table.key)}`.", ""]
            lines += ["| column | type | meaning |", "|---|---|---|"]
            lines += [f"| `{c.name}`{' ?' * c.is_optional} | {c.type} | {c.meaning} |" for c in table.columns]
            lines.append("")
    return "\n".join(lines)


def project_page() -> str:
    """Return the page that describes every key of a project file."""
    lines = [
        "# The project file",
        "",
        "Made by `make docs` from `cupel/config/`. A project is one YAML file, `projects/<project>.yaml`; its",
        "sections are the stages of the chain. Unknown keys are refused. `projects/sentiment.yaml` is an example.",
        "",
        "| key | default | meaning |",
        "|---|---|---|",
        *_keys(Project, ""),
        "",
    ]
    return "\n".join(lines)


def _keys(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"| `{prefix}{name}` | {_default(model, field)} | {field.description} |"
        section, part = _section(field)
        if section is not None:
            yield from _keys(section, f"{prefix}{name}{part}.")


def _section(field: FieldInfo) -> tuple[type[BaseModel] | None, str]:
    """Return the section that a field holds, and how its entries are named, if it holds one."""
    annotation = field.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, ""
    for argument in get_args(annotation):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            kind = str(annotation)
            return argument, ".<name>" if "dict[" in kind else "[]" if "tuple[" in kind else ""
    return None, ""


def _default(model: type[BaseModel], field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if isinstance(field.default, BaseModel):
        return ""
    if isinstance(field.default, str) and "\n" in field.default:
        return f"see `{model.__module__.replace('.', '/')}.py`"
    return f"`{'null' if field.default is None else field.default}`"


def pages() -> dict[str, str]:
    """Return the content of every page and picture that is made from the code, by its name in this folder."""
    return {
        "reference/tables.md": tables_page(),
        "reference/project.md": project_page(),
        "reference/gates.md": gates_page(),
        "images/architecture.svg": draw_map(read_rooms()),
    }


if __name__ == "__main__":
    for name, content in pages().items():
        (DOCS / name).write_text(content, encoding="utf-8")
