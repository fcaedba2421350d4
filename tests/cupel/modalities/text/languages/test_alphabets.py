"""Languages are held against a text whose alphabets they are written in."""

import numpy as np

from cupel.modalities.text.languages.alphabets import alphabet_codes, alphabet_names, find_writings, written_in
from cupel.modalities.text.languages.grams import count_pairs
from cupel.modalities.text.languages.model import uses_of

WAYS = ("CJK", "CJK HIRAGANA KATAKANA", "LATIN", "THAI")


def in_question(text: str) -> list[str]:
    letters = np.array([ord(sign) for sign in text], np.int32)
    counts = np.zeros(len(WAYS), np.int32)
    least = find_writings(letters, len(letters), alphabet_codes(), uses_of(WAYS), counts)
    return [way for way, count in zip(WAYS, counts, strict=True) if least and count >= least]


def test_the_alphabets_of_most_letters_are_in_question() -> None:
    assert in_question("東京") == ["CJK", "CJK HIRAGANA KATAKANA"]
    assert in_question("東京へ行く") == ["CJK HIRAGANA KATAKANA"]
    assert in_question("ภาษาไทย ok") == ["THAI"]
    assert in_question("wort") == ["LATIN"]
    assert in_question("привет") == in_question("12") == []


def test_a_language_is_written_in_what_its_texts_hold_foreign_names_aside() -> None:
    texts = ["これは東京のホテルです", "Das ist Αθήνα, und das ist ein Haus am Meer", "ภาษาไทย Google"]
    found = written_in(texts, ["jpn_Jpan", "deu_Latn", "tha_Thai"])
    assert found["jpn_Jpan"] == {"CJK", "HIRAGANA", "KATAKANA"}
    assert "LATIN" in found["deu_Latn"]
    assert found["tha_Thai"] == {"THAI"}


def test_alphabets_are_those_of_unicode_names() -> None:
    names = alphabet_names()
    for letter, name in zip("aяあ字ก", ("LATIN", "CYRILLIC", "HIRAGANA", "CJK", "THAI"), strict=True):
        assert names[alphabet_codes()[ord(letter)]] == name
    assert alphabet_codes()[ord("1")] == -1


def test_letters_that_repeat_count_once() -> None:
    def pairs(text: str) -> int:
        letters = np.array([ord(sign) for sign in f" {text} "], np.int32)
        return count_pairs(letters, len(letters), 8)

    assert (pairs("aaaaaaaa"), pairs("hahahaha"), pairs("ab"), pairs("abcdefghij")) == (2, 3, 2, 8)
