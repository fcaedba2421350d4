"""Variants of texts are made alike each time, and say what they are."""

import random

import pytest

from benchmarks.language_code import LABEL, code_or_noise
from benchmarks.language_variants import romanised, variants, without_accents


@pytest.mark.parametrize(
    ("text", "expected"),
    [("मेरा नाम क्या है", "mera nam kya hai"), ("привет, как дела", "privet, kak dela"), ("καλημέρα σου", "kalimera sou")],
)
def test_a_text_is_written_in_latin_letters(text: str, expected: str) -> None:
    assert romanised(text, random.Random(0)) == expected


def test_marks_on_letters_are_left_out() -> None:
    assert without_accents("Đường phố, mañana, größer") == "Duong pho, manana, großer"


def test_variants_are_of_the_rows_and_the_same_each_time() -> None:
    rows = [("vie_Latn", "Tôi sẽ về nhà")] * 40 + [("tur_Latn", "kırk yıl")] * 40 + [("hin_Deva", "कल")]
    made = variants(rows)
    assert made == variants(rows)
    assert {name for name, _ in made} == {"vie_Latn", "tur_Latn", "hin_Latn", LABEL}
    assert {text for name, text in made if name == "tur_Latn"} == {"KIRK YIL", "kirk yil"}
    assert ("hin_Latn", "kal") in made


def test_code_has_no_place_to_fill_in_left() -> None:
    draw = random.Random(1)
    assert not [text for text in (code_or_noise(draw) for _ in range(500)) if "{}" in text or not text.strip()]
