"""The best case of an audit: would it pass if experts found nothing wrong and left nothing undecided?

An audit that is refused even then need not be asked for. It is judged by the functions that judge the audit itself.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from cupel.certificate.auditors import SecondAudit
from cupel.certificate.evidence import Evidence, Plants
from cupel.certificate.hypergeometric import Reals
from cupel.certificate.result import AuditResult, Terms, assay, find_due
from cupel.certificate.sequence import Flags, floor_share
from cupel.certificate.slice_budgets import Slice

# The draw is not known before the freeze, and what may be seen of a sample depends on it: so many draws are tried. An
# audit that passes in none of them would pass in fewer than one of twenty draws, at 95% confidence.
TRIAL_DRAWS = 60
TRIAL_SEED = 20_141_201


class Prospect(NamedTuple):
    """What a flawless audit comes to: its result in the last draw tried, and how many draws were tried.

    `can_pass` tells whether that draw passed; else none did.
    """

    can_pass: bool
    result: AuditResult
    tried: int


def find_prospect(
    terms: Terms, size: int, slices: Sequence[Slice] = (), *, draws: int = TRIAL_DRAWS
) -> Prospect:  # fmt: skip
    """Tell whether an audit in which experts find nothing wrong could pass.

    Nothing here is the audit's own draw, so that it may be looked at before the freeze.

    Args:
        terms: What is declared.
        size: Items of the release, at least 1.
        slices: The items of each budget by class or slice.
        draws: How many draws are tried at most; the first that passes is enough.
    """
    rng = np.random.default_rng(TRIAL_SEED)
    for number in range(1, draws + 1):
        marks = rng.random(size)
        result = judge_flawless(terms, marks, slices)
        if result.status == "certified" or _may_pass_by_errors(terms, size, result):
            return Prospect(True, result, number)
    return Prospect(False, result, draws)


def passes_always(terms: Terms, size: int, slices: Sequence[Slice] = (), *, draws: int) -> Prospect:
    """Tell whether an audit in which experts find nothing wrong passes in every one of some trial draws."""
    rng = np.random.default_rng(TRIAL_SEED)
    for number in range(1, draws + 1):
        result = judge_flawless(terms, rng.random(size), slices)
        if result.status != "certified":
            return Prospect(False, result, number)
    return Prospect(True, result, draws)


def _may_pass_by_errors(terms: Terms, size: int, flawless: AuditResult) -> bool:
    """Tell whether an audit that finds errors could pass where a flawless one does not.

    There are two ways. Repaired errors are taken off what may be left, beside verdicts of adjudicators that may be
    wrong. And where much is wrong, experts see more, so that fewer items may be undecided of which nobody was asked.
    """
    if flawless.experts_seen > floor_share(terms.max_experts_seen_share, size):
        return False
    if terms.max_undecided_share is not None and "max_undecided_share" in flawless.reason:
        # Of the items that nobody is asked of, all may be undecided and yet be few enough.
        return terms.max_experts_seen_share + terms.max_undecided_share >= 1
    # How many errors found would do depends on the draw and on where they are: such an audit is never called hopeless.
    return "differed on" in flawless.reason


def judge_flawless(terms: Terms, marks: Reals, slices: Sequence[Slice] = ()) -> AuditResult:
    """Judge an audit by one draw whose experts find every label right, and overlook no planted item.

    Args:
        terms: What is declared.
        marks: The items' marks in the draw.
        slices: The items of each budget by class or slice.
    """
    clean = tuple(part._replace(is_counted=part.items & False, is_unfit=part.base & False) for part in slices)
    audited = terms.design.first_wave(marks, terms)
    while True:
        evidence = _flawless(terms, audited, marks)
        due = audited | find_due(evidence, terms, clean)
        if (due == audited).all():
            break
        audited = due
    result = assay(evidence, terms, slices=clean).result
    if terms.adjudicators_audited:
        again = min(terms.adjudicators_audited, result.to_adjudicate)
        result = assay(evidence, terms, SecondAudit(again, again, 0), clean).result
    return result


def _flawless(terms: Terms, audited: Flags, marks: Reals) -> Evidence:
    nothing = np.zeros(len(marks), np.bool_)
    return Evidence(
        audited, ~nothing, nothing, nothing, marks, _caught(terms.planted_errors, audited), terms.undecided
    )  # fmt: skip


def _caught(number: int, audited: Flags) -> Plants | None:
    """Return planted items, all caught: those that are audited anyway first, so that fewest are seen."""
    if not number:
        return None
    is_planted = np.zeros(len(audited), np.bool_)
    is_planted[np.argsort(~audited, kind="stable")[:number]] = True
    return Plants(is_planted, is_planted, is_planted, np.zeros(len(audited), np.bool_))
