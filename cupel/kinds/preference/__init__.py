"""Preference: the label kind in which an item is two answers to one prompt, and a label says which is better."""

from cupel.contract.kind import Export, GateCheck, Kind, are_equal, keep_labels
from cupel.kinds.category import classes
from cupel.kinds.preference.check import check
from cupel.kinds.preference.consensus import preference_consensus
from cupel.kinds.preference.pairs import pairs

# Weighted in integers, so that the sum does not depend on the order of rows.
_BIAS = """
SELECT abs(coalesce(sum(answers * round(first_of_equals * 1e6)::BIGINT), 0)::BIGINT
           / nullif(1000000 * coalesce(sum(answers), 0)::BIGINT, 0) - 0.5)
FROM habits
"""

PREFERENCE = Kind(
    name="preference",
    summary="which of two responses is better",
    modality="comparison",
    check=check,
    parts=classes.parts,
    split=classes.split,
    join=classes.join,
    parse=classes.parse,
    is_same=are_equal,
    agreement=classes.agreement,
    consensus=preference_consensus,
    fuse=classes.fuse,
    vocabulary=classes.vocabulary,
    nearest=keep_labels,
    controls=classes.controls,
    read_controls=classes.read_controls,
    write_controls=classes.write_controls,
    item_columns=("item_id", "text"),
    tables=("responses", "habits"),
    checks=(
        GateCheck(
            "cyclic_share", 0.1, "at most", "warning", "share",
            "Where preferences run in circles there is no better and worse to learn; a few circles are chance.",
            "SELECT count(*) FILTER (is_in_cycle) / nullif(count(*), 0) FROM responses",
            "What share of the responses stands in a circle of majorities (A over B over C over A), at most?",
            "Look at responses where is_in_cycle: mostly they are alike; more answers each, or ties allowed, help.",
        ),
        GateCheck(
            "position_bias", 0.1, "at most", "warning", "share",
            "When six in ten prefer what stands first for that alone, each answer says less than it seems to.",
            _BIAS,
            "How far from one half is the chance that the first of two equally good responses is preferred, at most?",
            "Show the two in random order, and deliver pairs in both orders; the consensus takes the bias off.",
        ),
    ),
    task_categories=("text-generation",),
    exports={
        "pairs": Export(
            "JSON Lines of prompt, chosen and rejected, as preference trainers read them", pairs, "pairs", "ties"
        ),
    },
)  # fmt: skip
