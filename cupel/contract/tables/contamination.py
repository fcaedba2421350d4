"""Whether items are wanted: what people say, the audit of it, and the cut."""

from cupel.contract.columns import (
    BATCH,
    FILE,
    FLAG,
    INTEGER,
    IS_PASSED,
    ITEM,
    REAL,
    REASON,
    REJECTED_ANSWER_COLUMNS,
    SEQUENCE,
    TASK_COLUMNS,
    TEXT,
    Column,
)
from cupel.contract.table import Table

CONTAMINATION_ANSWERS = Table(
    "contamination_answers", "a valid answer on whether an item is wanted", ("sequence",), (
        SEQUENCE,
        BATCH, ITEM,
        Column("purpose", TEXT, "contamination (the model learns from it) or contamination_audit."),
        Column("annotator", TEXT, "Who answered."),
        Column("label", TEXT, "The project's word for wanted or unwanted; null where the expert cannot say.", True),
    ),
)  # fmt: skip

REJECTED_CONTAMINATION_ANSWERS = Table(
    "rejected_contamination_answers", "such an answer in the log that does not count", ("sequence",),
    (BATCH, *REJECTED_ANSWER_COLUMNS),
)  # fmt: skip

CONTAMINATION_PLAN = Table(
    "contamination_plan", "a batch", ("batch",), (
        BATCH,
        Column("status", TEXT, "learning (answers are awaited to learn from) or frozen (scores and cuts are fixed)."),
        Column("design_sha256", TEXT, "Hash of candidates, their texts and the project's settings for them."),
        Column("attempt", INTEGER, "How often the batch is put to an audit; another design is another attempt."),
        Column("alpha", REAL, "Chance of a wrong bound that this attempt may spend."),
        Column("confidence", REAL, "1 less the chance of a wrong bound, over all attempts."),
        Column("at_most", REAL, "Largest share of unwanted items among those kept."),
        Column("good", TEXT, "The answer that says that an item is wanted."),
        Column("what", TEXT, "The answer that says that it is not."),
        Column("description", TEXT, "What counts as unwanted, as the people who answer were told."),
        Column("known_until", INTEGER, "Answers up to this one were given to an earlier design; they train."),
        Column("candidates", INTEGER, "Items that rules and duplicates left."),
        Column("pilot", INTEGER, "Items drawn at random to learn from."),
        Column("pilot_unwanted", INTEGER, "Those that are unwanted."),
        Column("trained", INTEGER, "All answers on this batch that the model learned from."),
        Column("trained_unwanted", INTEGER, "Those that say unwanted, or cannot say."),
        Column("earlier_answers", INTEGER, "Answers on earlier batches that it learned from besides."),
        Column("strictest", INTEGER, "The strictest cut, in ranks; null while learning.", True),
        Column("loosest", INTEGER, "The loosest cut; the audit is drawn at random up to here.", True),
        Column("audit_size", INTEGER, "Items drawn for the audit; 0 where no audit of that size could succeed.", True),
        Column("project_seed", INTEGER, "The project's seed."),
        Column("seed", INTEGER, "Seed of the audit's draw, made of what is frozen.", True),
        Column("items_sha256", TEXT, "Hash of the ids in the order of their ranks.", True),
    ),
)  # fmt: skip

CONTAMINATION_ITEMS = Table(
    "contamination_items", "an item that rules and duplicates left", ("item_id",), (
        BATCH, ITEM, FILE,
        Column("use", TEXT, "What it is asked for: pilot, train, audit, or known from an earlier design; null: "
               "nothing.", True),
        Column("score", REAL, "How likely it is unwanted, as log-odds; null while learning.", True),
        Column("rank", INTEGER, "Place among those that nobody was asked about before the freeze; 1 is the least "
               "suspicious.", True),
    ),
)  # fmt: skip

CONTAMINATION_CUTS = Table(
    "contamination_cuts", "a cut that was tested", ("kept",), (
        BATCH,
        Column("kept", INTEGER, "Ranked items that the cut keeps."),
        Column("allowed", INTEGER, "Unwanted items that may be among them, those known to be good counted in; where "
               "all cuts are judged at once, besides those that the audit found."),
        Column("audited", INTEGER, "Audited items among them."),
        Column("found", INTEGER, "Unwanted ones among those."),
        Column("p_value", REAL, "Chance of finding so few before more than allowed have been passed by."),
        Column("alpha", REAL, "What the chance is held against."),
        IS_PASSED,
    ),
)  # fmt: skip

CONTAMINATION_RESULT = Table(
    "contamination_result", "a batch", ("batch",), (
        BATCH,
        Column("status", TEXT, "open (answers are awaited), bounded, or unbounded (no cut passed)."),
        REASON,
        Column("at_most", REAL, "Largest share of unwanted items among those kept."),
        Column("confidence", REAL, "1 less the chance of a wrong bound, over all attempts."),
        Column("alpha", REAL, "Chance of a wrong bound that this attempt spends."),
        Column("attempt", INTEGER, "How often the batch is put to an audit."),
        Column("candidates", INTEGER, "Items that rules and duplicates left."),
        Column("cut", INTEGER, "Ranked items before the cut; where none passed, the strictest.", True),
        Column("cut_score", REAL, "Score of the last of them.", True),
        Column("kept", INTEGER, "Items kept in all.", True),
        Column("audited", INTEGER, "Audited items with an answer."),
        Column("audit_unwanted", INTEGER, "Unwanted ones among them."),
        Column("unwanted_at_most", INTEGER, "Unwanted items among those kept, at most.", True),
        Column("bound", REAL, "The same, as a share; null where there is no evidence.", True),
        Column("estimate", REAL, "Estimated share of unwanted items among those kept.", True),
        Column("share_before", REAL, "Share of unwanted items among the candidates, by the pilot.", True),
        Column("good_kept", REAL, "Estimated share of the wanted items that is kept.", True),
        Column("answers_needed", INTEGER, "Audit answers with which another attempt would be expected to succeed; "
               "null where none are needed, or none would do.", True),
    ),
)  # fmt: skip

CONTAMINATION_SOURCES = Table(
    "contamination_sources", "a file of the delivery", ("source_file",), (
        BATCH, FILE,
        Column("candidates", INTEGER, "Items that rules and duplicates left."),
        Column("kept", INTEGER, "Items kept."),
        Column("pilot", INTEGER, "Items drawn at random to learn from."),
        Column("pilot_unwanted", INTEGER, "Unwanted ones among them."),
        Column("audited", INTEGER, "Audited items before the cut."),
        Column("audit_unwanted", INTEGER, "Unwanted ones among them."),
        Column("estimate", REAL, "Estimated share of unwanted items among those kept.", True),
        Column("bound", REAL, "Upper bound of that share; all sources' hold together. Null where none is kept.", True),
        Column("is_enough", FLAG, "So many audited, all of them good, could have shown what the project allows."),
    ),
)  # fmt: skip

CONTAMINATION_TASKS = Table("contamination_tasks", "a question whether an item is wanted", ("task_id",), TASK_COLUMNS)
