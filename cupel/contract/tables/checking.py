"""A model's second opinion, what happens to each item next, and its label."""

from cupel.contract.columns import (
    BATCH,
    EXPERT,
    EXPERT_LABEL,
    FLAG,
    INTEGER,
    ITEM,
    REAL,
    REALS,
    REASON,
    REJECTED_ANSWER_COLUMNS,
    SEQUENCE,
    TEXT,
    Column,
)
from cupel.contract.table import Table

PREDICTIONS = Table(
    "predictions", "the checker's opinion of an item, out of sample", ("item_id",), (
        ITEM,
        Column("predicted_label", TEXT, "Most likely class; null where the checker abstains.", True),
        Column("posterior", REALS, "Probability of each class, in the ontology's order; null on abstention.", True),
        Column("fold", INTEGER, "Fold that the item was held out in.", True),
        Column("abstention", TEXT, "Why the checker abstains; null where it does not.", True),
        Column("model", TEXT, "Name of the checker."),
        Column("model_version", TEXT, "Version of the checker: a hash of all that it is made of."),
    ),
)  # fmt: skip

ROUND_ANSWERS = Table(
    "round_answers", "one expert's valid answer on one item before labels are frozen", ("sequence",), (
        SEQUENCE,
        BATCH, ITEM,
        Column("purpose", TEXT, "round."),
        EXPERT,
        EXPERT_LABEL,
    ),
)  # fmt: skip

REJECTED_ROUND_ANSWERS = Table(
    "rejected_round_answers", "an expert's answer before the freeze that does not count", ("sequence",),
    (BATCH, *REJECTED_ANSWER_COLUMNS),
)  # fmt: skip

ROUND_ITEMS = Table(
    "round_items", "an item that experts are asked about before labels are frozen", ("item_id",), (
        ITEM,
        Column("answers", INTEGER, "Expert answers so far."),
        Column("is_settled", FLAG, "The protocol has come to an end for this item."),
        Column("expert_label", TEXT, "What the experts agreed on; null while unsettled, and where they stay split.",
               True),
        Column("is_counted", FLAG, "Its round is complete: the verdict weighs people against checker, and teaches."),
    ),
)  # fmt: skip

ROUTES = Table(
    "routes", "what happens to an item next", ("item_id",), (
        ITEM,
        Column("route", TEXT, "annotator (ask one more), accept, or expert."),
        REASON,
        Column("votes", INTEGER, "Valid annotations so far."),
        Column("label", TEXT, "Most likely label of people and checker together; null without evidence.", True),
        Column("log_odds", REAL, "Log-odds of that label against all others; the higher, the safer.", True),
    ),
)  # fmt: skip

LABELS = Table(
    "labels", "an item's label before the audit", ("item_id",), (
        ITEM,
        Column("label", TEXT, "Most likely label of people and checker together."),
        Column("log_odds", REAL, "Log-odds of that label against all others; the higher, the safer."),
        Column("decided_by", TEXT, "people and checker, checker against people, or nobody (annotators cannot)."),
        Column("route", TEXT, "accept or expert."),
        Column("reason", TEXT, "Why it took that route."),
        Column("majority_label", TEXT, "What the majority of annotators said; null on a tie.", True),
        Column("consensus_label", TEXT, "What the project's method made of the annotators' answers; null: none.", True),
        Column("predicted_label", TEXT, "What the checker said; null where it abstained.", True),
    ),
)  # fmt: skip
