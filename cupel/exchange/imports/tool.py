"""What a reader of a tool's files is: its name, how its files are recognised, and how they are read."""

from collections.abc import Callable
from typing import NamedTuple

from cupel.exchange.imports.file import File
from cupel.people.tool_annotation import Read, ReadChoices, one_class


class ReadOptions(NamedTuple):
    """What to take of a file; None leaves it to the format, or guesses.

    Attributes:
        question: Which question's answer is the label; of a table, the column of the label.
        id_field: Field or column of the item's id.
        annotator: Column of who answered; of tools that name nobody, who did.
        text: Column that shows the item.
        has_no_ids: Rows of a table without an id column are items of their own.
        annotators: Columns of a table that hold one annotator's answers each.
        classes: Those that were declared; empty: none were.
        read: Returns the label of the choices of an answer; objects in an item have one class whatever it says.
        option_names: What the command calls its options, by attribute, for messages.
    """

    question: str | None = None
    id_field: str | None = None
    annotator: str | None = None
    text: str | None = None
    has_no_ids: bool = False
    annotators: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    read: ReadChoices = one_class
    option_names: tuple[tuple[str, str], ...] = (
        ("question", "--question"), ("id_field", "--id"), ("annotator", "--annotator"), ("text", "--text"),
        ("annotators", "--annotators"),
    )  # fmt: skip

    def option(self, attribute: str) -> str:
        """Return what the command calls the option of an attribute."""
        return dict(self.option_names)[attribute]


class Tool(NamedTuple):
    """A tool whose files are read.

    Attributes:
        name: As `--tool` names it.
        recognise: Tells whether the tool wrote a file, by what the file holds.
        read: Yields what a file of the tool holds.
        is_table: `options.annotator` is a column; of other tools it is who answered, where the file names nobody.
    """

    name: str
    recognise: Callable[[File], bool]
    read: Callable[[File, ReadOptions], Read]
    is_table: bool = False
