"""Variants: one of several ways to do a thing, as the project file names it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from cupel.config.project import Project

Way = TypeVar("Way")


class Variants(Generic[Way]):
    """The ways to do a thing, by the value of one key of the project file.

    A project's tables depend on the code of its own variant alone: `cupel.versions` reads setting and options from the
    source, so write both in place, as in `Variants("labeling.kind", {"category": ..., "preference": ...})`.

    Args:
        setting: The key, with dots.
        options: What each value stands for.
    """

    def __init__(self, setting: str, options: Mapping[str, Way]) -> None:
        self.setting = setting
        self.options = dict(options)

    def of(self, project: "Project") -> Way:
        """Return the way that a project names.

        Raises:
            KeyError: It names none of these.
        """
        return self.options[read_setting(project, self.setting)]


def read_setting(project: "Project", setting: str) -> str:
    """Return the value of a key of the project file, as text.

    >>> from types import SimpleNamespace
    >>> read_setting(SimpleNamespace(checking=SimpleNamespace(rounds=True)), "checking.rounds")
    'True'
    """
    value: Any = project
    for part in setting.split("."):
        value = getattr(value, part)
    return str(value)
