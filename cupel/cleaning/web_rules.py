"""The published rules for web text as a project asks them: which sets, which thresholds, by the language found."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.config.cleaning import LanguageRules as LanguageSettings
from cupel.config.cleaning import WebRules
from cupel.modalities.text.languages.codes import standard_variety
from cupel.modalities.text.scan.by_language import STOP_WORD_RULE, LanguageRules, language_rules
from cupel.modalities.text.scan.rules import RULES, Rule, key, value

NOT_MEASURED = "not_measured"
# The columns of `item_signals` that hold what the scan measured begin so.
PREFIX = "scan_"


class Asked(NamedTuple):
    """A rule that a project asks, with its name, `set.rule`, which is the reason of what it rejects."""

    name: str
    rule: Rule


class Broken(NamedTuple):
    """Of each row the first rule that it breaks, as a place in `asked`, -1 for none; what was measured and allowed.

    `asked` has one place more than there are rules: its last name is `NOT_MEASURED`.
    """

    first: NDArray[np.int16]
    values: NDArray[np.float64]
    thresholds: NDArray[np.float64]


def asked(settings: WebRules) -> tuple[Asked, ...]:
    """Return the rules that a project asks, in the order in which they are tried."""
    sets = {key(name): rules for name, rules in RULES.items()}
    return tuple(Asked(f"{name}.{rule.key}", rule) for name in settings.sets for rule in sets[name])


def needed(settings: WebRules) -> list[str]:
    """Return the columns of `item_signals` that the rules judge; none where the project asks none."""
    if not settings.sets:
        return []
    parts = [part for _, rule in asked(settings) for part in (rule.part, rule.whole, rule.minus) if part]
    return ["language", *(f"{PREFIX}{part}" for part in dict.fromkeys([*parts, "characters"]))]


def rules_of(language: str, settings: WebRules) -> LanguageRules:
    """Return stop words and thresholds of a language as they hold for a project.

    The project's thresholds go before those that ship for a language, its thresholds of one language before both. A
    macrolanguage has the stop words of its standard variety.
    """
    code, _, script = language.partition("_")
    shipped, own = language_rules(language), settings.languages.get(language, LanguageSettings())
    standard = shipped.stop_words or language_rules(f"{standard_variety(code)}_{script}").stop_words
    words = standard if own.stop_words is None else own.stop_words
    held = {**shipped.thresholds, **settings.thresholds, **own.thresholds}
    if not words:
        held[STOP_WORD_RULE] = 0.0
    return LanguageRules(words, held)


def stop_word_lists(languages: Sequence[str], settings: WebRules) -> list[tuple[str, ...]]:
    """Return the stop words of each language."""
    return [rules_of(language, settings).stop_words for language in languages]


def thresholds(rule: Asked, languages: Sequence[str], settings: WebRules) -> NDArray[np.float64]:
    """Return a rule's threshold for each language."""
    held = [rules_of(language, settings).thresholds.get(rule.name, rule.rule.threshold) for language in languages]
    return np.array(held, np.float64)


def values(rule: Rule, signals: pa.Table) -> NDArray[np.float64]:
    """Return what a rule asks about, one value an item; NaN where it was not measured."""
    parts = [part for part in (rule.part, rule.whole, rule.minus) if part]
    return value(rule, pa.table({part: signals[f"{PREFIX}{part}"] for part in parts}))


def broken(signals: pa.Table, settings: WebRules) -> Broken:
    """Find the first rule that each item breaks.

    Args:
        signals: `item_signals`; the columns that `needed` names.
        settings: Sets of rules and thresholds.

    Returns:
        An entry a row; an item that was not measured, because it is too long, breaks `NOT_MEASURED`.
    """
    size, rules = signals.num_rows, asked(settings)
    first, found, allowed = np.full(size, -1, np.int16), np.full(size, np.nan), np.full(size, np.nan)
    if not rules or not size:
        return Broken(first, found, allowed)
    encoded = signals["language"].combine_chunks().dictionary_encode()
    languages, which = encoded.dictionary.to_pylist(), encoded.indices.to_numpy()
    for place in range(len(rules) - 1, -1, -1):
        rule = rules[place].rule
        measured, limit = values(rule, signals), thresholds(rules[place], languages, settings)[which]
        is_broken = measured > limit if rule.comparison == "at most" else measured < limit
        first[is_broken], found[is_broken], allowed[is_broken] = place, measured[is_broken], limit[is_broken]
    unmeasured = np.asarray(pc.is_null(signals[f"{PREFIX}characters"]))
    first[unmeasured], found[unmeasured], allowed[unmeasured] = len(rules), np.nan, np.nan
    return Broken(first, found, allowed)


def counted(rule: Rule, signals: pa.Table, place: int) -> str:
    """Return in words what was counted of an item: the evidence of a broken rule."""
    part = signals[f"{PREFIX}{rule.part}"][place].as_py()
    if rule.whole is None:
        return f"{rule.part} {part}"
    whole = signals[f"{PREFIX}{rule.whole}"][place].as_py()
    less = "" if rule.minus is None else f" less {rule.minus} {signals[f'{PREFIX}{rule.minus}'][place].as_py()}"
    return f"{rule.part} {part} of {rule.whole} {whole}{less}"
