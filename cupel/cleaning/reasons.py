"""Why cleaning drops an item: the reasons in the order in which they are tried, and what they mean."""

from cupel.modalities.text.scan.rules import RULES, key

# The published rules for web text, where a project asks them.
WEB_REASONS = {
    f"{key(name)}.{rule.key}": f"{name}: {rule.reason}, {rule.comparison} {rule.threshold:g} allowed"
    for name, rules in RULES.items()
    for rule in rules
}

# Of these the evidence is batch and id of the item that was kept.
DUPLICATES = ("exact_duplicate", "near_duplicate", "other_digits", "contained_in", "contains")

REASONS: dict[str, str] = {
    "unknown_licence": "the project names licences, and its licence is none of them",
    "forbidden_licence": "the project does not allow its licence to be released",
    "too_short": "the text has fewer characters than allowed",
    "too_long": "the text has more characters than allowed",
    "few_words": "the text has fewer words than allowed",
    "many_words": "the text has more words than allowed",
    "short_words": "its words are shorter on average than allowed",
    "long_words": "its words are longer on average than allowed",
    "few_letters": "fewer of its visible characters are letters than allowed",
    "many_symbols": "it has more hash signs and ellipses per word than allowed",
    "repeated_lines": "more of it stands in repeated lines than allowed",
    "repeated_words": "its commonest word makes up more of it than allowed",
    **WEB_REASONS,
    "not_measured": "the rules for web text are asked, and it is too long to be measured for them",
    "evaluation_overlap": "it holds more of a row of a reference set, which models are examined with, than allowed",
    "unreadable_image": "its image cannot be read; the evidence says why and what to do",
    "tiny_image": "the shorter side of its image has fewer pixels than allowed",
    "long_image": "its image is longer, in proportion to its shorter side, than allowed",
    "uniform_image": "its image is of one colour, or nearly: its contrast is below what is allowed",
    "dark_image": "more of its image is black than allowed",
    "bright_image": "more of its image is white than allowed",
    "blurred_image": "its image has less sharpness than allowed",
    "exact_duplicate": "an earlier item that was kept has the same text, case and white space aside",
    "near_duplicate": "an earlier item that was kept is as similar as the threshold or more",
    "other_digits": "the same, and it differs from the item that was kept in digits only",
    "contained_in": "an earlier item that was kept holds as much of its text as the threshold or more",
    "contains": "it holds as much of the text of an earlier item that was kept as the threshold or more",
    "contaminated": "people say that it is not wanted, or it lies behind the cut up to which an audit vouches",
}
