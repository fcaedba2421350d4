"""What was measured of items, which of them resemble each other, and which are kept."""

from cupel.contract.columns import (
    BATCH,
    FEATURES,
    FILE,
    FLAG,
    HASHES,
    INTEGER,
    ITEM,
    LANGUAGE,
    LICENCE,
    LINE,
    REAL,
    TEXT,
    TEXT_COLUMN,
    TEXT_SHA256,
    TEXTS,
    Column,
)
from cupel.contract.table import Table
from cupel.contract.tables.scan_columns import SCAN_COLUMNS

ITEM_SIGNALS = Table(
    "item_signals", "what was measured of an item", ("item_id",), (
        ITEM,
        Column("text", TEXT, "The text, normalised, private data masked."),
        TEXT_SHA256,
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
        Column("ips_masked", INTEGER, "IP addresses masked; 0 where the project does not ask for it."),
        Column("overlap_share", REAL, "Largest share that the text holds of a row of the reference sets; null where it "
               "holds nothing of any, or the project names none.", True),
        Column("overlap_with", TEXT, "Reference set and row, and how much of it.", True),
        # What the rules for web text ask about; null for a text of more than 16 MiB.
        *SCAN_COLUMNS,
    ),
)  # fmt: skip

SIGNATURES = Table(
    "signatures", "an item, as far as finding its duplicates needs it", ("item_id",), (
        BATCH, ITEM,
        TEXT_SHA256,
        Column("shingle_count", INTEGER, "Distinct shingles."),
        Column("shingles", HASHES, "Hashes of the distinct shingles, ascending."),
        Column("bands", HASHES, "Hash of each band of the MinHash signature; items that share one are compared."),
        Column("sketch", HASHES, "1,024 bits, each set where a shingle's hash begins like it: rules pairs out."),
        Column("numberless", HASHES, "Hash of the text in which all numbers count as the same, two halves.", True),
        Column("keys", HASHES, "Hashes of runs by which contained texts are found; null where the project looks for "
               "none.", True),
    ),
)  # fmt: skip

IMAGE_FILES = Table(
    "image_files", "the file of an item that is an image; null where it could not be read", ("item_id",), (
        ITEM,
        Column("location", TEXT, "Its path relative to the delivery's folder, or its address."),
        Column("sha256", TEXT, "Hash of the file's bytes.", True),
        Column("stripped_sha256", TEXT, "The same without metadata, as a release copies it; null: it stays.", True),
        Column("size_bytes", INTEGER, "Size of the file.", True),
        Column("format", TEXT, "JPEG, PNG, GIF, WEBP, BMP, TIFF or AVIF, by its content.", True),
        Column("mode", TEXT, "How pixels are kept: RGB, L, CMYK, I;16 and so on, as Pillow names them.", True),
        Column("width", INTEGER, "Pixels from left to right, as it is shown.", True),
        Column("height", INTEGER, "Pixels from top to bottom, as it is shown.", True),
        Column("frames", INTEGER, "Pictures in the file; of several, the first is judged.", True),
        Column("orientation", INTEGER, "EXIF orientation, 1 (upright) to 8.", True),
        Column("metadata", TEXTS, "Kinds of metadata that it holds: EXIF, XMP, IPTC, comment, place and so on.", True),
        Column("problem", TEXT, "Why it cannot be used, one of cupel.modalities.image.problems.REASONS.", True),
        Column("evidence", TEXT, "What was found.", True),
    ),
)  # fmt: skip

IMAGE_SIGNALS = Table(
    "image_signals", "what was measured of an image; null where it could not be read", ("item_id",), (
        ITEM,
        Column("brightness", REAL, "Mean of the grey levels, 0 to 1.", True),
        Column("contrast", REAL, "Largest standard deviation of the three colours, 0 to 0.5.", True),
        Column("sharpness", REAL, "Variance of the Laplacian at 256 pixels a side.", True),
        Column("dark_share", REAL, "Pixels that are black, of all.", True),
        Column("bright_share", REAL, "Pixels that are white, of all.", True),
        Column("perceptual_hash", TEXT, "64 bits as hexadecimal digits; null of one colour alone.", True),
        Column("features", FEATURES, "Numbers for the linear checker: colours and gradients.", True),
    ),
)  # fmt: skip

SIMILAR_ITEMS = Table(
    "similar_items", "an item and an earlier one that it resembles",
    ("item_id", "earlier_batch", "earlier_item_id"), (
        ITEM,
        Column("earlier_batch", TEXT, "Batch of the earlier item."),
        Column("earlier_item_id", TEXT, "The earlier item."),
        Column("similarity", REAL, "Exact Jaccard similarity of the shingle sets, 0 to 1."),
        Column("containment", REAL, "Share of the smaller shingle set that the other holds, exact; null of images.",
               True),
        Column("is_longer", FLAG, "The item has more shingles than the earlier one; null of images.", True),
        Column("differs_in_digits", FLAG, "The texts differ in digits only; null of images.", True),
    ),
)  # fmt: skip

CLEAN_ITEMS = Table(
    "clean_items", "an item that cleaning kept", ("item_id",), (
        BATCH, ITEM, FILE, LINE, TEXT_COLUMN, LANGUAGE,
        Column("group_id", TEXT, "Items that must stay in one split: same source group, or alike."),
        LICENCE,
    ),
)  # fmt: skip

REJECTED_ITEMS = Table(
    "rejected_items", "an item that cleaning dropped", ("item_id",), (
        BATCH, ITEM, FILE, LINE,
        Column("reason", TEXT, "Why, as one of cupel.cleaning.REASONS."),
        Column("value", REAL, "What was measured.", True),
        Column("threshold", REAL, "What was allowed.", True),
        Column("evidence", TEXT, "What shows it: for a duplicate, batch and id of the item kept.", True),
    ),
)  # fmt: skip

SIFTED_ITEMS = Table(
    "sifted_items", "an item, as rules and duplicates decide on it; only where contamination is declared",
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
