"""What is frozen, audited, certified and handed over."""

from cupel.contract.columns import (
    BATCH,
    CONFIDENCE,
    ERROR_BUDGET,
    EXPERT,
    EXPERT_LABEL,
    FILE,
    FLAG,
    INTEGER,
    IS_PASSED,
    ITEM,
    LANGUAGE,
    LICENCE,
    LINE,
    REAL,
    REASON,
    REJECTED_ANSWER_COLUMNS,
    RELEASE,
    SEQUENCE,
    TASK_COLUMNS,
    TEXT,
    TEXT_COLUMN,
    TEXTS,
    Column,
)
from cupel.contract.table import Table

RELEASE_PLAN = Table(
    "release_plan", "a release", ("release",), (
        RELEASE,
        Column("batches", TEXTS, "Batches that it holds."),
        Column("status", TEXT, "frozen (may be audited), or refused (a gate is closed)."),
        Column("reason", TEXT, "Why it was refused, or why it is not the first attempt.", True),
        Column(
            "attempt", INTEGER,
            "One more than the most attempts that its items, or items linked to these, have taken; the first is 1.",
        ),
        Column(
            "audited_before", TEXT,
            "Earlier releases that held its items, as JSON: of each how many as they are, and how many that resemble "
            "them; null: none.", True,
        ),
        Column("alpha", REAL, "Chance of a false certificate that this attempt may spend."),
        ERROR_BUDGET,
        Column("audit_size", INTEGER, "Items drawn for the audit; where it grows, for its first wave."),
        Column(
            "design", TEXT,
            "How the audit is drawn, extended and judged, as JSON: method and terms; null: fixed_sequence.", True,
        ),
        Column(
            "freeze_sha256", TEXT,
            "Hash of all that was fixed before the draw: items and terms; null: frozen by an older version.", True,
        ),
        Column("nonce", TEXT, "What came after the freeze, so that nobody could choose the draw.", True),
        Column("nonce_source", TEXT, "operating system, witness, or project file (known before the freeze).", True),
        Column("seed", INTEGER, "Seed of the audit's draw, made of freeze_sha256 and nonce."),
        Column("answers_until", INTEGER, "Sequence number of the last answer that the labels know."),
        Column("items", INTEGER, "Items frozen."),
        Column("items_sha256", TEXT, "Hash of the frozen ids, contents, labels, groups, splits and risk order."),
        Column("classes", TEXTS, "The ontology that experts answer in."),
        Column("expert_answers", INTEGER, "1: one expert's word; 2: two experts, and a third where they differ."),
        Column("experts_description", TEXT, "Who the experts are."),
        Column("max_experts_seen_share", REAL, "Largest share of the items that experts may see."),
        Column(
            "max_undecided_share", REAL,
            "Largest share of the items that experts may leave undecided; null: frozen by an older version.", True,
        ),
        Column("are_auditors_independent", FLAG, "Declared: auditors are other people than adjudicators."),
        Column("purpose", TEXT, "What terms are held to: publish or train; null: the project names no licences.", True),
        Column("day", TEXT, "Day on which it was frozen, as 2026-01-31; terms are held to it.", True),
        Column("licences", TEXT, "The project's licences and their terms, the better first, as JSON.", True),
    ),
)  # fmt: skip

RELEASE_ITEMS = Table(
    "release_items", "an item of a release, frozen before the audit", ("batch", "item_id"), (
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
        Column("content_sha256", TEXT, "Hash of the item's content: of its text, or of its image's bytes.", True),
        Column("text_sha256", TEXT, "The same of the text as cleaning compares it: who had it audited before.", True),
    ),
)  # fmt: skip

LEFT_OUT_ITEMS = Table(
    "left_out_items", "a clean item that the release leaves out", ("batch", "item_id"), (
        RELEASE, BATCH, ITEM, FILE, LINE, LICENCE,
        Column("reason", TEXT, "better_licence: the release holds a copy of it under a better licence."),
        Column("evidence", TEXT, "Batch and id of that copy."),
    ),
)  # fmt: skip

RELEASE_OVERLAPS = Table(
    "release_overlaps", "an evaluation set that the release was held against", ("reference_set",), (
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

RELEASE_TASKS = Table("release_tasks", "a question put to an auditor or expert", ("task_id",), (RELEASE, *TASK_COLUMNS))

EXPERT_ANSWERS = Table(
    "expert_answers", "one expert's or auditor's valid answer on one item", ("sequence",), (
        SEQUENCE,
        BATCH, ITEM,
        Column("purpose", TEXT, "audit or expert; round where it was given before the freeze."),
        EXPERT,
        EXPERT_LABEL,
    ),
)  # fmt: skip

REJECTED_EXPERT_ANSWERS = Table(
    "rejected_expert_answers", "an expert's answer in the log that does not count", ("sequence",),
    (BATCH, *REJECTED_ANSWER_COLUMNS),
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
    "planted_items", "an item of a release whose label the project knows, where some are planted",
    ("batch", "item_id"), (
        RELEASE, BATCH, ITEM,
        Column("known_label", TEXT, "The label that the project knows; it enters no label."),
        Column("is_planted", FLAG, "Drawn to be put to the auditors among all others."),
        Column("source", TEXT, "erred: crew or label say otherwise; confused: only the checker does; log-odds: "
               "neither; null: drawn before kinds were told apart.", True),
    ),
)  # fmt: skip

PLANTED_VERDICTS = Table(
    "planted_verdicts", "a planted item, and what auditors say", ("batch", "item_id"), (
        RELEASE, BATCH, ITEM,
        Column("label", TEXT, "The known label; auditors see neither it nor the one that was proposed."),
        *VERDICT_COLUMNS[4:8],
        Column("is_wrong", FLAG, "The auditors' label is not the known one; null where they agreed on none.", True),
    ),
)  # fmt: skip

AUDIT = Table("audit", "an item drawn for the audit", ("batch", "item_id"), VERDICT_COLUMNS)

ADJUDICATIONS = Table(
    "adjudications",
    "an item that the audit did not accept, put to the experts",
    ("batch", "item_id"),
    VERDICT_COLUMNS,
)

CUTS = Table(
    "cuts", "a cut that was tested, or a place where a rising audit's share rose", ("accepted",), (
        RELEASE,
        Column("accepted", INTEGER, "Items of the risk order up to here, from the safest on."),
        Column("audited", INTEGER, "Audited items among them."),
        Column("wrong", INTEGER, "Wrong labels among those."),
        Column("p_value", REAL, "Chance of finding so few if the items up to here were over their budget; of an "
               "e-process, a bound of it; of a rising audit, that more wrong ones than allowed stay unseen."),
        Column("alpha", REAL, "What the chance is held against."),
        IS_PASSED,
    ),
)  # fmt: skip

AUDIT_RESULT = Table(
    "audit_result", "a release", ("release",), (
        RELEASE,
        Column("status", TEXT, "certified, refused, or open (answers are awaited)."),
        REASON,
        Column("items", INTEGER, "Items frozen."),
        ERROR_BUDGET,
        CONFIDENCE,
        Column("alpha", REAL, "Chance of a false certificate that this attempt spends."),
        Column("attempt", INTEGER, "Which attempt it is, counted by the content of its items."),
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
        Column("undecided_bound", REAL, "Upper bound of the items on which experts stay split, a share of all; null "
               "while the audit is incomplete, and where no limit was frozen.", True),
    ),
)  # fmt: skip

STAGE_ERRORS = Table(
    "stage_errors", "a way to decide labels, as the audit sees it", ("position",), (
        RELEASE,
        Column("position", INTEGER, "Order in which the chain reaches it; the first is 1."),
        Column("decided_by", TEXT, "one annotator, majority, consensus, checker, people and checker, or released."),
        Column("audited", INTEGER, "Audited items that experts settled: what the estimate rests on."),
        Column("error", REAL, "Estimated label error, contested items aside; a share.", True),
        Column("error_low", REAL, "Lower end of its 95% interval.", True),
        Column("error_high", REAL, "Upper end of its 95% interval.", True),
    ),
)  # fmt: skip

SLICE_BOUNDS = Table(
    "slice_bounds", "a class or slice of the release", ("by", "value"), (
        RELEASE,
        Column("by", TEXT, "class, language, source, part (of labels with several), or the column of a budget."),
        Column("value", TEXT, "Which class, or which value."),
        Column("items", INTEGER, "Frozen items in it: of a class, those labelled so."),
        Column("items_left", INTEGER, "The same once experts' verdicts are in: repaired, contested ones out.", True),
        Column("audited", INTEGER, "Those that the audit drew.", True),
        Column("wrong", INTEGER, "Frozen labels of it that experts found wrong, audited or adjudicated.", True),
        Column("missed", INTEGER, "Items of the class that experts found labelled otherwise.", True),
        Column("wrong_upper", REAL, "Upper bound of the share of wrong labels in it: of a certified release what is "
               "left, else as frozen; null: unproven.", True),
        Column("missed_upper", REAL, "The same of the share of the class that is labelled otherwise.", True),
        Column("wrong_budget", REAL, "Highest share of wrong labels that the project allows it; null: none.", True),
        Column("missed_budget", REAL, "Highest share missed that it allows; null: none.", True),
        Column("is_kept", FLAG, "All of its budgets are proven; null where there is none, or answers wait.", True),
    ),
)  # fmt: skip

RELEASE_LANGUAGES = Table(
    "release_languages", "a language of the release", ("language",), (
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
    "manifest", "a file of the release's folder", ("path",), (
        RELEASE,
        Column("path", TEXT, "Path in the release's folder."),
        Column("sha256", TEXT, "Hash of the file's bytes."),
        Column("size_bytes", INTEGER, "Size of the file."),
        Column("rows", INTEGER, "Rows, where the file is a table.", True),
    ),
)  # fmt: skip

CERTIFICATE = Table(
    "certificate", "a release", ("release",), (
        RELEASE,
        Column("status", TEXT, "certified or refused."),
        Column("are_auditors_independent", FLAG, "Declared, and so it was: nobody both audited and adjudicated."),
        Column("wording", TEXT, "What is certified, against whose judgement, and what it cannot see."),
        ERROR_BUDGET,
        CONFIDENCE,
        Column("error_bound", REAL, "Upper bound of the label error, contested items aside, a share."),
        Column("error_bound_with_contested", REAL, "The same, with contested items counted wrong."),
        Column("experts_seen_share", REAL, "Share of items that experts saw."),
        Column("items", INTEGER, "Items frozen."),
        Column("items_sha256", TEXT, "Hash of the frozen ids, contents, labels, groups, splits and risk order."),
    ),
)  # fmt: skip

TRAINING_SET = Table(
    "training_set", "a released item", ("batch", "item_id"), (
        RELEASE, BATCH, ITEM, FILE, LINE, TEXT_COLUMN, LANGUAGE,
        Column("label", TEXT, "The label."),
        Column("decided_by", TEXT, "people and checker, checker against people, audit, or expert."),
        Column("probability", REAL, "What people and checker together give the label as it was frozen, 0 to 1; a "
               "belief, certified by nothing; null where an expert judged it.", True),
        Column("split", TEXT, "train, validation or test."),
        Column("group_id", TEXT, "Items that stay in one split."),
        LICENCE,
        Column("terms", TEXT, "The licence's terms in words; null where the project names none.", True),
    ),
)  # fmt: skip

WITHHELD_ITEMS = Table(
    "withheld_items", "a frozen item that is not released", ("batch", "item_id"), (
        RELEASE, BATCH, ITEM, FILE, LINE,
        Column("reason", TEXT, "Why it is held back."),
    ),
)  # fmt: skip

RELEASE_IMAGES = Table(
    "release_images", "an image of the training set", ("batch", "item_id"), (
        RELEASE, BATCH, ITEM,
        Column("location", TEXT, "Its path relative to the delivery's folder, or its address."),
        Column("file", TEXT, "Its copy in the release's folder; null where the release holds references.", True),
        Column("sha256", TEXT, "Hash of the copy's bytes; without a copy, of the delivered file's."),
        Column("size_bytes", INTEGER, "Size of the same."),
        Column("delivered_sha256", TEXT, "Hash of the delivered file, which people saw."),
        Column("format", TEXT, "JPEG, PNG, GIF, WEBP, BMP, TIFF or AVIF."),
        Column("width", INTEGER, "Pixels from left to right, as it is shown."),
        Column("height", INTEGER, "Pixels from top to bottom, as it is shown."),
        Column("frames", INTEGER, "Pictures in the file; of several, the first was judged."),
    ),
)  # fmt: skip
