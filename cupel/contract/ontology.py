"""The ontology: what a label may say. It is frozen with a release, and all that `cupel verify` knows of labels."""

from typing import NamedTuple


class Question(NamedTuple):
    """One of several questions about an item.

    Attributes:
        name: Its name; a column of the release.
        kind: Name of its label kind.
        classes: Its classes.
        asked_if: Answers to earlier questions under which it is asked: the question's name and those of its classes
            that do; empty: always.
    """

    name: str
    kind: str
    classes: tuple[str, ...]
    asked_if: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Ontology(NamedTuple):
    """What labels may say.

    Attributes:
        classes: The classes of the labels, or of their marks.
        questions: The questions, each with its own classes, where a label answers several.
        least_overlap: Intersection over union from which on two marks are the same, above 0 and up to 1; None where
            labels are no marks.
    """

    classes: tuple[str, ...]
    questions: tuple[Question, ...] = ()
    least_overlap: float | None = None

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of all classes; of several questions, with the question's before each, as `topic: sport`."""
        return (*self.classes, *(f"{one.name}: {name}" for one in self.questions for name in one.classes))
