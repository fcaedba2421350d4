"""Every table of the chain: its columns, their meaning, its unique key. Nothing else."""

from typing import NamedTuple

import pyarrow as pa

from cupel.cleaning.scan.names import MEANINGS
from cupel.errors import TableError

TEXT = pa.string()
INTEGER = pa.int64()
REAL = pa.float64()
FLAG = pa.bool_()
TIME = pa.timestamp("us", tz="UTC")
TEXTS = pa.list_(pa.string())
REALS = pa.list_(pa.float64())
# Numbers of 32 bits, little end first: as bytes they are read several times as fast as a list of numbers.
HASHES = pa.large_binary()


class Column(NamedTuple):
    """One column: its name, Arrow type, what it means, and whether it may be null."""

    name: str
    type: pa.DataType
    meaning: str
    is_optional: bool = False


class Table(NamedTuple):
    """One table: a row is what `row` says, and `key` names one row."""

    name: str
    stage: str
    row: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema that a write is held to."""
        return pa.schema([pa.field(c.name, c.type, nullable=c.is_optional) for c in self.columns])


BATCH = Column("batch", TEXT, "Delivery of raw data; the partition.")
ITEM = Column("item_id", TEXT, "Id of the item, unique within its batch.")
FILE = Column("source_file", TEXT, "File of the delivery, relative to the delivery's folder.")
LINE = Column("line", INTEGER, "Row in that file: line of a text file, row of a table; the first is 1.")
RELEASE = Column("release", TEXT, "Release that the row belongs to; the partition.")
LICENCE = Column("licence", TEXT, "Licence of the item, an SPDX identifier where there is one.")
TEXT_COLUMN = Column("text", TEXT, "The text, normalised and with private data masked.")
LANGUAGE = Column("language", TEXT, "Language found, language_Script (ISO 639-3, ISO 15924), or und.")
ANNOTATOR = Column("annotator", TEXT, "Who answered; null where the source does not say.", True)

DELIVERIES = Table(
    "deliveries", "raw", "a file of the delivery", ("source_file",), (
        BATCH, FILE,
        Column("format", TEXT, "jsonl, csv, parquet or text; with its compression, if any."),
        Column("sha256", TEXT, "Hash of the file's bytes."),
        Column("size_bytes", INTEGER, "Size of the file as delivered."),
        Column("rows_in", INTEGER, "Rows that the file holds, readable or not."),
        Column("rows_read", INTEGER, "Rows that became items."),
        Column("rows_rejected", INTEGER, "Rows that could not become items; rows_in less rows_read."),
        Column("licence", TEXT, "Licence of the delivery; of its items, where they name none of their own."),
    ),
)  # fmt: skip

REJECTED_ROWS = Table(
    "rejected_rows", "raw", "a row of the delivery that could not become an item", ("source_file", "line"), (
        BATCH, FILE, LINE,
        Column("reason", TEXT, "Why, as one of cupel.sources.REASONS."),
        Column("evidence", TEXT, "What was found, shortened to 200 characters, unprintable bytes escaped."),
    ),
)  # fmt: skip

RAW_ITEMS = Table(
    "raw_items", "raw", "an item as it was delivered", ("item_id",), (
        BATCH, ITEM, FILE, LINE,
        Column("text", TEXT, "The text as delivered."),
        Column("group_id", TEXT, "What the source says belongs together (a document, a thread).", True),
        Column("declared_language", TEXT, "Language that the source declares, as it stands there.", True),
        Column("fields", TEXT, "All other fields of the row, as JSON with sorted keys.", True),
        LICENCE,
    ),
)  # fmt: skip

ITEM_SIGNALS = Table(
    "item_signals", "cleaning", "what was measured of an item", ("item_id",), (
        ITEM,
        Column("text", TEXT, "The text, normalised, private data masked."),
        Column("text_sha256", TEXT, "Hash of the text lower-cased, with runs of white space folded and the kind alone "
               "in place of private data."),
        Column("characters", INTEGER, "Characters of the normalised text."),
        Column("words", INTEGER, "Words: runs of letters, digits and inner apostrophes."),
        Column("mean_word_length", REAL, "Characters in words per word; 0 where there is no word."),
        Column("letter_share", REAL, "Letters among characters that are not white space."),
        Column("symbol_word_share", REAL, "Hash signs and ellipses per word."),
        Column("repeated_line_share", REAL, "Characters in lines that stood before, among all."),
        Column("repeated_word_share", REAL, "The commonest word's occurrences among all words."),
        LANGUAGE,
        Column("language_confidence", REAL, "Probability of the model's first choice, also where the answer is und."),
        Column("is_declared_language", FLAG, "It is what the source declares; null where either is not told.", True),
        Column("is_changed", FLAG, "Normalising changed the text."),
        Column("repairs", TEXTS, "The steps of it that did, as cupel.cleaning.repairs.STEPS names them."),
        Column("lines_removed", INTEGER, "Lines that they took away."),
        Column("removed_lines", TEXTS, "Those, masked: at most 20, shortened to 200 characters."),
        Column("emails_masked", INTEGER, "E-mail addresses masked."),
        Column("ibans_masked", INTEGER, "Bank account numbers masked."),
        Column("cards_masked", INTEGER, "Payment card numbers masked."),
        Column("phones_masked", INTEGER, "Phone numbers masked."),
        Column("addresses_masked", INTEGER, "Postal addresses masked."),
        Column("overlap_share", REAL, "Largest share that the text holds of a row of the reference sets; null where it "
               "holds nothing of any, or the project names none.", True),
        Column("overlap_with", TEXT, "Reference set and row, and how much of it.", True),
        # What the rules for web text ask about; null for a text of more than 16 MiB.
        *(Column(f"scan_{name}", INTEGER, meaning, True) for name, meaning in MEANINGS.items()),
    ),
)  # fmt: skip

SIGNATURES = Table(
    "signatures", "cleaning", "an item, as far as finding its duplicates needs it", ("item_id",), (
        BATCH, ITEM,
        Column("text_sha256", TEXT, "Hash of the text lower-cased, with runs of white space folded and the kind alone "
               "in place of private data."),
        Column("shingle_count", INTEGER, "Distinct shingles."),
        Column("shingles", HASHES, "Hashes of the distinct shingles, ascending."),
        Column("bands", HASHES, "Hash of each band of the MinHash signature; items that share one are compared."),
        Column("sketch", HASHES, "1,024 bits, each set where a shingle's hash begins like it: rules pairs out."),
    ),
)  # fmt: skip

SIMILAR_ITEMS = Table(
    "similar_items", "cleaning", "an item and an earlier one that it resembles",
    ("item_id", "earlier_batch", "earlier_item_id"), (
        ITEM,
        Column("earlier_batch", TEXT, "Batch of the earlier item."),
        Column("earlier_item_id", TEXT, "The earlier item."),
        Column("similarity", REAL, "Exact Jaccard similarity of the shingle sets, 0 to 1."),
    ),
)  # fmt: skip

CLEAN_ITEMS = Table(
    "clean_items", "cleaning", "an item that cleaning kept", ("item_id",), (
        BATCH, ITEM, FILE, LINE, TEXT_COLUMN, LANGUAGE,
        Column("group_id", TEXT, "Items that must stay in one split: same source group, or alike."),
        LICENCE,
    ),
)  # fmt: skip

REJECTED_ITEMS = Table(
    "rejected_items", "cleaning", "an item that cleaning dropped", ("item_id",), (
        BATCH, ITEM, FILE, LINE,
        Column("reason", TEXT, "Why, as one of cupel.cleaning.REASONS."),
        Column("value", REAL, "What was measured.", True),
        Column("threshold", REAL, "What was allowed.", True),
        Column("evidence", TEXT, "What shows it: for a duplicate, batch and id of the item kept.", True),
    ),
)  # fmt: skip

ANNOTATIONS = Table(
    "annotations", "labeling", "one annotator's valid answer on one item", ("item_id", "sequence"), (
        ITEM,
        Column("sequence", INTEGER, "Sequence number of the answer in the log."),
        ANNOTATOR,
        Column("label", TEXT, "The answer, one of the ontology's classes."),
        Column("seconds_spent", REAL, "Working time, where the source tells.", True),
        Column("answered_at", TIME, "When, where the source tells.", True),
    ),
)  # fmt: skip

REJECTED_ANSWERS = Table(
    "rejected_answers", "labeling", "an answer in the log that does not count", ("sequence",), (
        Column("sequence", INTEGER, "Sequence number of the answer in the log."),
        ITEM, ANNOTATOR,
        Column("reason", TEXT, "Why, as one of cupel.answers.REASONS."),
        Column("evidence", TEXT, "What was found, shortened to 200 characters.", True),
    ),
)  # fmt: skip

SIFTED_ITEMS = Table(
    "sifted_items", "cleaning", "an item, as rules and duplicates decide on it; only where contamination is declared",
    ("item_id",), (
        BATCH, ITEM, FILE, LINE,
        LICENCE,
        Column("group_id", TEXT, "Items that must stay in one split; null where the item is dropped.", True),
        Column("reason", TEXT, "Why it is dropped, as one of cupel.cleaning.REASONS; null where it is not.", True),
        Column("value", REAL, "What was measured.", True),
        Column("threshold", REAL, "What was allowed.", True),
        Column("evidence", TEXT, "What shows it.", True),
    ),
)  # fmt: skip

CONTAMINATION_ANSWERS = Table(
    "contamination_answers", "contamination", "a valid answer on whether an item is wanted", ("sequence",), (
        Column("sequence", INTEGER, "Sequence number of the answer in the log."),
        BATCH, ITEM,
        Column("purpose", TEXT, "contamination (the model learns from it) or contamination_audit."),
        Column("annotator", TEXT, "Who answered."),
        Column("label", TEXT, "The project's word for wanted or unwanted; null where the expert cannot say.", True),
    ),
)  # fmt: skip

REJECTED_CONTAMINATION_ANSWERS = Table(
    "rejected_contamination_answers", "contamination", "such an answer in the log that does not count", ("sequence",),
    (BATCH, *REJECTED_ANSWERS.columns),
)  # fmt: skip

CONTAMINATION_PLAN = Table(
    "contamination_plan", "contamination", "a batch", ("batch",), (
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
    "contamination_items", "contamination", "an item that rules and duplicates left", ("item_id",), (
        BATCH, ITEM, FILE,
        Column("use", TEXT, "What it is asked for: pilot, train, audit, or known from an earlier design; null: "
               "nothing.", True),
        Column("score", REAL, "How likely it is unwanted, as log-odds; null while learning.", True),
        Column("rank", INTEGER, "Place among those that nobody was asked about before the freeze; 1 is the least "
               "suspicious.", True),
    ),
)  # fmt: skip

CONTAMINATION_CUTS = Table(
    "contamination_cuts", "contamination", "a cut that was tested", ("kept",), (
        BATCH,
        Column("kept", INTEGER, "Ranked items that the cut keeps."),
        Column("allowed", INTEGER, "Unwanted items that may be among them, those known to be good counted in."),
        Column("audited", INTEGER, "Audited items among them."),
        Column("found", INTEGER, "Unwanted ones among those."),
        Column("p_value", REAL, "Chance of finding so few if more than allowed were among them."),
        Column("alpha", REAL, "What the chance is held against."),
        Column("is_passed", FLAG, "The test passed, and all before it."),
    ),
)  # fmt: skip

CONTAMINATION_RESULT = Table(
    "contamination_result", "contamination", "a batch", ("batch",), (
        BATCH,
        Column("status", TEXT, "open (answers are awaited), bounded, or unbounded (no cut passed)."),
        Column("reason", TEXT, "Why, in words that a manager understands."),
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
    "contamination_sources", "contamination", "a file of the delivery", ("source_file",), (
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

CONSENSUS = Table(
    "consensus", "labeling", "an item's label as its annotators see it", ("item_id",), (
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
    "annotators", "labeling", "an annotator", ("annotator",), (
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
    "annotator_findings", "labeling", "something found against an annotator", ("annotator", "finding"), (
        Column("annotator", TEXT, "Who answered."),
        Column("finding", TEXT, "What, as one of cupel.annotators.FINDINGS."),
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
    "vendors", "labeling", "a vendor of annotators, compared with the others on equal terms", ("vendor",), (
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
    "responses", "labeling", "a response that was compared with others; preference projects only", ("response_id",), (
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
    "habits", "labeling", "how an annotator compares; preference projects only", ("annotator",), (
        Column("annotator", TEXT, "Who answered; null for all whom the source does not name.", True),
        Column("answers", INTEGER, "Valid annotations."),
        Column("first_share", REAL, "Share of answers that prefer what stands first."),
        Column("skill", REAL, "How sharply answers follow strengths; 0 is chance. Null for the unnamed.", True),
        Column("first_of_equals", REAL, "Chance to prefer what stands first of two equally good; .5 is no bias."),
    ),
)  # fmt: skip

PREDICTIONS = Table(
    "predictions", "checking", "the checker's opinion of an item, out of sample", ("item_id",), (
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
    "round_answers", "checking", "one expert's valid answer on one item before labels are frozen", ("sequence",), (
        Column("sequence", INTEGER, "Sequence number of the answer in the log."),
        BATCH, ITEM,
        Column("purpose", TEXT, "round."),
        Column("annotator", TEXT, "The expert."),
        Column("label", TEXT, "The answer; null where the expert finds that the item cannot be decided.", True),
    ),
)  # fmt: skip

REJECTED_ROUND_ANSWERS = Table(
    "rejected_round_answers", "checking", "an expert's answer before the freeze that does not count", ("sequence",),
    (BATCH, *REJECTED_ANSWERS.columns),
)  # fmt: skip

ROUND_ITEMS = Table(
    "round_items", "checking", "an item that experts are asked about before labels are frozen", ("item_id",), (
        ITEM,
        Column("answers", INTEGER, "Expert answers so far."),
        Column("is_settled", FLAG, "The protocol has come to an end for this item."),
        Column("expert_label", TEXT, "What the experts agreed on; null while unsettled, and where they stay split.",
               True),
        Column("is_counted", FLAG, "Its round is complete: the verdict weighs people against checker, and teaches."),
    ),
)  # fmt: skip

ROUTES = Table(
    "routes", "checking", "what happens to an item next", ("item_id",), (
        ITEM,
        Column("route", TEXT, "annotator (ask one more), accept, or expert."),
        Column("reason", TEXT, "Why, in words that a manager understands."),
        Column("votes", INTEGER, "Valid annotations so far."),
        Column("label", TEXT, "Most likely label of people and checker together; null without evidence.", True),
        Column("log_odds", REAL, "Log-odds of that label against all others; the higher, the safer.", True),
    ),
)  # fmt: skip

LABELS = Table(
    "labels", "checking", "an item's label before the audit", ("item_id",), (
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

TASK_COLUMNS = (
    Column("task_id", TEXT, "Id made of all that names the task: asking twice is asking once."),
    BATCH, ITEM,
    Column("purpose", TEXT, "label (an annotation), round (a verdict before the freeze), audit, expert (an "
           "adjudication), contamination or contamination_audit."),
    Column("slot", INTEGER, "Which answer on this item for this purpose; the first is 1."),
    Column("asked_of", TEXT, "Who may answer: annotator, auditor or expert."),
    Column("reason", TEXT, "Why it is asked."),
    Column("is_answered", FLAG, "An answer to it is in the log."),
)  # fmt: skip
TASKS = Table(
    "tasks", "tasks", "a question put to an annotator, or to an expert before the freeze", ("task_id",), TASK_COLUMNS
)

CONTAMINATION_TASKS = Table(
    "contamination_tasks", "contamination", "a question whether an item is wanted", ("task_id",), TASK_COLUMNS
)

RELEASE_PLAN = Table(
    "release_plan", "release", "a release", ("release",), (
        RELEASE,
        Column("batches", TEXTS, "Batches that it holds."),
        Column("status", TEXT, "frozen (may be audited), or refused (a gate is closed)."),
        Column("reason", TEXT, "Why it was refused.", True),
        Column("attempt", INTEGER, "How often these batches have been put to an audit; the first is 1."),
        Column("alpha", REAL, "Chance of a false certificate that this attempt may spend."),
        Column("error_budget", REAL, "Highest label error that the release may have, a share."),
        Column("audit_size", INTEGER, "Items drawn for the audit; where it grows, for its first wave."),
        Column(
            "design", TEXT,
            "How the audit is drawn, extended and judged, as JSON: method and terms; null: fixed_sequence.", True,
        ),
        Column("seed", INTEGER, "Seed of the audit's draw."),
        Column("answers_until", INTEGER, "Sequence number of the last answer that the labels know."),
        Column("items", INTEGER, "Items frozen."),
        Column("items_sha256", TEXT, "Hash of the frozen ids, labels and risk order."),
        Column("classes", TEXTS, "The ontology that experts answer in."),
        Column("expert_answers", INTEGER, "1: one expert's word; 2: two experts, and a third where they differ."),
        Column("experts_description", TEXT, "Who the experts are."),
        Column("max_experts_seen_share", REAL, "Largest share of the items that experts may see."),
        Column("are_auditors_independent", FLAG, "Declared: auditors are other people than adjudicators."),
        Column("purpose", TEXT, "What terms are held to: publish or train; null: the project names no licences.", True),
        Column("day", TEXT, "Day on which it was frozen, as 2026-01-31; terms are held to it.", True),
        Column("licences", TEXT, "The project's licences and their terms, the better first, as JSON.", True),
    ),
)  # fmt: skip

RELEASE_ITEMS = Table(
    "release_items", "release", "an item of a release, frozen before the audit", ("batch", "item_id"), (
        RELEASE, BATCH, ITEM, FILE, LINE, TEXT_COLUMN, LANGUAGE, LICENCE,
        Column("group_id", TEXT, "Items that must stay in one split."),
        Column("split", TEXT, "train, validation or test; the same for a whole group."),
        Column("label", TEXT, "The label that the audit judges."),
        Column("decided_by", TEXT, "people and checker, checker against people, or nobody (annotators cannot)."),
        Column("majority_label", TEXT, "What the majority of annotators said; null on a tie.", True),
        Column("consensus_label", TEXT, "What the project's method made of the annotators' answers; null: none.", True),
        Column("predicted_label", TEXT, "What the checker said; null where it abstained.", True),
        Column("log_odds", REAL, "Log-odds of the label; the higher, the safer."),
        Column("risk_rank", INTEGER, "Place in the risk order; 1 is the safest."),
        Column("is_audited", FLAG, "Drawn for the audit; where it grows, for its first wave."),
    ),
)  # fmt: skip

LEFT_OUT_ITEMS = Table(
    "left_out_items", "release", "a clean item that the release leaves out", ("batch", "item_id"), (
        RELEASE, BATCH, ITEM, FILE, LINE, LICENCE,
        Column("reason", TEXT, "better_licence: the release holds a copy of it under a better licence."),
        Column("evidence", TEXT, "Batch and id of that copy."),
    ),
)  # fmt: skip

RELEASE_OVERLAPS = Table(
    "release_overlaps", "release", "an evaluation set that the release was held against", ("reference_set",), (
        RELEASE,
        Column("reference_set", TEXT, "Its name in cleaning.overlap."),
        Column("source_file", TEXT, "Its file."),
        Column("sha256", TEXT, "Hash of the file's bytes."),
        Column("references", INTEGER, "Rows of it that hold a text."),
        Column("not_looked_for", INTEGER, "Those too short to be told from chance."),
        Column("items", INTEGER, "Frozen items that were held against it."),
        Column("most_share", REAL, "What an item may hold of a row."),
        Column("items_over", INTEGER, "Items that hold more."),
        Column("largest_share", REAL, "The most that an item holds of a row; null where none holds anything.", True),
        Column("evidence", TEXT, "Which item, of which row, and how much.", True),
        Column("item_ids", TEXTS, "Batch and id of up to 20 items that hold too much."),
    ),
)  # fmt: skip

RELEASE_TASKS = Table(
    "release_tasks", "release", "a question put to an auditor or expert", ("task_id",), (RELEASE, *TASK_COLUMNS)
)

EXPERT_ANSWERS = Table(
    "expert_answers", "release", "one expert's or auditor's valid answer on one item", ("sequence",), (
        Column("sequence", INTEGER, "Sequence number of the answer in the log."),
        BATCH, ITEM,
        Column("purpose", TEXT, "audit or expert; round where it was given before the freeze."),
        Column("annotator", TEXT, "The expert."),
        Column("label", TEXT, "The answer; null where the expert finds that the item cannot be decided.", True),
    ),
)  # fmt: skip

REJECTED_EXPERT_ANSWERS = Table(
    "rejected_expert_answers", "release", "an expert's answer in the log that does not count", ("sequence",),
    (BATCH, *REJECTED_ANSWERS.columns),
)  # fmt: skip

VERDICT_COLUMNS = (
    RELEASE, BATCH, ITEM,
    Column("label", TEXT, "The label that was proposed; the expert did not see it."),
    Column("answers", INTEGER, "Expert answers so far."),
    Column("is_settled", FLAG, "The protocol has come to an end for this item."),
    Column("is_contested", FLAG, "Settled, and experts stay split."),
    Column("expert_label", TEXT, "What the experts agreed on; null while unsettled and when contested.", True),
    Column("is_wrong", FLAG, "The proposed label differs from the experts'; null where they agreed on none.", True),
)  # fmt: skip
PLANTED_ITEMS = Table(
    "planted_items", "release", "an item of a release whose label the project knows, where some are planted",
    ("batch", "item_id"), (
        RELEASE, BATCH, ITEM,
        Column("known_label", TEXT, "The label that the project knows; it enters no label."),
        Column("is_planted", FLAG, "Drawn to be put to the auditors among all others."),
    ),
)  # fmt: skip
PLANTED_VERDICTS = Table(
    "planted_verdicts", "release", "a planted item, and what auditors say", ("batch", "item_id"), (
        RELEASE, BATCH, ITEM,
        Column("label", TEXT, "The known label; auditors see neither it nor the one that was proposed."),
        *VERDICT_COLUMNS[4:8],
        Column("is_wrong", FLAG, "The auditors' label is not the known one; null where they agreed on none.", True),
    ),
)  # fmt: skip
AUDIT = Table("audit", "release", "an item drawn for the audit", ("batch", "item_id"), VERDICT_COLUMNS)
ADJUDICATIONS = Table(
    "adjudications",
    "release",
    "an item that the audit did not accept, put to the experts",
    ("batch", "item_id"),
    VERDICT_COLUMNS,
)

CUTS = Table(
    "cuts", "release", "a cut that was tested, or a place where a rising audit's share rose", ("accepted",), (
        RELEASE,
        Column("accepted", INTEGER, "Items of the risk order up to here, from the safest on."),
        Column("audited", INTEGER, "Audited items among them."),
        Column("wrong", INTEGER, "Wrong labels among those."),
        Column("p_value", REAL, "Chance of finding so few if the items up to here were over their budget; of an "
               "e-process, a bound of it; of a rising audit, that more wrong ones than allowed stay unseen."),
        Column("alpha", REAL, "What the chance is held against."),
        Column("is_passed", FLAG, "The test passed, and all before it."),
    ),
)  # fmt: skip

AUDIT_RESULT = Table(
    "audit_result", "release", "a release", ("release",), (
        RELEASE,
        Column("status", TEXT, "certified, refused, or open (answers are awaited)."),
        Column("reason", TEXT, "Why, in words that a manager understands."),
        Column("items", INTEGER, "Items frozen."),
        Column("error_budget", REAL, "Highest label error that the release may have, a share."),
        Column("confidence", REAL, "1 less the chance of a false certificate, over all attempts."),
        Column("alpha", REAL, "Chance of a false certificate that this attempt spends."),
        Column("attempt", INTEGER, "How often these batches have been put to an audit."),
        Column("accepted", INTEGER, "Safest items whose labels stand without an expert."),
        Column("to_adjudicate", INTEGER, "Items that the audit neither accepted nor drew."),
        Column("adjudicated", INTEGER, "Those that experts have settled."),
        Column("audited", INTEGER, "Audited items, settled."),
        Column("audit_wrong", INTEGER, "Wrong labels that the audit found, contested items aside."),
        Column("audit_contested", INTEGER, "Audited items on which experts stay split."),
        Column("contested", INTEGER, "Items on which experts stay split, audited or adjudicated."),
        Column("error_bound", REAL, "Upper bound of the label error, contested items aside, a share.", True),
        Column("error_bound_with_contested", REAL, "The same, with contested items counted wrong.", True),
        Column("experts_seen", INTEGER, "Distinct items that experts saw or must see."),
        Column("experts_seen_share", REAL, "The same, as a share of the items."),
        Column("repaired", INTEGER, "Labels that experts changed."),
        Column("planted", INTEGER, "Items of known label put to the auditors; null where none were to be.", True),
        Column("planted_caught", INTEGER, "Those that the auditors gave the known label.", True),
        Column("sensitivity_bound", REAL, "Lower bound of the chance that auditors flag a wrong label.", True),
    ),
)  # fmt: skip

STAGE_ERRORS = Table(
    "stage_errors", "release", "a way to decide labels, as the audit sees it", ("position",), (
        RELEASE,
        Column("position", INTEGER, "Order in which the chain reaches it; the first is 1."),
        Column("decided_by", TEXT, "one annotator, majority, consensus, checker, people and checker, or released."),
        Column("audited", INTEGER, "Audited items that experts settled: what the estimate rests on."),
        Column("error", REAL, "Estimated label error, contested items aside; a share.", True),
        Column("error_low", REAL, "Lower end of its 95% interval.", True),
        Column("error_high", REAL, "Upper end of its 95% interval.", True),
    ),
)  # fmt: skip

RELEASE_LANGUAGES = Table(
    "release_languages", "release", "a language of the release", ("language",), (
        RELEASE, LANGUAGE,
        Column("items_in", INTEGER, "Items in it, of all that its batches brought."),
        Column("items", INTEGER, "Items in it that were frozen."),
        Column("withheld", INTEGER, "Those that experts stay split on."),
        Column("audited", INTEGER, "Those that the audit drew at random and experts settled."),
        Column("wrong", INTEGER, "Wrong labels among these."),
        Column("error_low", REAL, "Lower end of the exact interval of the error of its frozen labels; null where the "
               "audit is silent.", True),
        Column("error_high", REAL, "Upper end; all languages' intervals hold together at 95%.", True),
        Column("promised_items", INTEGER, "Items that the project promises at least; null where none.", True),
        Column("promised_error", REAL, "Highest error that it promises; null where none.", True),
        Column("is_kept", FLAG, "The promise is kept; null where there is none.", True),
    ),
)  # fmt: skip

MANIFEST = Table(
    "manifest", "release", "a file of the release's folder", ("path",), (
        RELEASE,
        Column("path", TEXT, "Path in the release's folder."),
        Column("sha256", TEXT, "Hash of the file's bytes."),
        Column("size_bytes", INTEGER, "Size of the file."),
        Column("rows", INTEGER, "Rows, where the file is a table.", True),
    ),
)  # fmt: skip

CERTIFICATE = Table(
    "certificate", "release", "a release", ("release",), (
        RELEASE,
        Column("status", TEXT, "certified or refused."),
        Column("are_auditors_independent", FLAG, "Declared, and so it was: nobody both audited and adjudicated."),
        Column("wording", TEXT, "What is certified, against whose judgement, and what it cannot see."),
        Column("error_budget", REAL, "Highest label error that the release may have, a share."),
        Column("confidence", REAL, "1 less the chance of a false certificate, over all attempts."),
        Column("error_bound", REAL, "Upper bound of the label error, contested items aside, a share."),
        Column("error_bound_with_contested", REAL, "The same, with contested items counted wrong."),
        Column("experts_seen_share", REAL, "Share of items that experts saw."),
        Column("items", INTEGER, "Items frozen."),
        Column("items_sha256", TEXT, "Hash of the frozen ids, labels and risk order."),
    ),
)  # fmt: skip

TRAINING_SET = Table(
    "training_set", "release", "a released item", ("batch", "item_id"), (
        RELEASE, BATCH, ITEM, FILE, LINE, TEXT_COLUMN, LANGUAGE,
        Column("label", TEXT, "The label."),
        Column("decided_by", TEXT, "people and checker, checker against people, audit, or expert."),
        Column("split", TEXT, "train, validation or test."),
        Column("group_id", TEXT, "Items that stay in one split."),
        LICENCE,
        Column("terms", TEXT, "The licence's terms in words; null where the project names none.", True),
    ),
)  # fmt: skip

WITHHELD_ITEMS = Table(
    "withheld_items", "release", "a frozen item that is not released", ("batch", "item_id"), (
        RELEASE, BATCH, ITEM, FILE, LINE,
        Column("reason", TEXT, "Why it is held back."),
    ),
)  # fmt: skip

GATE_RESULTS = Table(
    "gate_results", "gates", "a check of a stage on a partition", ("check",), (
        Column("stage", TEXT, "Stage that was judged."),
        Column("partition", TEXT, "Batch or release that was judged."),
        Column("check", TEXT, "Name of the check."),
        Column("outcome", TEXT, "pass, fail or open."),
        Column("severity", TEXT, "critical (blocks) or warning."),
        Column("observed", REAL, "What was measured; null where there was no evidence.", True),
        Column("bound", REAL, "Upper or lower confidence bound, where the check judges one.", True),
        Column("threshold", REAL, "What is allowed.", True),
        Column("comparison", TEXT, "at most, at least, or expectation (a team's own)."),
        Column("reason", TEXT, "Why the threshold is what it is; for open, what is awaited."),
        Column("table_name", TEXT, "Table that was judged."),
        Column("table_hash", TEXT, "Content hash of that table."),
        Column("item_ids", TEXTS, "Up to 20 ids of items that break it; never text."),
    ),
)  # fmt: skip

ANSWERS = Table(
    "answers", "answers", "an answer, as it arrived; never changed", ("sequence",), (
        Column("sequence", INTEGER, "Place in the log; the first is 1."),
        Column("answer_id", TEXT, "Id given by who brought it; the same answer brought twice is kept once."),
        Column("task_id", TEXT, "Task that it answers; null for answers that came unasked.", True),
        BATCH, ITEM,
        Column("purpose", TEXT, "label, round, audit, expert, contamination or contamination_audit."),
        ANNOTATOR,
        Column("label", TEXT, "The answer; null where the annotator could not decide.", True),
        Column("seconds_spent", REAL, "Working time, where the source tells.", True),
        Column("answered_at", TIME, "When, where the source tells.", True),
        Column("source", TEXT, "Workforce or file that brought it."),
        Column("hash", TEXT, "SHA-256 of the record before it and of this one."),
    ),
)  # fmt: skip

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        DELIVERIES, REJECTED_ROWS, RAW_ITEMS,
        ITEM_SIGNALS, SIGNATURES, SIMILAR_ITEMS, SIFTED_ITEMS, CLEAN_ITEMS, REJECTED_ITEMS,
        CONTAMINATION_ANSWERS, REJECTED_CONTAMINATION_ANSWERS, CONTAMINATION_PLAN, CONTAMINATION_ITEMS,
        CONTAMINATION_TASKS, CONTAMINATION_CUTS, CONTAMINATION_RESULT, CONTAMINATION_SOURCES,
        ANNOTATIONS, REJECTED_ANSWERS, CONSENSUS, ANNOTATORS, ANNOTATOR_FINDINGS, VENDORS, RESPONSES, HABITS,
        PREDICTIONS, ROUND_ANSWERS, REJECTED_ROUND_ANSWERS, ROUND_ITEMS, ROUTES, LABELS, TASKS,
        RELEASE_PLAN, RELEASE_ITEMS, LEFT_OUT_ITEMS, RELEASE_OVERLAPS, RELEASE_TASKS,
        EXPERT_ANSWERS, REJECTED_EXPERT_ANSWERS, PLANTED_ITEMS, AUDIT, PLANTED_VERDICTS, CUTS, ADJUDICATIONS,
        AUDIT_RESULT, RELEASE_LANGUAGES, STAGE_ERRORS,
        CERTIFICATE, TRAINING_SET, WITHHELD_ITEMS, MANIFEST,
        GATE_RESULTS, ANSWERS,
    )
}  # fmt: skip


def conform(data: pa.Table, table: Table) -> pa.Table:
    """Return the data with exactly the table's columns, order and types.

    Args:
        data: Any row order; columns beyond the table's are an error, so that nothing is lost unseen.
        table: The schema to hold it to.

    Returns:
        The same rows, cast to the table's schema.

    Raises:
        TableError: A column is missing, unknown, of another type, or null where it must not be.
    """
    have, want = set(data.column_names), [column.name for column in table.columns]
    missing, unknown = [name for name in want if name not in have], sorted(have - set(want))
    if missing or unknown:
        raise TableError(f"table {table.name}: missing columns {missing}, unknown columns {unknown}")
    for column in table.columns:
        nulls = data.column(column.name).null_count
        if nulls and not column.is_optional:
            raise TableError(f"table {table.name}: column {column.name} is null in {nulls} of {data.num_rows} rows")
    try:
        return data.select(want).cast(table.schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise TableError(f"table {table.name}: {error}") from error


def empty(table: Table) -> pa.Table:
    """Return the table without rows."""
    return table.schema.empty_table()


def from_rows(rows: list[dict[str, object]], table: Table) -> pa.Table:
    """Return a table made of dictionaries, held to the table's schema.

    Raises:
        TableError: A value is of another type than its column, or null where it must not be.
    """
    try:
        data = pa.Table.from_pylist(rows, schema=pa.schema([field.with_nullable(True) for field in table.schema]))
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise TableError(f"table {table.name}: {error}") from error
    return conform(data, table)
