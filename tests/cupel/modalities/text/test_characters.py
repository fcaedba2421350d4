"""Classes of Unicode characters."""

import re
import unicodedata

from cupel.modalities.text.characters import marks, ranges


def test_the_class_holds_the_combining_marks_and_nothing_else() -> None:
    pattern = re.compile(f"[{marks()}]")
    everything = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x1F000)]))
    assert set(pattern.findall(everything)) == {c for c in everything if unicodedata.category(c).startswith("M")}


def test_numbers_in_a_row_are_a_range() -> None:
    assert ranges([]) == ""
    assert ranges([97]) == "a"
    assert ranges([97, 98, 100]) == "a-bd"
