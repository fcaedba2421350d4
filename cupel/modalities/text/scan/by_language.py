"""What the rules need to know of each language: its stop words, and the thresholds that differ for it."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cupel.store.files import read_text

SHIPPED = Path(__file__).with_name("languages.toml")
STOP_WORD_RULE = "gopher_quality.few_stop_words"


class LanguageRules(NamedTuple):
    """Stop words, and thresholds by `set.rule`, for texts in one language; those not named are the rules' own."""

    stop_words: tuple[str, ...]
    thresholds: Mapping[str, float]


def language_rules(language: str) -> LanguageRules:
    """Return what ships for a language.

    Args:
        language: language_Script, ISO 639-3 and ISO 15924, or `und`.

    Returns:
        Its rules; without stop words where none are known.

    >>> language_rules("eng_Latn").stop_words[:3], language_rules("tha_Thai").thresholds["c4.few_sentences"]
    (('the', 'be', 'to'), 0.0)
    """
    words, scripts = _shipped()
    code, _, script = language.partition("_")
    return LanguageRules(words.get(language, words.get(code, ())), scripts.get(script, {}))


@cache
def _shipped() -> tuple[dict[str, tuple[str, ...]], dict[str, dict[str, float]]]:
    content = tomllib.loads(read_text(SHIPPED))
    words = {language: tuple(listed) for language, listed in content["languages"].items()}
    scripts = {
        script: {name: float(value) for name, value in own.items()} for script, own in content["scripts"].items()
    }
    return words, scripts
