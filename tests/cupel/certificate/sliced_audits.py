"""Audits of a set with budgets by slice as the chain runs them: what is due is asked, until nothing is."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from cupel.certificate.evidence import Evidence
from cupel.certificate.hypergeometric import Reals
from cupel.certificate.result import Assay, Terms, assay, find_due
from cupel.certificate.sequence import Flags
from cupel.certificate.slice_budgets import Slice, first_wave_of


class FinishedAudit(NamedTuple):
    """An audit at its end, all adjudicated."""

    assay: Assay
    evidence: Evidence
    seen: Flags


def run_audit(
    terms: Terms, marks: Reals, is_wrong: Flags, slices: Callable[[Flags], Sequence[Slice]],
    is_contested: Flags | None = None,
) -> FinishedAudit:  # fmt: skip
    """Run an audit to its end, experts answering all that is put to them.

    Args:
        terms: What was declared.
        marks: Of the items.
        is_wrong: What experts would say of each item.
        slices: Returns the slices of the budgets, of the items that experts have seen.
        is_contested: Where they would stay split; nowhere by default.
    """
    nobody = np.zeros(len(marks), np.bool_)
    contested = nobody if is_contested is None else is_contested

    def judge(audited: Flags, known: Flags) -> Evidence:
        return Evidence(audited, known, is_wrong & known, contested & known, marks)

    drawn = terms.design.first_wave(marks, terms)
    for budget, part in zip(terms.budgets, slices(nobody), strict=True):
        drawn = drawn | first_wave_of(budget, part, marks, terms)
    while (due := find_due(judge(drawn, drawn), terms, slices(drawn)) & ~drawn).any():
        drawn = drawn | due
    first = assay(judge(drawn, drawn), terms, None, slices(drawn))
    seen = drawn | first.behind
    evidence = judge(drawn, seen)
    return FinishedAudit(assay(evidence, terms, None, slices(seen)), evidence, seen)
