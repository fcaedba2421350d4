"""The published rules for web text, as data: what is asked of the measures, and with which thresholds.

Rae et al. (2021), Scaling Language Models (Gopher), appendix A1.1; Raffel et al. (2020), Exploring the Limits of
Transfer Learning (C4), section 2.2; Penedo et al. (2024), The FineWeb Datasets. Where a paper leaves something open,
the reading is that of the filters in datatrove, so that decisions can be compared.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Reals = NDArray[np.float64]

NOT_MEASURED = "not measured"
ENGLISH_STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")


def key(words: str) -> str:
    """Return words as a name.

    >>> key("few stop words")
    'few_stop_words'
    """
    return words.replace("-", "_").replace(" ", "_")


class Rule(NamedTuple):
    """One rule: a document is rejected where part / whole (or the part alone) is over, or under, the threshold.

    `minus` is a measure that is taken off the whole. A whole of 0 makes the share 0, as an empty document has nothing
    to repeat.
    """

    reason: str
    part: str
    whole: str | None
    comparison: Literal["at most", "at least"]
    threshold: float
    minus: str | None = None

    @property
    def key(self) -> str:
        """The reason as a name."""
        return key(self.reason)


def _repeated(size: int, most: float) -> Rule:
    return Rule(f"repeated {size}-grams", f"repeated_{size}_gram_characters", "characters", "at most", most)


RULES: Mapping[str, tuple[Rule, ...]] = {
    "gopher quality": (
        Rule("few words", "plain_words", None, "at least", 50),
        Rule("many words", "plain_words", None, "at most", 100_000),
        Rule("short words", "plain_word_characters", "plain_words", "at least", 3),
        Rule("long words", "plain_word_characters", "plain_words", "at most", 10),
        Rule("hash signs", "hashes", "words", "at most", 0.1),
        Rule("ellipses", "ellipses", "words", "at most", 0.1),
        Rule("bullet lines", "bullet_lines", "lines", "at most", 0.9),
        Rule("lines that end in an ellipsis", "ellipsis_lines", "lines", "at most", 0.3),
        Rule("words without a letter", "lettered_words", "words", "at least", 0.8),
        Rule("few stop words", "stop_words", None, "at least", 2),
    ),
    "gopher repetition": (
        Rule("empty", "characters", None, "at least", 1),
        Rule("repeated paragraphs", "repeated_paragraphs", "paragraphs", "at most", 0.3),
        Rule("characters in repeated paragraphs", "repeated_paragraph_characters", "characters", "at most", 0.2),
        Rule("repeated lines", "repeated_pieces", "pieces", "at most", 0.3),
        Rule("characters in repeated lines", "repeated_piece_characters", "characters", "at most", 0.2),
        Rule("commonest 2-gram", "top_2_gram_characters", "characters", "at most", 0.20),
        Rule("commonest 3-gram", "top_3_gram_characters", "characters", "at most", 0.18),
        Rule("commonest 4-gram", "top_4_gram_characters", "characters", "at most", 0.16),
        _repeated(5, 0.15), _repeated(6, 0.14), _repeated(7, 0.13), _repeated(8, 0.12), _repeated(9, 0.11),
        _repeated(10, 0.10),
    ),
    "c4": (
        Rule("lorem ipsum", "lorem_lines", None, "at most", 0),
        Rule("curly brackets", "brace_lines", None, "at most", 0),
        Rule("few sentences", "kept_sentences", None, "at least", 5),
    ),
    "fineweb": (
        Rule("no lines", "filled_lines", None, "at least", 1),
        Rule("lines without an end", "ended_lines", "filled_lines", "at least", 0.12),
        Rule("short lines", "short_lines", "filled_lines", "at most", 0.67),
        Rule("characters in repeated lines", "repeated_line_characters", "characters", "at most", 0.01, "line_feeds"),
        Rule("line ends per word", "line_feeds", "words", "at most", 0.3),
    ),
}  # fmt: skip


def value(rule: Rule, measured: pa.Table) -> Reals:
    """Return what a rule asks about, one value a document; NaN where the document was not measured."""
    part = _column(measured, rule.part)
    if rule.whole is None:
        return part
    whole = _column(measured, rule.whole) - (0 if rule.minus is None else _column(measured, rule.minus))
    with np.errstate(invalid="ignore"):
        return np.divide(part, whole, out=np.where(np.isnan(part), np.nan, 0.0), where=whole > 0)


def rejects(rule: Rule, measured: pa.Table) -> NDArray[np.bool_]:
    """Tell which documents a rule rejects; one that was not measured is rejected."""
    found = value(rule, measured)
    with np.errstate(invalid="ignore"):
        is_kept = found <= rule.threshold if rule.comparison == "at most" else found >= rule.threshold
    return np.asarray(~is_kept)


def reasons(name: str, measured: pa.Table) -> pa.Array:
    """Return the first reason for which a set of rules rejects each document; null where it keeps it.

    Args:
        name: One of `RULES`.
        measured: As `measures` returns it.
    """
    rules = RULES[name]
    kept, unmeasured = len(rules), len(rules) + 1
    first = np.full(measured.num_rows, kept)
    for place in range(len(rules) - 1, -1, -1):
        first[rejects(rules[place], measured)] = place
    first[np.isnan(_column(measured, "characters"))] = unmeasured
    said = [*(rule.reason for rule in rules), None, NOT_MEASURED]
    return pa.array(said, pa.string()).take(pa.array(first))


def _column(measured: pa.Table, name: str) -> Reals:
    return np.asarray(measured[name].to_numpy(zero_copy_only=False), np.float64)
