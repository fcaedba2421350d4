"""The project file's section `cleaning`: what cleaning measures against."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cupel.config.base import Count, Language, OpenShare, Positive, Section, Share
from cupel.config.contamination import Contamination

NotNegative = Annotated[float, Field(ge=0)]
Region = Annotated[str, Field(pattern="^[A-Z]{2}$")]
RuleSet = Literal["gopher_quality", "gopher_repetition", "c4", "fineweb"]
# Every rule as `set.rule`, in the order in which they are asked; a test holds them to those of `cleaning.scan.rules`.
RULE_NAMES = (
    "gopher_quality.few_words",
    "gopher_quality.many_words",
    "gopher_quality.short_words",
    "gopher_quality.long_words",
    "gopher_quality.hash_signs",
    "gopher_quality.ellipses",
    "gopher_quality.bullet_lines",
    "gopher_quality.lines_that_end_in_an_ellipsis",
    "gopher_quality.words_without_a_letter",
    "gopher_quality.few_stop_words",
    "gopher_repetition.empty",
    "gopher_repetition.repeated_paragraphs",
    "gopher_repetition.characters_in_repeated_paragraphs",
    "gopher_repetition.repeated_lines",
    "gopher_repetition.characters_in_repeated_lines",
    "gopher_repetition.commonest_2_gram",
    "gopher_repetition.commonest_3_gram",
    "gopher_repetition.commonest_4_gram",
    "gopher_repetition.repeated_5_grams",
    "gopher_repetition.repeated_6_grams",
    "gopher_repetition.repeated_7_grams",
    "gopher_repetition.repeated_8_grams",
    "gopher_repetition.repeated_9_grams",
    "gopher_repetition.repeated_10_grams",
    "c4.lorem_ipsum",
    "c4.curly_brackets",
    "c4.few_sentences",
    "fineweb.no_lines",
    "fineweb.lines_without_an_end",
    "fineweb.short_lines",
    "fineweb.characters_in_repeated_lines",
    "fineweb.line_ends_per_word",
)


def _check_rule_names(thresholds: dict[str, float]) -> None:
    if unknown := sorted(set(thresholds) - set(RULE_NAMES)):
        raise ValueError(f"{unknown[0]!r} is no rule; the rules are {', '.join(RULE_NAMES)}")


class LanguageRules(Section):
    """How the rules for web text differ for one language."""

    stop_words: Annotated[tuple[str, ...], Field(min_length=2, max_length=40)] | None = None
    """Its commonest words, as they stand inside a sentence; null: those that ship."""
    thresholds: dict[str, NotNegative] = {}
    """Thresholds by `set.rule`, for this language alone."""

    @model_validator(mode="after")
    def _rules_are_known(self) -> "LanguageRules":
        _check_rule_names(self.thresholds)
        return self


class WebRules(Section):
    """The published rules for web text: made for whole pages, they reject nearly all short texts."""

    sets: tuple[RuleSet, ...] = ()
    """Sets of rules to ask, in this order; empty: none."""
    thresholds: dict[str, NotNegative] = {}
    """Thresholds by `set.rule`, such as gopher_quality.few_words, in place of the published ones, for all languages."""
    languages: dict[Language, LanguageRules] = {}
    """Stop words and thresholds of single languages, by language_Script."""

    @model_validator(mode="after")
    def _rules_are_known(self) -> "WebRules":
        _check_rule_names(self.thresholds)
        if len(set(self.sets)) != len(self.sets):
            raise ValueError("a set of rules is named twice")
        return self


class ReferenceSet(Section):
    """A set of questions that a model will be examined with, and that must not be trained on."""

    name: Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    """What it is called in the evidence."""
    path: Annotated[str, Field(pattern=r"\.(parquet|csv|jsonl)(\.(gz|bz2|zst))?$")]
    """Its file, relative to the data folder: .parquet, .csv or .jsonl."""
    columns: tuple[str, ...] = Field(("text",), min_length=1)
    """Columns or keys that hold the text, in the order in which they are read."""
    answer_column: str | None = None
    """Column or key that holds the answer, which a short text is looked for with; null: there is none."""
    id_column: str | None = None
    """Column or key of the row's id, which the evidence names; null: it names the row's number."""


class Repairs(Section):
    """Steps that change a text before it is measured; what each changed is recorded, and raw_items is as it was."""

    hidden: bool = True
    """Remove characters that nobody sees: control, zero-width, direction."""
    spaces: bool = True
    """Make spaces of any width one space, line ends plain, and none at the ends of lines and text."""
    mojibake: bool = False
    """Repair lines that were read in another encoding than they were written in (cafÃ©)."""
    unwrap: bool = False
    """Join lines that were broken to fit a width, as mails are."""
    policy_lines: bool = False
    """Remove lines of at most 200 characters about cookies, policies and JavaScript, in English."""
    repeated_lines: Annotated[int, Field(ge=2)] | None = None
    """Remove lines of 15 characters and more that stand in at least this many items of the batch; null: none."""
    c4_lines: bool = False
    """Remove the lines that C4 drops: not ended by a mark, of fewer than three words, of scripts and policies."""


class Cleaning(Section):
    """What cleaning measures against; a null threshold is off, 0 is zero."""

    normalisation: Literal["NFC", "NFKC"] = "NFC"
    """Unicode normalisation form."""
    repairs: Repairs = Repairs()
    """Steps that change a text before it is measured."""
    phone_region: Region | Annotated[tuple[Region, ...], Field(min_length=1)] = "US"
    """Country, or list of countries, whose phone numbers may be written without its code; of two the first counts."""
    mask_ip_addresses: bool = False
    """Mask IP addresses too, of version 4 and 6."""
    masks: Literal["stable", "kind"] = "stable"
    """What takes the place of private data. stable: the same value, the same token; kind: its kind alone."""
    mask_key_env: str | None = Field(None, pattern="^[A-Z][A-Z0-9_]*$")
    """Environment variable that holds the secret that stable tokens are made with; null: the lake keeps one."""
    allowed_licences: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Licences that may be labelled and released; items of any other are rejected. Empty: all."""
    min_characters: Count | None = 1
    """Fewer characters are rejected."""
    max_characters: Positive | None = 100_000
    """More characters are rejected."""
    min_words: Count | None = 2
    """Fewer words are rejected."""
    max_words: Positive | None = 20_000
    """More words are rejected."""
    min_mean_word_length: float | None = None
    """Shorter words on average are rejected."""
    max_mean_word_length: float | None = 20.0
    """Longer words on average are rejected."""
    min_letter_share: Share | None = 0.5
    """A smaller share of letters among visible characters is rejected."""
    max_symbol_word_share: float | None = 0.5
    """More hash signs and ellipses per word are rejected."""
    max_repeated_line_share: Share | None = 0.3
    """A larger share of characters in repeated lines is rejected."""
    max_repeated_word_share: Share | None = None
    """A larger share of the commonest word is rejected."""
    web_rules: WebRules = WebRules()
    """The published rules for web text."""
    least_language_confidence: Share = 0.5
    """Below this confidence the language of a text is `und`."""
    duplicate_similarity: OpenShare | None = 0.8
    """Jaccard similarity of shingles from which an item is a near-duplicate."""
    duplicate_containment: OpenShare | None = None
    """Share of the shorter text in the longer one from which the later of the two is dropped; null: not looked for."""
    fold_accents: bool = False
    """Compare texts without the accents of Latin and Greek letters."""
    keep_other_digits: bool = False
    """Keep texts that differ from a kept one in digits only, such as invoices of one template."""
    group_similarity: OpenShare = 0.5
    """Jaccard similarity from which items stay in one split."""
    shingle_characters: Positive = 5
    """Characters in a shingle."""
    shingle_words: Positive | None = None
    """Words in a shingle, which then is of words; null: it is of characters."""
    contamination: Contamination | None = None
    """What the project does not want; learned from people's answers, and bounded by an audit. Null: nothing."""
    overlap: tuple[ReferenceSet, ...] = ()
    """Sets that models are examined with: items that hold too much of one are rejected."""
    max_overlap_share: Share = 0.5
    """A larger share of a reference's (or, if shorter, the item's) runs of 13 words is rejected."""

    @model_validator(mode="after")
    def _duplicates_are_groups(self) -> "Cleaning":
        if self.duplicate_similarity is not None and self.group_similarity > self.duplicate_similarity:
            raise ValueError("group_similarity must not be above duplicate_similarity")
        return self
