"""What a project's settings make of the published rules."""

import pyarrow as pa
import pytest
from pydantic import ValidationError

from cupel.cleaning.decide import decide
from cupel.cleaning.signals import item_signals
from cupel.cleaning.web_rules import PREFIX, asked, broken, needed, rules_of
from cupel.config.cleaning import RULE_NAMES, Cleaning, WebRules
from cupel.contract.tables.cleaning import SIMILAR_ITEMS
from cupel.contract.tables.raw import RAW_ITEMS
from cupel.modalities.text.scan.by_language import language_rules
from cupel.modalities.text.scan.measures import measures
from cupel.modalities.text.scan.rules import ENGLISH_STOP_WORDS, RULES, key, reasons

PAGE = (
    "The keeper of the light that stands on the northern shore has written down the weather of every single day. "
    "He began to do so in the year that his father died, and he will have no one to go on with it after him. "
    "Most of what he wrote is about wind and rain, but there are a few pages of which the owners never heard. "
    "Ships that passed in fog were counted by the sound of their horns. Nobody else on the coast could do that."
)
GERMAN = (
    "Der Wärter des Leuchtturms an der nördlichen Küste hat das Wetter eines jeden Tages aufgeschrieben. "
    "Er begann damit in dem Jahr, in dem sein Vater starb, und niemand wird es nach ihm weiterführen. "
    "Das meiste handelt von Wind und Regen, doch es gibt Seiten, von denen die Besitzer nie gehört haben. "
    "Schiffe im Nebel zählte er nach dem Klang ihrer Hörner. Niemand sonst an der Küste konnte das."
)
ALL = Cleaning(web_rules=WebRules(sets=("gopher_quality", "gopher_repetition", "c4", "fineweb")))


def raw(*texts: str) -> pa.Table:
    rows = [
        {"batch": "b", "item_id": str(place), "source_file": "a", "line": place + 1, "text": text, "licence": "MIT"}
        for place, text in enumerate(texts)
    ]
    return pa.Table.from_pylist(rows, RAW_ITEMS.schema)


def rejected(settings: Cleaning, *texts: str) -> list[dict[str, object]]:
    items = raw(*texts)
    decision = decide("b", items, item_signals(items, settings), SIMILAR_ITEMS.schema.empty_table(), settings)
    return decision.rejected_items.to_pylist()  # type: ignore[no-any-return]


def test_no_rules_are_asked_unless_the_project_names_them() -> None:
    assert needed(WebRules()) == []
    assert rejected(Cleaning(), "Only few words.") == []


def test_a_page_passes_all_rules_and_a_short_text_breaks_the_first() -> None:
    (short,) = rejected(ALL, PAGE, "Only few words.")
    assert (short["item_id"], short["reason"], short["value"], short["threshold"]) == (
        "1", "gopher_quality.few_words", 3, 50,
    )  # fmt: skip
    assert str(short["evidence"]).startswith("plain_words 3; rules for ")


def test_a_share_tells_what_it_is_a_share_of() -> None:
    (item,) = rejected(ALL, PAGE + " #" * 20)
    assert (item["reason"], item["threshold"]) == ("gopher_quality.hash_signs", 0.1)
    assert str(item["evidence"]).startswith("hashes 20 of words ")


def test_stop_words_are_those_of_the_language_that_was_found() -> None:
    items = raw(PAGE, GERMAN)
    signals = item_signals(items, ALL)
    assert signals["language"].to_pylist() == ["eng_Latn", "deu_Latn"]
    assert min(signals[f"{PREFIX}stop_words"].to_pylist()) >= 5
    assert rejected(ALL, PAGE, GERMAN) == []


def test_what_the_chain_decides_is_what_the_library_decides() -> None:
    texts = [PAGE, "Short.", PAGE + "\n" + "The same line.\n" * 40, "{ " + PAGE, PAGE.replace(".", "")]
    settings = Cleaning(web_rules=WebRules(sets=("c4", "fineweb", "gopher_repetition")))
    measured = measures(pa.array(texts), ENGLISH_STOP_WORDS)
    signals = item_signals(raw(*[text for text in texts]), settings)
    found = broken(signals, settings.web_rules)
    names = [rule.name for rule in asked(settings.web_rules)]
    for place in range(len(texts)):
        firsts = [(name, reasons(name, measured)[place].as_py()) for name in ("c4", "fineweb", "gopher repetition")]
        wanted = next((f"{key(name)}.{key(reason)}" for name, reason in firsts if reason), None)
        number = int(found.first[place])
        assert (None if number < 0 else names[number]) == wanted


def test_the_projects_thresholds_go_before_those_of_a_language_and_its_own_of_a_language_before_both() -> None:
    name = "gopher_quality.few_words"
    assert rules_of("tha_Thai", WebRules()).thresholds[name] == 150
    assert rules_of("tha_Thai", WebRules(thresholds={name: 7})).thresholds[name] == 7
    settings = WebRules(thresholds={name: 7}, languages={"tha_Thai": {"thresholds": {name: 9}}})  # type: ignore[dict-item]
    assert rules_of("tha_Thai", settings).thresholds[name] == 9
    assert rules_of("lao_Laoo", settings).thresholds[name] == 7


def test_a_language_without_stop_words_is_not_asked_for_them_unless_the_project_gives_some() -> None:
    name = "gopher_quality.few_stop_words"
    assert language_rules("aar_Latn").stop_words == ()
    assert rules_of("aar_Latn", WebRules(thresholds={name: 3})).thresholds[name] == 0
    settings = WebRules(languages={"aar_Latn": {"stop_words": ["kee", "le"]}})  # type: ignore[dict-item]
    assert rules_of("aar_Latn", settings) == (("kee", "le"), {})


def test_an_unknown_rule_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match=r"'gopher_quality\.fw' is no rule"):
        WebRules(thresholds={"gopher_quality.fw": 3})
    with pytest.raises(ValidationError, match="named twice"):
        WebRules(sets=("c4", "c4"))


def test_every_rule_has_a_name_of_its_own() -> None:
    assert len(set(RULE_NAMES)) == sum(len(rules) for rules in RULES.values())


def test_the_rules_that_a_project_may_name_are_those_that_are_asked_in_their_order() -> None:
    assert tuple(f"{key(name)}.{rule.key}" for name, rules in RULES.items() for rule in rules) == RULE_NAMES


def test_a_text_too_long_to_be_measured_is_rejected_where_rules_are_asked() -> None:
    settings = ALL.model_copy(update={"max_characters": None, "max_words": None})
    items = raw("word " * 3_500_000)
    signals = item_signals(raw("x"), settings).to_pylist()[0]
    row = signals | {"item_id": "0"} | {name: None for name in signals if name.startswith(PREFIX)}
    table = pa.Table.from_pylist([row | {"characters": 100, "words": 20}], item_signals(raw("x"), settings).schema)
    decision = decide("b", items, table, SIMILAR_ITEMS.schema.empty_table(), settings)
    assert decision.rejected_items["reason"].to_pylist() == ["not_measured"]


def test_a_macrolanguage_has_the_stop_words_of_its_standard_variety() -> None:
    assert rules_of("ara_Arab", WebRules()).stop_words == language_rules("arb_Arab").stop_words != ()
    assert rules_of("hin_Latn", WebRules()).stop_words == ()
