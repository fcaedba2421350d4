"""How labels of a delivery are read, compared and asked for; here of one class, without a label kind or Arrow."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from cupel.people.tool_annotation import ReadChoices, one_class
from cupel.sources.reasons import BadRow


class LabelRules(NamedTuple):
    """What an audit must know of the labels that it is about.

    Attributes:
        kind: Name of the label kind; None: a label is one class, and another class is wrong.
        read_choices: Returns the label of the choices of one answer, or why there is none.
        read_cell: Returns the label of what a person wrote, which may be spelt otherwise, or why there is none.
        are_wrong: Tells of each delivered label whether the auditor's is another one; None is never told so.
        choices_of: Returns the choices that say a label; none where labels are not chosen.
        choices: What an auditor may choose; none where labels are written.
        is_multiple: Several of them may be chosen at once.
        alone: Those of them that go with no other, as none of them.
        least_overlap: Overlap from which on two marks are the same; None where labels are no marks.
    """

    kind: str | None
    read_choices: ReadChoices
    read_cell: Callable[[str], "str | BadRow"]
    are_wrong: Callable[[Sequence[str], Sequence[str | None]], list[bool]]
    choices_of: Callable[[str], tuple[str, ...]]
    choices: tuple[str, ...] = ()
    is_multiple: bool = False
    alone: tuple[str, ...] = ()
    least_overlap: float | None = None


def are_other_texts(delivered: Sequence[str], audited: Sequence[str | None]) -> list[bool]:
    """Tell which labels have another text than the auditor's; where there is none, nothing is wrong.

    >>> are_other_texts(["a", "b", "c"], ["a", "a", None])
    [False, True, False]
    """
    return [said is not None and said != label for label, said in zip(delivered, audited, strict=True)]


ONE_CLASS = LabelRules(
    None, one_class, lambda text: one_class(0, [text]), are_other_texts, lambda label: (label,)
)  # fmt: skip
