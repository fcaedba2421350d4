"""Audits held from the first wave to the end, as the chain holds them, for the tests of all designs."""

import numpy as np

from cupel.certificate.evidence import Evidence
from cupel.certificate.hypergeometric import Reals
from cupel.certificate.result import Assay, Terms, assay
from cupel.certificate.sequence import Flags


def hold(terms: Terms, marks: Reals, wrong: Flags, contested: Flags) -> tuple[Assay, Evidence]:
    """Hold an audit wave by wave, adjudicate what is behind its cut, and judge."""
    is_audited = terms.design.first_wave(marks, terms)
    while True:
        said = Evidence(is_audited, is_audited, wrong & is_audited, contested & is_audited, marks)
        due = terms.design.due(said, terms)
        if not (due & ~is_audited).any():
            break
        is_audited = is_audited | due
    first = assay(said, terms)
    assert first.is_audited
    if first.result.status == "refused":
        return first, said
    seen = is_audited | said.behind(first.result.accepted)
    said = Evidence(is_audited, seen, wrong & seen, contested & seen, marks)
    return assay(said, terms), said


def flags(size: int, places: object) -> Flags:
    array = np.zeros(size, dtype=bool)
    array[np.asarray(list(places), dtype=int)] = True  # type: ignore[call-overload]
    return array


def left_wrong(judged: Assay, said: Evidence, wrong: Flags) -> int:
    """Wrong labels that are in the release."""
    return int((wrong & ~said.is_settled).sum()) if judged.result.status == "certified" else 0
