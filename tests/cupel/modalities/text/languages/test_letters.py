import numpy as np

from cupel.modalities.text.languages.grams import MOST_LETTERS, MOST_ROWS, gram_rows, read_letters
from cupel.modalities.text.languages.letters import folded


def letters_of(text: str) -> str:
    letters = np.zeros(MOST_LETTERS, np.int32)
    codes = np.array([ord(sign) for sign in text], np.int32)
    return "".join(map(chr, letters[: read_letters(codes, len(codes), folded(), letters)[0]]))


def rows_of(text: str) -> list[int]:
    letters = np.array([ord(sign) for sign in text], np.int32)
    rows = np.zeros(MOST_ROWS, np.int32)
    return rows[: gram_rows(letters, 0, len(letters), np.uint64(46), rows)].tolist()


def test_a_text_is_read_as_words_in_lower_case_with_one_space_around_each() -> None:
    assert letters_of("Été 2024: l’eau -- NOIRE") == " été l'eau noire "
    assert letters_of("") == letters_of("12, 13") == " "
    assert letters_of("Sa_ve &all: {name}<br>%s") == " save all "
    assert letters_of("می\u200cخواهم") == " میخواهم "


def test_no_more_letters_are_read_than_there_is_room_for() -> None:
    assert len(letters_of("a" * 5000)) == MOST_LETTERS
    assert len(letters_of("a b " * 5000)) <= MOST_LETTERS


def test_runs_of_letters_do_not_reach_across_a_space() -> None:
    # " ab ": " a", " ab", " ab ", "a", "ab", "ab ", "b", "b "
    assert len(rows_of(" ab ")) == 8
    both = rows_of(" ab cd ")
    assert sorted(both) == sorted(rows_of(" ab ") + rows_of(" cd "))


def test_a_word_longer_than_a_run_has_a_row_of_its_own() -> None:
    # Runs of " abcd ": 4 from the space, 5 from a ("abcd " is the last), 4, 3, 2; and the word.
    assert len(rows_of(" abcd ")) == 4 + 5 + 4 + 3 + 2 + 1
    # Runs of " abc ": 4 from the space ("abc " with both spaces is one), 4, 3, 2; no word.
    assert len(rows_of(" abc ")) == 4 + 4 + 3 + 2
