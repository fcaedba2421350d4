"""XML as a tree, with what a labeling tool never writes refused: document types, entities, deep nesting."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from xml.parsers import expat

from cupel.errors import SourceError
from cupel.people.tool_annotation import UnreadKey, unread_keys
from cupel.sources.reasons import evidence

# The deepest element of the formats that are read stands in the seventh level; deeper trees are made to do harm.
MOST_LEVELS = 100


def parse_xml(name: str, content: bytes) -> ElementTree.Element:
    """Return the root of XML.

    Args:
        name: The file, for errors.
        content: Its bytes, in any encoding that XML may have.

    Raises:
        SourceError: It is no XML, has a document type (which is what defines entities), or nests too deep.
    """
    builder = ElementTree.TreeBuilder()
    level = 0

    def refuse(*_: object) -> None:
        raise SourceError(
            f"{name}: has a document type or defines entities, which no tool's export does; they are not read. "
            "Export it again"
        )

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal level
        level += 1
        if level > MOST_LEVELS:
            raise SourceError(f"{name}: XML of more than {MOST_LEVELS} levels; export it again")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal level
        level -= 1
        builder.end(tag)

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.buffer_text = True
    try:
        parser.Parse(content, True)
        return builder.close()
    except (expat.ExpatError, ValueError, LookupError, AssertionError) as error:
        raise SourceError(f"{name}: not valid XML: {error}; export it again") from None


def text_at(element: ElementTree.Element, *paths: str) -> str | None:
    """Return the text of the first element that one of the paths leads to and that has one."""
    for path in paths:
        text = (element.findtext(path) or "").strip()
        if text:
            return text
    return None


def unread_elements(
    line: int, path: str, element: ElementTree.Element, read: frozenset[str] = frozenset()
) -> Iterator[UnreadKey]:
    """Yield the attributes and texts of an element and of those inside it that are not read.

    Args:
        line: The record's number.
        path: The element's path.
        element: The element.
        read: Paths from the element on of attributes and elements that are used: `label`, `assignee.username`.

    >>> found = parse_xml("a.xml", b"<a x='1'><b>so</b></a>")
    >>> [key.path for key in unread_elements(1, "a", found, frozenset({"x"}))]
    ['a.b']
    """
    yield from unread_keys(line, path, element.attrib, read)
    text = (element.text or "").strip()
    if text and "" not in read:
        yield UnreadKey(line, path, evidence(text))
    for child in element:
        inside = frozenset(one.removeprefix(f"{child.tag}.") for one in read if one.startswith(f"{child.tag}."))
        if child.tag in read:
            inside |= {""}
        yield from unread_elements(line, f"{path}.{child.tag}", child, inside)
