"""What the scan measures of a document, in the order in which it writes it; the counts of lines come first."""

MEANINGS = {
    "lines": "Lines, however they end.",
    "bullet_lines": "Lines that begin with a bullet or hyphen.",
    "ellipsis_lines": "Lines that end in an ellipsis.",
    "filled_lines": "Lines between line feeds that are not blank.",
    "ended_lines": "Those that end in a mark that ends a sentence, of any script; the sign of an ellipsis is none.",
    "short_lines": "Those of at most 30 characters.",
    "line_feeds": "Line feeds.",
    "kept_sentences": "Sentences of the lines that C4 keeps.",
    "kept_lines": "Lines that C4 keeps: ended, of three words or more, without phrases of scripts and policies.",
    "lorem_lines": "Lines that C4 would keep, were there no lorem ipsum in them.",
    "brace_lines": "Lines that C4 would keep, were there no curly bracket in them.",
    "characters": "Characters.",
    "visible_characters": "Characters that are not white space.",
    "letters": "Letters, with their marks.",
    "words": "Words; marks of punctuation are words of their own.",
    "plain_words": "Words that are more than punctuation.",
    "plain_word_characters": "Characters of those.",
    "lettered_words": "Words with a letter.",
    "stop_words": "Distinct stop words of the language found.",
    "hashes": "Hash signs.",
    "ellipses": "Ellipses, of three dots or one sign.",
    "commonest_word_times": "How often the commonest word stands there.",
    "pieces": "Lines between line feeds.",
    "repeated_pieces": "Those that stood before.",
    "repeated_piece_characters": "Their characters.",
    "repeated_line_characters": "Characters of those that are not blank.",
    "paragraphs": "Paragraphs.",
    "repeated_paragraphs": "Those that stood before.",
    "repeated_paragraph_characters": "Their characters.",
    **{f"top_{size}_gram_characters": f"Characters of the commonest run of {size} words, as often as it stands there."
       for size in range(2, 5)},
    **{f"repeated_{size}_gram_characters": f"Characters of runs of {size} words that stood before."
       for size in range(5, 11)},
}  # fmt: skip
NAMES = tuple(MEANINGS)
