"""The contract of modalities: what an item is, and all that the chain asks of it. `cupel/kinds` holds them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from cupel.checking.opinions import Batch, Opinions
    from cupel.config.checking import Checking
    from cupel.config.project import Project
    from cupel.config.raw import Delivery
    from cupel.sources.reasons import BadRow, Row


class View(NamedTuple):
    """What a labeling tool shows of an item.

    Attributes:
        tag: Text, Image or Header, as Label Studio names them.
        name: Its name in the tool, and that of the field that it shows; of a header, its words.
    """

    tag: str
    name: str


class Learned(NamedTuple):
    """What the built-in checker says of each part of a label, and which model in which version says it."""

    opinions: "list[Opinions]"
    model: str
    version: str


class Modality(NamedTuple):
    """What an item is.

    Attributes:
        name: Its name in the project file.
        check: Yields what is wrong in a project file of the modality.
        read_row: Returns the content of a row of a delivery, as one text, or why it has none.
        views: What a labeling tool shows, from above.
        about: Name of the view that controls stand for.
        fields: Returns what each view shows of an item's content.
        learn: Returns what models trained out of fold say of each part: of a batch a part, all of the same items.
        has_text: Its items are texts: cleaning measures and compares them as such.
        endings: Of files each of which is an item by itself, in lower case.
    """

    name: str
    check: "Callable[[Project], Iterator[str]]"
    read_row: "Callable[[Row, Delivery], str | BadRow]"
    views: tuple[View, ...]
    about: str
    fields: Callable[[str], Mapping[str, str]]
    learn: "Callable[[Sequence[Batch], Checking], Learned]"
    has_text: bool = True
    endings: tuple[str, ...] = ()
