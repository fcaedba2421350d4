"""Columns of a plain table that say whether an answer counts, or is known to be right, and what their words mean."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from cupel.exchange.imports.columns import list_columns
from cupel.sources.class_values import strip_invisible, value_text
from cupel.sources.reasons import BadRow, Row

# Words for the state of an answer, and why one in that state does not count; None: it does.
STATE_WORDS: dict[str, str | None] = {
    **dict.fromkeys(
        (
            "accept", "accepted", "annotated", "answered", "approved", "complete", "completed", "confirmed", "done",
            "finished", "in review", "in_review", "labeled", "labelled", "needs review", "needs_review", "reviewed",
            "submitted", "validated",
        )
    ),
    **dict.fromkeys(("declined", "reject", "rejected"), "rejected"),
    **dict.fromkeys(("canceled", "cancelled", "discarded", "ignore", "ignored", "skip", "skipped"), "skipped"),
    **dict.fromkeys(
        ("abandoned", "assigned", "draft", "expired", "in progress", "in_progress", "incomplete", "not started",
         "not_started", "pending", "to do", "to_do", "todo", "unfinished"),
        "not_finished",
    ),
}  # fmt: skip
# Names of an answer's state; and some that a state of the item has, too.
STATE_NAMES = (
    "assignmentstatus", "assignment_status", "answer_status", "annotation_status", "label_status", "response_status",
    "review_status",
)  # fmt: skip
VAGUE_NAMES = ("status", "state")
# Orders, tickets and documents are in no such state.
OF_ANSWERS_ONLY = frozenset({"discarded", "skip", "skipped"})
# Prodigy's decision beside the label.
DECISION, DECISIONS = "answer", frozenset({"accept", "reject", "ignore"})
# Columns that are true where an answer does not count.
FLAGS = {
    **dict.fromkeys(("skipped", "is_skipped", "was_skipped", "cancelled", "canceled", "was_cancelled"), "skipped"),
    **dict.fromkeys(("rejected", "is_rejected", "was_rejected"), "rejected"),
    **dict.fromkeys(("draft", "is_draft"), "not_finished"),
}
# Columns of truth values that may be about the answer or about the item.
VAGUE_FLAGS = (
    "accepted", "is_accepted", "approved", "is_approved", "valid", "is_valid", "deleted", "is_deleted",
)  # fmt: skip
# Columns that say that an answer is known to be right; others of such a name hold the right answer itself.
TRUTHS = ("ground_truth", "is_ground_truth")
TRUTH_VALUES = frozenset({"true", "false", "1", "0", "yes", "no"})


class States(NamedTuple):
    """Columns that say whether an answer counts: of a state in words, and flags with their reasons.

    `vague` are columns that may say so, with what they hold, and are not read; `unknown` words of states that count
    because nobody knows them.
    """

    words: tuple[str, ...]
    flags: dict[str, str]
    vague: dict[str, tuple[str, ...]] = {}
    unknown: tuple[str, ...] = ()


def find_states(names: Sequence[str], rows: Iterable[Row | BadRow], label: str | None = None) -> States:
    """Return the columns that say whether an answer counts, by their names and what they hold.

    A column of an answer's state is read where it holds a word for one that does not count. One that may be of the
    item's state is read where all its words are known and some count, or where some are of answers only.

    Args:
        names: The columns.
        rows: The table.
        label: The label's column, which is none of them.
    """
    plain = {plain_name(name): name for name in reversed(names) if name != label}
    wanted = (*STATE_NAMES, *VAGUE_NAMES, *FLAGS, *VAGUE_FLAGS, *([DECISION] if label is not None else []))
    held: dict[str, set[str]] = {plain[name]: set() for name in wanted if name in plain}
    for row in rows if held else ():
        if isinstance(row, Row):
            for name, values in held.items():
                values.add(_word_of(row.values, name))
    for values in held.values():
        values.discard("")
    words, flags, vague = [], {}, {}
    for name, values in held.items():
        called = plain_name(name)
        bad = {word for word in values if STATE_WORDS.get(word) is not None}
        if called in FLAGS:
            if values <= TRUTH_VALUES:
                flags[name] = FLAGS[called]
        elif called in VAGUE_FLAGS:
            if len(values) > 1 and values <= TRUTH_VALUES:
                vague[name] = tuple(sorted(values))
        elif called == DECISION:
            words += [name] if bad and values <= DECISIONS else []
        elif bad and (called in STATE_NAMES or _are_of_answers(values)):
            words.append(name)
        elif bad:
            vague[name] = tuple(sorted(values)[:5])
    unknown = sorted({word for name in words for word in held[name] - STATE_WORDS.keys()})
    return States(tuple(words), flags, vague, tuple(unknown))


def _are_of_answers(values: set[str]) -> bool:
    """Tell whether words are of the state of an answer, and not of an order, a ticket or a document."""
    if values & OF_ANSWERS_ONLY:
        return True
    return values <= STATE_WORDS.keys() and any(STATE_WORDS[word] is None for word in values)


def state_of(values: Mapping[str, object], states: States) -> str | None:
    """Return why the answer of a row does not count, or None."""
    for name, reason in states.flags.items():
        if _word_of(values, name) in ("true", "1", "yes"):
            return reason
    found = (STATE_WORDS.get(_word_of(values, name)) for name in states.words)
    return next((reason for reason in found if reason is not None), None)


def describe_states(states: States) -> Iterator[str]:
    """Yield what columns of states are taken for, and which may be some and are not read."""
    if states.words or states.flags:
        names = list_columns([*states.words, *states.flags])
        unknown = f"; {list_columns(states.unknown)} count" if states.unknown else ""
        yield (
            f"{names} say whether an answer counts; those that do not are told{unknown}. Give a column that describes "
            "the item another name"
        )
    for name, held in states.vague.items():
        yield (
            f"{name!r} ({', '.join(held)}) may say which answers count, and is not read: name a column of words "
            "'answer_status', or of truth values 'is_rejected', if it does"
        )


def find_truth(names: Sequence[str], rows: Iterable[Row | BadRow], label: str) -> str | None:
    """Return the column that says which answers are known to be right; None where labels are true and false, too."""
    plain = {plain_name(name): name for name in reversed(names)}
    found = [row.values for row in rows if isinstance(row, Row)]
    for truth in (plain[name] for name in TRUTHS if name in plain):
        held, labels = ({_word_of(one, name) for one in found} for name in (truth, label))
        if held <= {"true", "false", ""} and labels.isdisjoint(("true", "false")):
            return truth
    return None


def _word_of(values: Mapping[str, object], name: str) -> str:
    return (value_text(values.get(name)) or "").casefold()


def plain_name(name: str) -> str:
    """Return a column's name in lower case, with underscores for spaces and hyphens.

    >>> plain_name(" Review-Status")
    'review_status'
    """
    return strip_invisible(name).casefold().replace(" ", "_").replace("-", "_")
