"""What an XML element says: its texts, and its attributes and parts that are not read."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from cupel.people.tool_annotation import UnreadKey, unread_keys
from cupel.sources.reasons import evidence


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

    >>> found = ElementTree.fromstring("<a x='1'><b>so</b></a>")
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
