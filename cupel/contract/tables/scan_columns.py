"""What the scan measures of a document, in the order in which it writes it; the counts of lines come first.

Null for a text of more than 16 MiB.
"""

from cupel.contract.columns import INTEGER, Column

SCAN_COLUMNS = (
    Column("scan_lines", INTEGER, "Lines, however they end.", True),
    Column("scan_bullet_lines", INTEGER, "Lines that begin with a bullet or hyphen.", True),
    Column("scan_ellipsis_lines", INTEGER, "Lines that end in an ellipsis.", True),
    Column("scan_filled_lines", INTEGER, "Lines between line feeds that are not blank.", True),
    Column(
        "scan_ended_lines",
        INTEGER,
        "Those that end in a mark that ends a sentence, of any script; the sign of an ellipsis is none.",
        True,
    ),
    Column("scan_short_lines", INTEGER, "Those of at most 30 characters.", True),
    Column("scan_line_feeds", INTEGER, "Line feeds.", True),
    Column("scan_kept_sentences", INTEGER, "Sentences of the lines that C4 keeps.", True),
    Column(
        "scan_kept_lines",
        INTEGER,
        "Lines that C4 keeps: ended, of three words or more, without phrases of scripts and policies.",
        True,
    ),
    Column("scan_lorem_lines", INTEGER, "Lines that C4 would keep, were there no lorem ipsum in them.", True),
    Column("scan_brace_lines", INTEGER, "Lines that C4 would keep, were there no curly bracket in them.", True),
    Column("scan_characters", INTEGER, "Characters.", True),
    Column("scan_visible_characters", INTEGER, "Characters that are not white space.", True),
    Column("scan_letters", INTEGER, "Letters, with their marks.", True),
    Column("scan_words", INTEGER, "Words; marks of punctuation are words of their own.", True),
    Column("scan_plain_words", INTEGER, "Words that are more than punctuation.", True),
    Column("scan_plain_word_characters", INTEGER, "Characters of those.", True),
    Column("scan_lettered_words", INTEGER, "Words with a letter.", True),
    Column("scan_stop_words", INTEGER, "Distinct stop words of the language found.", True),
    Column("scan_hashes", INTEGER, "Hash signs.", True),
    Column("scan_ellipses", INTEGER, "Ellipses, of three dots or one sign.", True),
    Column("scan_commonest_word_times", INTEGER, "How often the commonest word stands there.", True),
    Column("scan_pieces", INTEGER, "Lines between line feeds.", True),
    Column("scan_repeated_pieces", INTEGER, "Those that stood before.", True),
    Column("scan_repeated_piece_characters", INTEGER, "Their characters.", True),
    Column("scan_repeated_line_characters", INTEGER, "Characters of those that are not blank.", True),
    Column("scan_paragraphs", INTEGER, "Paragraphs.", True),
    Column("scan_repeated_paragraphs", INTEGER, "Those that stood before.", True),
    Column("scan_repeated_paragraph_characters", INTEGER, "Their characters.", True),
    Column(
        "scan_top_2_gram_characters",
        INTEGER,
        "Characters of the commonest run of 2 words, as often as it stands there.",
        True,
    ),
    Column(
        "scan_top_3_gram_characters",
        INTEGER,
        "Characters of the commonest run of 3 words, as often as it stands there.",
        True,
    ),
    Column(
        "scan_top_4_gram_characters",
        INTEGER,
        "Characters of the commonest run of 4 words, as often as it stands there.",
        True,
    ),
    Column("scan_repeated_5_gram_characters", INTEGER, "Characters of runs of 5 words that stood before.", True),
    Column("scan_repeated_6_gram_characters", INTEGER, "Characters of runs of 6 words that stood before.", True),
    Column("scan_repeated_7_gram_characters", INTEGER, "Characters of runs of 7 words that stood before.", True),
    Column("scan_repeated_8_gram_characters", INTEGER, "Characters of runs of 8 words that stood before.", True),
    Column("scan_repeated_9_gram_characters", INTEGER, "Characters of runs of 9 words that stood before.", True),
    Column("scan_repeated_10_gram_characters", INTEGER, "Characters of runs of 10 words that stood before.", True),
)
SCAN_MEASURES = tuple(column.name.removeprefix("scan_") for column in SCAN_COLUMNS)
