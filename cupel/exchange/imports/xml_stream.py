"""XML an element at a time: the children of the root as trees, so that a file need not fit into memory."""

import xml.etree.ElementTree as ElementTree
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO
from xml.parsers import expat

from cupel.errors import SourceError
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits, refuse_size

BLOCK_BYTES = 1 << 16


class _ChildBuilder:
    """Builds the children of the root, one at a time; those that are whole wait in `ready`."""

    def __init__(self, name: str, limits: InputLimits) -> None:
        self.ready: deque[ElementTree.Element] = deque()
        self.root: ElementTree.Element | None = None
        self._name, self._limits = name, limits
        self._open: list[ElementTree.Element] = []
        self._values = 0
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._flush()
        element = ElementTree.Element(tag, attributes)
        if self.root is None:
            self.root = element
            return
        if self._open:
            self._open[-1].append(element)
        self._open.append(element)
        self._values += 1 + len(attributes)
        if self._values > self._limits.values:
            refuse_size(self._name, f"elements and attributes in one <{self._open[0].tag}>", self._limits, "values")
        if len(self._open) >= self._limits.depth:
            refuse_size(self._name, "elements in each other", self._limits, "depth")

    def data(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        self._flush()
        if not self._open:
            return
        element = self._open.pop()
        if not self._open:
            self.ready.append(element)
            self._values = 0

    def refuse_doctype(self, *_: object) -> None:
        raise SourceError(f"{self._name}: has a DTD, in which entities are defined; it is not read. Export it again")

    def _flush(self) -> None:
        """Put the text since the last tag where it belongs."""
        text, self._text = "".join(self._text), []
        if not text or not self._open:
            return
        if len(self._open[-1]):
            self._open[-1][-1].tail = text
        else:
            self._open[-1].text = text


def stream_children(
    name: str, source: BinaryIO, root: str, limits: InputLimits = DEFAULT_LIMITS
) -> Iterator[ElementTree.Element]:
    """Yield the children of an XML document's root, each with all that is in it.

    Args:
        name: The file, for errors.
        source: Its bytes.
        root: What the root must be called.
        limits: How many elements and attributes are in one child, and how deep; the whole may be of any size.

    Raises:
        SourceError: It is no XML, has a DTD or another root, or a child is larger than the limits.
    """
    builder = _ChildBuilder(name, limits)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = builder.data, builder.refuse_doctype
    is_last = False
    while not is_last:
        block = source.read(BLOCK_BYTES)
        is_last = not block
        try:
            parser.Parse(block, is_last)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise SourceError(f"{name}: not valid XML: {error}; export it again") from None
        if builder.root is not None and builder.root.tag != root:
            raise SourceError(
                f"{name}: XML of <{builder.root.tag[:80]}>, expected <{root}>; export it as CVAT for images"
            )
        while builder.ready:
            yield builder.ready.popleft()
