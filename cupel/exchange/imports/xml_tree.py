"""XML to a tree of elements: without entities and DTDs, in any encoding, no larger than the limits allow."""

import io
import xml.etree.ElementTree as ElementTree

from cupel.errors import SourceError
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits, refuse_size


class _BoundedBuilder(ElementTree.TreeBuilder):
    """Builds a tree, and refuses what is more than a tree of so many elements."""

    def __init__(self, name: str, limits: InputLimits) -> None:
        super().__init__()
        self._name, self._limits = name, limits
        self._elements = self._depth = 0

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Refuse a DTD before anything that it defines is read."""
        raise SourceError(f"{self._name}: has a DTD, in which entities are defined; it is not read. Export it again")

    def start(self, tag: str, attributes: dict[str, str], /) -> ElementTree.Element:
        """Begin an element."""
        self._elements += 1 + len(attributes)
        self._depth += 1
        if self._elements > self._limits.values:
            refuse_size(self._name, "elements and attributes", self._limits, "values")
        if self._depth > self._limits.depth:
            refuse_size(self._name, "elements in each other", self._limits, "depth")
        return super().start(tag, attributes)

    def end(self, tag: str, /) -> ElementTree.Element:
        """End an element."""
        self._depth -= 1
        return super().end(tag)


def parse_xml(name: str, content: bytes, limits: InputLimits = DEFAULT_LIMITS) -> ElementTree.Element:
    """Return the root of an XML document.

    Args:
        name: The file, for errors.
        content: Its bytes, in the encoding that they say.
        limits: How many elements and attributes are read, and how deep.

    Raises:
        SourceError: It is no XML, has a DTD, or is larger than the limits.
    """
    parser = ElementTree.XMLParser(target=_BoundedBuilder(name, limits))
    try:
        return ElementTree.parse(io.BytesIO(content), parser).getroot()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise SourceError(f"{name}: not valid XML: {error}; export it again") from None
