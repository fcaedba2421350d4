import io
import xml.etree.ElementTree as ElementTree

import pytest

from cupel.errors import SourceError
from cupel.exchange.imports.xml_stream import stream_children
from cupel.sources.input_limits import DEFAULT_LIMITS, InputLimits

TEXT = '<?xml version="1.0"?><r a="1">head<one x="2">a<b>c</b>d<e/>f</one>\n<two/>tail</r>'


def read(text: str | bytes, limits: InputLimits = DEFAULT_LIMITS) -> list[str]:
    content = text.encode() if isinstance(text, str) else text
    found = stream_children("a.xml", io.BytesIO(content), "r", limits)
    return [ElementTree.tostring(element, "unicode") for element in found]


def test_children_are_what_the_whole_tree_has() -> None:
    whole = ElementTree.fromstring(TEXT)
    for child in whole:
        child.tail = None
    assert read(TEXT) == [ElementTree.tostring(child, "unicode") for child in whole]


def test_encodings_are_those_that_the_file_says() -> None:
    text = "<r><one>gr\u00f6\u00dfe</one></r>"
    assert read(f'<?xml version="1.0" encoding="utf-16"?>{text}'.encode("utf-16")) == ["<one>gr\u00f6\u00dfe</one>"]


@pytest.mark.parametrize(
    ("text", "limits", "said"),
    [
        ('<!DOCTYPE r [<!ENTITY a "b">]><r>&a;</r>', InputLimits(), "DTD"),
        ("<q/>", InputLimits(), "XML of <q>, expected <r>"),
        ("<r><a></r>", InputLimits(), "not valid XML"),
        ("<r><a/>", InputLimits(), "not valid XML"),
        ("", InputLimits(), "not valid XML"),
        ("<r><a><b/><b/><b/></a></r>", InputLimits(values=3), "more than 3 elements and attributes in one <a>"),
        ("<r><a><b><c/></b></a></r>", InputLimits(depth=3), "more than 3 elements in each other"),
    ],
)
def test_what_is_no_such_file_is_refused(text: str, limits: InputLimits, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(text, limits)


def test_a_file_may_hold_more_than_one_child_may() -> None:
    assert len(read(f"<r>{'<a><b/></a>' * 100}</r>", InputLimits(values=3))) == 100


def test_no_more_is_held_than_one_child_and_a_block() -> None:
    class Endless(io.RawIOBase):
        count = 0

        def read(self, size: int = -1) -> bytes:
            self.count += 1
            return b"<r>" if self.count == 1 else b"<a><b/></a>" * 1000

    source = Endless()
    found = stream_children("a.xml", source, "r")  # type: ignore[arg-type]
    for _ in range(5000):
        next(found)
    assert source.count <= 8
