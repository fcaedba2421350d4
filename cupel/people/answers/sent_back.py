"""Answers on items that were sent back: which do not count any more, and what those who answer anew are told."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cupel.contract.columns import TEXT
from cupel.lake.send_back_log import SendBack

Flags = NDArray[np.bool_]

SENT_BACK = "sent_back"
SENT_ELSEWHERE = "sent_to_others"
REASONS = {
    SENT_BACK: "Somebody sent its item back after it was given; the evidence is the reason that annotators read.",
    SENT_ELSEWHERE: "Its item was sent back to be answered by others, whom the evidence names.",
}


class Marked(NamedTuple):
    """Answers that do not count because of a send-back: flags by reason, and the evidence of each answer, or null."""

    flags: dict[str, Flags]
    evidence: pa.Array


class Rework(NamedTuple):
    """What is asked anew of an item.

    Attributes:
        number: How often the item was sent back.
        answers_until: The last answer in the log when it was last.
        asked: Why it is asked again, as those read it who answer.
    """

    number: int
    answers_until: int
    asked: str


def mark_answers(answers: pa.Table, send_backs: Sequence[SendBack]) -> Marked:
    """Tell which answers of annotators do not count because their items were sent back.

    Those do not that stood in the log when the item was sent back, or were given before by what their tool says of
    the time; where the send-back names annotators, theirs alone. Of what came later, where it names who is to answer,
    everybody else's.

    Args:
        answers: Columns item_id, sequence, annotator, answered_at of ANSWERS of one batch.
        send_backs: The batch's, the earliest first. The first that holds for an answer says why.
    """
    flags = {reason: np.zeros(answers.num_rows, np.bool_) for reason in REASONS}
    evidence = np.full(answers.num_rows, None, dtype=object)
    is_its = [np.asarray(pc.is_in(answers["item_id"], value_set=pa.array(one.item_ids, TEXT))) for one in send_backs]
    is_earlier = [_is_earlier(answers, one) for one in send_backs]
    # The last send-back before an answer says who may give it.
    is_judged = np.zeros(answers.num_rows, np.bool_)
    for one, own, earlier in zip(reversed(send_backs), reversed(is_its), reversed(is_earlier), strict=True):
        is_under = own & ~earlier & ~is_judged
        is_judged |= is_under
        if one.to:
            new = is_under & ~_is_of(answers, one.to)
            flags[SENT_ELSEWHERE] |= new
            evidence[new] = f"to {', '.join(one.to)}"
    for one, own, earlier in zip(send_backs, is_its, is_earlier, strict=True):
        new = own & earlier & ~flags[SENT_BACK] & ~flags[SENT_ELSEWHERE]
        if one.annotators:
            new &= _is_of(answers, one.annotators)
        flags[SENT_BACK] |= new
        evidence[new] = one.reason
    return Marked(flags, pa.array(evidence, TEXT))


def rework_by_item(send_backs: Sequence[SendBack]) -> dict[str, Rework]:
    """Return what is asked anew of each item that was sent back, by its last send-back.

    >>> event = SendBack("one", ("7",), "read rule 4", "lea", "items.csv", (), ("dan",), 12, (), "2026-11-30T00:00:00")
    >>> rework_by_item([event])
    {'7': Rework(number=1, answers_until=12, asked='sent back to dan: read rule 4')}
    """
    found: dict[str, Rework] = {}
    for one in send_backs:
        asked = f"sent back to {', '.join(one.to)}: {one.reason}" if one.to else f"sent back: {one.reason}"
        for item in one.item_ids:
            number = found[item].number + 1 if item in found else 1
            found[item] = Rework(number, one.answers_until, asked)
    return found


def _is_earlier(answers: pa.Table, one: SendBack) -> Flags:
    """Tell which answers were given before: by their place in the log or, where it is told, by their time."""
    before = pa.scalar(one.sent_at, answers.schema.field("answered_at").type)
    is_older = pc.fill_null(pc.less(answers["answered_at"], before), False)
    return np.asarray(answers["sequence"].to_numpy() <= one.answers_until, np.bool_) | np.asarray(is_older, np.bool_)


def _is_of(answers: pa.Table, names: Sequence[str]) -> Flags:
    return np.asarray(pc.is_in(answers["annotator"], value_set=pa.array(names, TEXT)), np.bool_)
