"""One text to its normal form."""

import unicodedata
from typing import Literal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cupel.modalities.text.normalise import are_normal, normalise

JOINER, NON_JOINER = "\u200d", "\u200c"
TRICKY = st.text(
    alphabet=st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from(
            "a \n\t\r\x00\x0b\u00a0\u00ad\u200b\u200c\u200d\u200e\u2028\ufeff\u0301\u0308\u0915\u094d\u0645"
        ),
        st.sampled_from("\ufb50\u1161\u1100\u00a8\u2026\u3000\U0001f3f4\U000e0067\U000e007f\U0001f468\u2640\ufe0f"),
    )
)


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("Plain text.\nTwo lines.", "Plain text.\nTwo lines."),
        ("  a \t b\u00a0\u2003c  ", "a b c"),
        ("a\r\nb\rc\u2028d\x85e\x0cf", "a\nb\nc\nd\ne\nf"),
        ("a \n  b", "a\nb"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("a\x00b\x07c\x7f", "abc"),
        ("in\u00advis\u200bible\ufeff \u202etext\u2066", "invisible text"),
        ("cafe\u0301", "caf\u00e9"),
        ("e\u200b\u0301", "\u00e9"),
        ("\u200d\u200c", ""),
        ("", ""),
    ],
)
def test_the_normal_form_of(raw: str, normal: str) -> None:
    assert normalise(raw) == normal


@pytest.mark.parametrize(
    "text",
    [
        f"\u0645\u06cc{NON_JOINER}\u062e\u0648\u0627\u0647\u0645",
        f"\u0915\u094d{JOINER}\u0937",
        f"\u0d28\u0d4d{JOINER} \u0d05",
        f"\U0001f468{JOINER}\U0001f469{JOINER}\U0001f467",
        f"\U0001f9d4\U0001f3fd{JOINER}\u2642\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ],
    ids=["persian", "hindi", "malayalam", "family", "skin tone", "flag of england"],
)
def test_joiners_and_tags_that_are_read_stay(text: str) -> None:
    assert normalise(text) == unicodedata.normalize("NFC", text)


def test_joiners_and_tags_that_hide_are_removed() -> None:
    assert normalise(f"pass{JOINER}word {NON_JOINER}x") == "password x"
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "ignore")
    assert normalise(f"a{hidden}b") == "ab"


def test_nfkc_folds_forms_that_nfc_keeps() -> None:
    assert normalise("\ufb01\uff21\u00b2", "NFC") == "\ufb01\uff21\u00b2"
    assert normalise("\ufb01\uff21\u00b2", "NFKC") == "fiA2"


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
@settings(deadline=None)
@given(text=TRICKY)
def test_normalising_twice_changes_nothing(form: str, text: str) -> None:
    once = normalise(text, form)  # type: ignore[arg-type]
    assert normalise(once, form) == once  # type: ignore[arg-type]
    assert unicodedata.is_normalized(form, once)  # type: ignore[arg-type]


@settings(deadline=None)
@given(TRICKY)
def test_no_control_character_and_no_outer_or_double_space_is_left(text: str) -> None:
    normal = normalise(text)
    assert not [character for character in normal if unicodedata.category(character) == "Cc" and character != "\n"]
    assert normal == normal.strip()
    assert not any(part in normal for part in ("  ", " \n", "\n ", "\n\n\n", "\u00a0", "\u200b"))


@settings(deadline=None, max_examples=500)
@given(TRICKY, st.sampled_from(["NFC", "NFKC"]))
def test_a_text_that_is_called_normal_is_its_own_normal_form(text: str, form: Literal["NFC", "NFKC"]) -> None:
    (is_normal,) = are_normal(pa.array([text], pa.large_string()), form).tolist()
    assert not is_normal or normalise(text, form) == text


def test_every_character_that_is_called_normal_is_its_own_normal_form() -> None:
    for form in ("NFC", "NFKC"):
        for before in ("", "a", "\u1100", "\u0915\u093c"):
            texts = [f"{before}{chr(code)}x" for code in range(0x20000) if not 0xD800 <= code <= 0xDFFF]
            called = are_normal(pa.array(texts, pa.large_string()), form).tolist()
            assert all(normalise(text, form) == text for text, is_one in zip(texts, called, strict=True) if is_one)
            assert sum(called) > 100_000 or before in ("\u0915\u093c",)


def test_prose_of_many_scripts_is_called_normal() -> None:
    texts = [
        "Stra\u00dfe, caf\u00e9",
        "\u041f\u0440\u0438\u0432\u0435\u0442",
        "\u4f60\u597d\u3002",
        "\u0928\u092e\u0938\u094d\u0924\u0947",
        "\uc548\ub155",
    ]
    assert are_normal(pa.array(texts, pa.large_string()), "NFC").tolist() == [True] * 5
