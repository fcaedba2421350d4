"""What models of the crew answered, how good they are, and how far people follow labels that they were shown."""

from cupel.contract.columns import FLAG, INTEGER, ITEM, REAL, REALS, TEXT, Column
from cupel.contract.table import Table
from cupel.contract.tables.labeling import CONSENSUS

_MODEL = Column("model", TEXT, "The model, as labeling.models names it.")
_VERSION = Column("model_version", TEXT, "Its version, as the project file has it.")
_MAY_HAVE_SEQUENCE = Column(
    "sequence", INTEGER, "Sequence number of the answer in the log; null for one of a file of predictions.", True
)

MODEL_ANSWERS = Table(
    "model_answers", "a model's valid answer on one item; projects with labeling.models only", ("item_id", "model"), (
        ITEM,
        _MODEL,
        _VERSION,
        Column("label", TEXT, "The answer, one of the ontology's classes."),
        _MAY_HAVE_SEQUENCE,
    ),
)  # fmt: skip

REJECTED_MODEL_ANSWERS = Table(
    "rejected_model_answers", "a model's answer that does not count", ("model", "item_id", "sequence"), (
        _MODEL,
        ITEM,
        _MAY_HAVE_SEQUENCE,
        Column("reason", TEXT, "Why, as one of cupel.people.answers.REASONS, or no_opinion."),
        Column("evidence", TEXT, "What was found, shortened to 200 characters.", True),
    ),
)  # fmt: skip

PEOPLE_CONSENSUS = Table(
    "people_consensus", "an item's label as people alone see it; projects with labeling.models only", ("item_id",),
    CONSENSUS.columns,
)  # fmt: skip

MODELS = Table(
    "models", "a model of the crew", ("model",), (
        _MODEL,
        _VERSION,
        Column("answers", INTEGER, "Valid answers."),
        Column("rejected_answers", INTEGER, "Answers that do not count."),
        Column("answered_share", REAL, "Share of the batch's items that it answered, 0 to 1."),
        Column("agreement_share", REAL, "Share of the answers that equal people's plurality, if there is one.", True),
        Column("quality", REAL, "Chance of a right answer, by hidden gold and by people; null without answers.", True),
        Column("quality_low", REAL, "Lower end of its 95% interval.", True),
        Column("quality_high", REAL, "Upper end.", True),
        Column("gold_answers", INTEGER, "Answers on items whose label the project knows."),
        Column("gold_right", INTEGER, "Those that were right."),
        Column("weight", REAL, "What its word counts for in the consensus, 0 to 1, as people's answers bear out."),
        Column("confusion", REALS, "Chance of each answer, row by row of true classes, in the ontology's order."),
        Column("price", REAL, "Price of an answer."),
        Column("cost", REAL, "Price of all its answers, those that do not count too."),
    ),
)  # fmt: skip

SHOWN_ANSWERS = Table(
    "shown_answers", "an annotator's answer beside the label that stood, or would have stood, beside the task; "
    "projects with labeling.pre_labels only", ("sequence",), (
        Column("sequence", INTEGER, "Sequence number of the answer in the log."),
        ITEM,
        Column("annotator", TEXT, "Who answered; null where the source does not say.", True),
        Column("label", TEXT, "The answer."),
        Column("is_shown", FLAG, "The pre-label was shown; else the answer is blind."),
        Column("pre_label", TEXT, "The label shown; for a blind answer the one that would have been.", True),
        Column("known_label", TEXT, "The item's label by hidden gold, where the project knows it.", True),
    ),
)  # fmt: skip

ANCHORING = Table(
    "anchoring", "how far people follow labels that they were shown; projects with labeling.pre_labels only",
    ("group", "measure"), (
        Column("group", TEXT, "all, or an annotator."),
        Column("measure", TEXT, "What is compared, as one of cupel.people.annotators.anchoring.MEASURES."),
        Column("shown_answers", INTEGER, "Answers given after the label was shown."),
        Column("shown_count", INTEGER, "Those of which the measure holds."),
        Column("shown_share", REAL, "Their share; null without any.", True),
        Column("blind_answers", INTEGER, "Blind answers on comparable items."),
        Column("blind_count", INTEGER, "Those of which the measure holds."),
        Column("blind_share", REAL, "Their share; null without any.", True),
        Column("difference", REAL, "Shown less blind: how much more often, where the label was seen.", True),
        Column("difference_low", REAL, "Lower end of its 95% interval over items.", True),
        Column("difference_high", REAL, "Upper end.", True),
        Column("verdict", TEXT, "more, less, alike (within 5 points either way) or unproven."),
        Column("reason", TEXT, "Why it is unproven; null where it is not.", True),
    ),
)  # fmt: skip
