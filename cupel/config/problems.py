"""What is wrong with a project file, in words: the key, what was found there, and what is allowed."""

import reprlib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

SHOWN_CHARACTERS = 80
# What stands in a file may be longer than a message should be.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = SHOWN_CHARACTERS
_SHORT.maxlevel = 2
PROBLEMS_SHOWN = 20


def format_problems(path: Path, error: ValidationError, model: type[BaseModel]) -> str:
    """Return what is wrong with a file, a line a problem.

    Args:
        path: The file.
        error: What pydantic found.
        model: The model of the whole file, which knows the allowed keys.
    """
    problems = error.errors()
    said = [f"{path}: {_explain(problem, model)}" for problem in problems[:PROBLEMS_SHOWN]]
    if len(problems) > PROBLEMS_SHOWN:
        said.append(f"{path}: and {len(problems) - PROBLEMS_SHOWN:,} more")
    return "\n".join(said)


def _explain(problem: Any, model: type[BaseModel]) -> str:
    key = ".".join(_format_part(part) for part in problem["loc"]) or "(whole file)"
    if problem["type"] == "extra_forbidden":
        parent = ".".join(_format_part(part) for part in problem["loc"][:-1])
        return f"key {key}: not known{' in ' + parent if parent else ''}; remove it or mend its name. Allowed: " + (
            ", ".join(_list_allowed_keys(problem["loc"][:-1], model)) or "see docs/reference/project.md"
        )
    if problem["type"] == "missing":
        return f"key {key}: missing; add it"
    if problem["type"] == "value_error" and not problem["loc"]:
        return str(
            problem["ctx"]["error"]
        )  # it names its key and what was found there; the file's content tells no more
    return f"key {key}: found {_SHORT.repr(problem['input'])}; {problem['msg']}"


def _format_part(part: object) -> str:
    """Return a part of a key as it stands in the file, where it is one line of printable characters."""
    text = str(part)
    return text if text.isprintable() and len(text) <= SHOWN_CHARACTERS else _SHORT.repr(text)


def _list_allowed_keys(location: tuple[Any, ...], root: type[BaseModel]) -> list[str]:
    """Return the keys that a section knows, following the model from the root."""
    model: Any = root
    for part in location:
        field = model.model_fields.get(part) if isinstance(model, type) and issubclass(model, BaseModel) else None
        if field is None:
            return []
        model = field.annotation
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []
