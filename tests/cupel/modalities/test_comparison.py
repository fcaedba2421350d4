import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.modalities.comparison import Comparison, as_text, from_text
from cupel.modalities.text.normalise import normalise

LINES = st.lists(st.sampled_from(["[prompt]", "[first]", "\\[second]", "\\\\[first]", "a b", "", "<b>x"]), max_size=5)
PARTS = LINES.map("\n".join)


@given(PARTS, PARTS, PARTS)
def test_a_comparison_comes_back_from_its_text_whatever_its_parts_hold(prompt: str, first: str, second: str) -> None:
    found = from_text(as_text(Comparison(prompt, first, second)))
    assert found == Comparison(prompt.strip(), first.strip(), second.strip())


@given(st.text(), st.text(min_size=1), st.text(min_size=1))
def test_normalising_keeps_the_three_parts_apart(prompt: str, first: str, second: str) -> None:
    found = from_text(normalise(as_text(Comparison(prompt, first, second))))
    assert found == Comparison(*(normalise(part) for part in (prompt, first, second)))


@pytest.mark.parametrize(
    "spoof", ["[fir\u200bst]", "\uff3bfirst\uff3d", "a\r[second]\rb", "x\u2028[prompt]", " [first] "]
)
def test_what_only_looks_like_a_head_after_normalising_stays_in_its_part(spoof: str) -> None:
    for form in ("NFC", "NFKC"):
        found = from_text(normalise(as_text(Comparison("p", spoof, "other")), form))
        assert found == Comparison("p", normalise(spoof, "NFKC"), "other")


@pytest.mark.parametrize(
    "text", ["", "hello", "[prompt]\na\n[second]\nb\n[first]\nc", "x\n[prompt]\n[first]\n[second]"]
)
def test_a_text_that_lays_out_no_comparison_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="lays out no comparison"):
        from_text(text)
