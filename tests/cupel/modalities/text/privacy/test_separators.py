"""Separators and signs: one plain form, whose places are those of the text."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.modalities.text.normalise import normalise
from cupel.modalities.text.privacy.mask import mask
from cupel.modalities.text.privacy.separators import plain_form

SIGNS = [" ", "-", ".", "/", "_", "\xa0", "\u202f", "\u3000", "\u2010", "\u2011", "\u2013", "\u2014", "\u2212",
         "\uff0d", "\uff0e", "\uff0f", "\uff3f", "\xb7", "\u30fb", "\u30fc"]  # fmt: skip
DIGITS = [range(ord(zero), ord(zero) + 10) for zero in "0\uff10\u0660\u06f0\u0966"]
GROUPS = [("CARD", "5105 1051 0510 5100"), ("IBAN", "GB82 WEST 1234 5698 7654 32"), ("PHONE", "212 555 0187")]


@given(st.text())
def test_the_plain_form_has_a_sign_for_each_sign_and_is_its_own(text: str) -> None:
    plain = plain_form(text)
    assert len(plain) == len(text)
    assert plain_form(plain) == plain


@given(st.characters(min_codepoint=0xFF01, max_codepoint=0xFF5E) | st.characters(categories=["Nd"]))
def test_wide_signs_and_digits_are_what_unicode_says(sign: str) -> None:
    assert plain_form(sign) == (
        str(unicodedata.digit(sign)) if sign.isdecimal() else unicodedata.normalize("NFKC", sign)
    )


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(("kind", "value"), GROUPS)
def test_every_finder_takes_every_separator(kind: str, value: str, sign: str) -> None:
    assert mask(normalise(f"it is {value.replace(' ', sign)}, yes")).text == f"it is <{kind}>, yes"


@pytest.mark.parametrize("digits", DIGITS)
@pytest.mark.parametrize(("kind", "value"), [*GROUPS, ("EMAIL", "kim22@example.net")])
def test_every_finder_takes_digits_of_every_script(kind: str, value: str, digits: range) -> None:
    written = "".join(chr(digits[int(sign)]) if sign.isdigit() else sign for sign in value)
    assert mask(f"it is {written}, yes").text == f"it is <{kind}>, yes"


def test_full_width_letters_and_signs_are_read() -> None:
    wide = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})
    for kind, value in [*GROUPS, ("EMAIL", "kim@example.net")]:
        assert mask(value.translate(wide)).text == f"<{kind}>"
    key = bytes(32)
    assert mask("kim@example.net".translate(wide), key=key).text == mask("kim@example.net", key=key).text
