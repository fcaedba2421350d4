"""The rules' data hold what the loops can take, and words that the loops can see."""

import tomllib

import pytest

from cupel.config.cleaning import RULE_NAMES
from cupel.modalities.text.languages.model import load
from cupel.modalities.text.scan.by_language import SHIPPED, language_rules
from cupel.modalities.text.scan.measures import MOST_STOP_WORDS
from cupel.modalities.text.scan.rules import ENGLISH_STOP_WORDS
from cupel.modalities.text.scan.tokens import tokenise

CONTENT = tomllib.loads(SHIPPED.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("language", "words"), CONTENT["languages"].items())
def test_stop_words_are_distinct_words_that_the_scan_sees_as_one(language: str, words: list[str]) -> None:
    assert 8 <= len(set(words)) == len(words) <= MOST_STOP_WORDS
    assert [tokenise(word) for word in words] == [[word] for word in words]


def test_every_language_of_the_table_is_one_that_the_model_tells() -> None:
    told = set(load().languages)
    codes = {language.partition("_")[0] for language in told} | told
    assert set(CONTENT["languages"]) <= codes


def test_a_language_written_in_several_scripts_is_named_with_its_script() -> None:
    scripts: dict[str, set[str]] = {}
    for label in load().languages:
        code, _, script = label.partition("_")
        scripts.setdefault(code, set()).add(script)
    plain = [language for language in CONTENT["languages"] if "_" not in language]
    assert [code for code in plain if len(scripts[code] - {"Hant", "Hans"}) > 1] == []


def test_every_threshold_of_the_table_is_of_a_rule() -> None:
    for own in CONTENT["scripts"].values():
        assert set(own) <= set(RULE_NAMES)


def test_english_has_the_published_stop_words_and_thresholds() -> None:
    assert language_rules("eng_Latn") == (ENGLISH_STOP_WORDS, {})


def test_a_language_is_found_with_its_script_or_without() -> None:
    assert language_rules("srp_Cyrl").stop_words[1] == "\u0443"
    assert language_rules("srp_Latn").stop_words[1] == "u"
    assert language_rules("zho_Hans").stop_words == language_rules("zho_Hant").stop_words
    assert language_rules("und").stop_words == language_rules("aar_Latn").stop_words == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("中文很好。", ["中", "文", "很", "好", "。"]),
        ("これは本", ["こ", "れ", "は", "本"]),
        ("ที่นี่", ["ที่", "นี่"]),
        ("ខ្ញុំ", ["ខ្", "ញុំ"]),
        ("བོད་ཡིག་གི།", ["བོད་", "ཡིག་", "གི", "།"]),
        ("བོད་", ["བོད་"]),
    ],
)
def test_scripts_without_spaces_are_parted_at_letters_and_tibetan_at_syllables(text: str, words: list[str]) -> None:
    assert tokenise(text) == words
