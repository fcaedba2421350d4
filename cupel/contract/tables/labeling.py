"""What annotators answered, what they agree on, and how good they are."""

from cupel.contract.columns import (
    ANNOTATOR,
    ANSWERED_AT,
    FLAG,
    INTEGER,
    ITEM,
    REAL,
    REALS,
    REJECTED_ANSWER_COLUMNS,
    SECONDS_SPENT,
    SEQUENCE,
    TEXT,
    TEXTS,
    Column,
)
from cupel.contract.table import Table

ANNOTATIONS = Table(
    "annotations", "one annotator's valid answer on one item", ("item_id", "sequence"), (
        ITEM,
        SEQUENCE,
        ANNOTATOR,
        Column("label", TEXT, "The answer, one of the ontology's classes."),
        SECONDS_SPENT,
        ANSWERED_AT,
    ),
)  # fmt: skip

REJECTED_ANSWERS = Table(
    "rejected_answers", "an answer in the log that does not count", ("sequence",), REJECTED_ANSWER_COLUMNS
)  # fmt: skip

CONSENSUS = Table(
    "consensus", "an item's label as its annotators see it", ("item_id",), (
        ITEM,
        Column("votes", INTEGER, "Valid annotations of the item."),
        Column("majority_label", TEXT, "The most frequent answer; null on a tie and without answers.", True),
        Column("is_tie", FLAG, "Two or more answers are equally frequent."),
        Column("agreement", REAL, "Share of votes for the most frequent answer; null without answers.", True),
        Column("consensus_label", TEXT, "Most likely label, by the project's method; null without answers.", True),
        Column("posterior", REALS, "Probability of each class, in the ontology's order; null without answers.", True),
    ),
)  # fmt: skip

ANNOTATORS = Table(
    "annotators", "an annotator", ("annotator",), (
        Column("annotator", TEXT, "Who answered."),
        Column("answers", INTEGER, "Valid annotations."),
        Column("answer_share", REAL, "Share of all the batch's annotations, 0 to 1."),
        Column("agreement_share", REAL, "Share of the answers that equal the other annotators' plurality, "
               "where there is one.", True),
        Column("quality", REAL, "Chance of a right answer, by hidden gold and the other annotators together; null for "
               "anonymous annotators.", True),
        Column("quality_low", REAL, "Lower end of its 95% interval.", True),
        Column("quality_high", REAL, "Upper end.", True),
        Column("seconds_spent", REAL, "Median working time of an answer.", True),
        Column("time_ratio", REAL, "Median of own working time over the others' on the same item.", True),
        Column("gold_answers", INTEGER, "Answers on items whose label the project knows."),
        Column("gold_right", INTEGER, "Those that were right."),
        Column("gold_low", REAL, "Lower end of the exact 95% interval of the share right, by gold alone.", True),
        Column("gold_high", REAL, "Upper end.", True),
        Column("is_told", FLAG, "The answers can be told from guesses, or from the usual annotator's; false where "
               "there are too few, or too little is known of their items.", True),
        Column("comparable", INTEGER, "Other annotators who share items enough for copying to be seen."),
        Column("vendor", TEXT, "Vendor, where the project names one.", True),
    ),
)  # fmt: skip

ANNOTATOR_FINDINGS = Table(
    "annotator_findings", "something found against an annotator", ("annotator", "finding"), (
        Column("annotator", TEXT, "Who answered."),
        Column("finding", TEXT, "What, as one of cupel.people.annotators.FINDINGS."),
        Column("statistic", TEXT, "What was measured."),
        Column("value", REAL, "Its value."),
        Column("p_value", REAL, "Chance of the like where nothing changed, or nobody hurried; null for a finding that "
               "rests on a ratio.", True),
        Column("log10_ratio", REAL, "Logarithm, base 10, of how many times likelier the answers are if they were "
               "guessed, or copied, than if they were not; null for a finding that rests on a chance.", True),
        Column("items", INTEGER, "Items that it rests on."),
        Column("item_ids", TEXTS, "Some of them, at most 20, the most telling first."),
        Column("others", TEXTS, "The other annotators of copying and colluding."),
        Column("evidence", TEXT, "What was found, in words."),
    ),
)  # fmt: skip

VENDORS = Table(
    "vendors", "a vendor of annotators, compared with the others on equal terms", ("vendor",), (
        Column("vendor", TEXT, "Vendor, as the project names it."),
        Column("annotators", INTEGER, "Its annotators who answered."),
        Column("answers", INTEGER, "Their valid annotations."),
        Column("items", INTEGER, "Items that they answered."),
        Column("right_share", REAL, "Share of right answers as they fell, by hidden gold and the other vendors."),
        Column("standard_share", REAL, "The same, had the vendor answered the batch's own mix of classes and hardness; "
               "null where it answered too little of the mix.", True),
        Column("standard_low", REAL, "Lower end of its 95% interval.", True),
        Column("standard_high", REAL, "Upper end.", True),
        Column("shared_items", INTEGER, "Items that others answered too."),
        Column("difference", REAL, "Share right less that of the others on the same items; null without any.", True),
        Column("difference_low", REAL, "Lower end of its 95% interval.", True),
        Column("difference_high", REAL, "Upper end.", True),
        Column("gold_answers", INTEGER, "Answers on items whose label the project knows."),
        Column("gold_right", INTEGER, "Those that were right."),
        Column("gold_low", REAL, "Lower end of the exact 95% interval by gold alone.", True),
        Column("gold_high", REAL, "Upper end.", True),
        Column("found_annotators", INTEGER, "Annotators with a finding against them."),
        Column("seconds_spent", REAL, "Median working time of an answer.", True),
    ),
)  # fmt: skip

RESPONSES = Table(
    "responses", "a response that was compared with others; preference projects only", ("response_id",), (
        Column("response_id", TEXT, "Hash of prompt and response: the same response is one, wherever it stands."),
        Column("prompt_id", TEXT, "Hash of the prompt."),
        Column("comparisons", INTEGER, "Items that it stands in."),
        Column("answers", INTEGER, "Valid annotations of those."),
        Column("strength", REAL, "How good it is by the Bradley-Terry model; 0 is usual, 1 the spread of responses."),
        Column("strength_low", REAL, "Lower end of its approximate 95% interval."),
        Column("strength_high", REAL, "Upper end of its approximate 95% interval."),
        Column("is_in_cycle", FLAG, "A chain of majorities leads from it back to itself."),
    ),
)  # fmt: skip

HABITS = Table(
    "habits", "how an annotator compares; preference projects only", ("annotator",), (
        Column("annotator", TEXT, "Who answered; null for all whom the source does not name.", True),
        Column("answers", INTEGER, "Valid annotations."),
        Column("first_share", REAL, "Share of answers that prefer what stands first."),
        Column("skill", REAL, "How sharply answers follow strengths; 0 is chance. Null for the unnamed.", True),
        Column("first_of_equals", REAL, "Chance to prefer what stands first of two equally good; .5 is no bias."),
    ),
)  # fmt: skip
