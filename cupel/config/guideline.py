"""The guideline: the text that people label by, and what a change of it or of the ontology does to earlier answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cupel.config.base import Section
from cupel.errors import ProjectError
from cupel.store.files import read_text

FILE = "file:"
# What people read must fit on a page, and into an event of a log.
MOST_CHARACTERS = 1 << 20
# So many hexadecimal digits of a version are shown, and are enough to name it.
SHOWN_DIGITS = 12

Version = Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")]


class AskAgain(Section):
    """The classes whose answers are asked again."""

    ask_again: tuple[str, ...] = Field(min_length=1)
    """Classes as they were called before the change."""


class Change(Section):
    """A change of guideline or ontology: from which version it starts, and what becomes of the answers before it."""

    from_version: Version
    """The version before the change: at least 12 hexadecimal digits, as `cupel guideline` shows them."""
    classes: dict[str, str | tuple[str, ...] | None] = {}
    """Old class to new: a name (rename, merge: answers stay), a list (split: asked again), null (drop: asked again)."""
    answers: Literal["stay", "ask_again"] | AskAgain | None = None
    """What becomes of answers of classes that stay as they are: stay, ask_again, or `ask_again: [classes]`."""

    @model_validator(mode="after")
    def _says_one_thing_of_a_class(self) -> "Change":
        for old, new in self.classes.items():
            if isinstance(new, tuple) and len(set(new)) != len(new):
                raise ValueError(f"classes.{old}: {list(new)} names a class twice; keep one")
            if isinstance(new, tuple) and len(new) < 2:
                raise ValueError(f"classes.{old}: {list(new)}: a split names two classes or more; write a name or null")
        for old in self.classes_asked_again:
            if old in self.classes:
                raise ValueError(
                    f"answers.ask_again: {old!r} stands in classes too, as {_shown(self.classes[old])}; a class has "
                    "one fate: name it in one of the two"
                )
        return self

    @property
    def classes_asked_again(self) -> tuple[str, ...]:
        """The classes that `answers` names one by one."""
        return self.answers.ask_again if isinstance(self.answers, AskAgain) else ()


def read_guideline(guideline: str, data: Path, project: str) -> str:
    """Return the text of a guideline.

    Args:
        guideline: The text itself, or `file:` and a path.
        data: The folder that paths are relative to.
        project: The project's name, for errors.

    Raises:
        ProjectError: The file is gone, cannot be read, is no text, or holds nothing or too much.
    """
    if not guideline.startswith(FILE):
        return guideline
    path = data / guideline.removeprefix(FILE).strip()
    where = f"project {project}: key labeling.guideline: {path}"
    try:
        text = read_text(path)
    except FileNotFoundError:
        raise ProjectError(
            f"{where}: no such file; put the guideline back there, or name the file that holds it. Nothing was asked"
        ) from None
    except OSError as error:
        why = f"cannot be read: {error.strerror}; make it readable. Nothing was asked"
        raise ProjectError(f"{where}: {why}") from None
    except ValueError:
        raise ProjectError(f"{where}: not a text in UTF-8; convert it to plain text or Markdown") from None
    if not text.strip():
        raise ProjectError(f"{where}: holds nothing; write the guideline, or remove the key")
    if len(text) > MOST_CHARACTERS:
        raise ProjectError(f"{where}: {len(text):,} characters; at most {MOST_CHARACTERS:,} are taken: shorten it")
    return text


def find_contradiction(change: Change, before: Sequence[str] | None, after: Sequence[str] | None) -> str:
    """Return what of a change does not go together with the ontologies before and after it; "" if all does.

    Args:
        change: The change.
        before: The classes before it; None where they are not known.
        after: The classes after it; None where they are not known.
    """
    targets = {old: _targets(new) for old, new in change.classes.items()}
    if before is not None:
        for key, names in (("classes", change.classes), ("answers.ask_again", change.classes_asked_again)):
            for old in names:
                if old not in before:
                    return f"{key}: {old!r} is no class of the version before; those are {', '.join(before)}"
    if after is not None:
        for old, new in targets.items():
            if strange := next((name for name in new if name not in after), None):
                return f"classes.{old}: {strange!r} is no class of the version after; those are {', '.join(after)}"
    if before is None or after is None:
        return ""
    for old in before:
        if old not in targets and old not in after:
            return f"classes: {old!r} is no class any more; say what became of it: a name, a list of names, or null"
    if change.answers is None:
        known = {name for new in targets.values() for name in new}
        for name in after:
            if name not in before and name not in known:
                return f"answers: {name!r} is a new class, which nobody could choose before; write stay or ask_again"
        if not change.classes:
            return "answers: only words changed; write stay, ask_again, or ask_again with a list of classes"
    return ""


def _targets(new: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if new is None else (new,) if isinstance(new, str) else new


def _shown(new: str | tuple[str, ...] | None) -> str:
    return "null" if new is None else repr(new) if isinstance(new, str) else str(list(new))
