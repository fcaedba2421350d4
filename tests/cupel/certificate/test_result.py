from collections.abc import Iterable
from dataclasses import asdict, replace
from itertools import combinations
from math import comb

import numpy as np
import pytest

from cupel.certificate.attempts import attempt_alpha, attempt_levels
from cupel.certificate.evidence import Evidence
from cupel.certificate.hypergeometric import upper_count
from cupel.certificate.result import Assay, AuditResult, Terms, assay, percent
from cupel.certificate.sequence import Cut, Flags
from cupel.certificate.wording import wording
from cupel.contract.tables.release import AUDIT_RESULT, CUTS
from cupel.errors import AuditError

SIZE = 2_000
TERMS = Terms(error_budget=0.02, attempt=1, max_experts_seen_share=0.6)
EVEN = range(0, SIZE, 4)


def flags(size: int, places: Iterable[int]) -> Flags:
    array = np.zeros(size, dtype=bool)
    array[list(places)] = True
    return array


def evidence(
    audited: Iterable[int] = EVEN, wrong: Iterable[int] = (), contested: Iterable[int] = (),
    adjudicated: Iterable[int] = (), unsettled: Iterable[int] = (), size: int = SIZE,
) -> Evidence:  # fmt: skip
    drawn = flags(size, audited)
    settled = (drawn | flags(size, adjudicated)) & ~flags(size, unsettled)
    return Evidence(drawn, settled, flags(size, wrong), flags(size, contested))


def result(terms: Terms = TERMS, **verdicts: Iterable[int]) -> AuditResult:
    return assay(evidence(**verdicts), terms).result


def test_a_result_has_the_columns_of_its_table() -> None:
    assert ["release", *asdict(result())] == [column.name for column in AUDIT_RESULT.columns]
    assert ["release", *Cut._fields] == [column.name for column in CUTS.columns]


def test_a_clean_audit_certifies_everything() -> None:
    certified = result()
    assert (certified.status, certified.accepted, certified.to_adjudicate) == ("certified", SIZE, 0)
    settled = SIZE - upper_count(SIZE, 500, 0, attempt_levels(1).contested)
    assert certified.error_bound == (settled * 2 // 100) / settled
    assert certified.experts_seen_share == 500 / SIZE


def test_an_audit_half_way_is_open_and_tests_nothing() -> None:
    judged = assay(evidence(unsettled=[4, 8]), TERMS)
    assert judged.cuts == []
    assert (judged.result.status, judged.result.audited) == ("open", 498)
    assert judged.result.reason == "2 of 500 audited items await their experts"
    assert judged.result.error_bound is judged.result.error_bound_with_contested is None
    assert judged.result.experts_seen == 500


def test_adjudication_is_awaited_then_certifies_and_repairs() -> None:
    wrong = range(SIZE - 160, SIZE, 8)
    waiting = result(wrong=wrong)
    assert waiting.status == "open"
    assert 0 < waiting.accepted < SIZE
    behind = [place for place in range(waiting.accepted, SIZE) if place % 4]
    assert waiting.to_adjudicate == len(behind)
    assert waiting.reason == f"{len(behind)} of {len(behind)} items that the audit did not accept await their experts"
    found_wrong = [place for place in behind if place % 4 == 1]
    done = result(wrong=[*wrong, *found_wrong], adjudicated=behind)
    assert done.status == "certified"
    assert done.adjudicated == len(behind)
    assert done.repaired == len(wrong) + len(found_wrong)
    assert done.error_bound is not None
    assert done.error_bound <= TERMS.error_budget


def test_errors_repaired_before_the_cut_are_taken_off_the_bound_not_off_the_test() -> None:
    clean, repaired = assay(evidence(), TERMS), assay(evidence(wrong=[400]), TERMS)
    assert repaired.cuts[-1].p_value > clean.cuts[-1].p_value
    settled = SIZE - upper_count(SIZE, 500, 0, attempt_levels(1).contested)
    assert repaired.result.error_bound == (settled * 2 // 100 - 1) / settled


def test_more_experts_than_allowed_is_a_refusal_that_names_the_share_needed() -> None:
    wrong = range(SIZE - 160, SIZE, 8)
    needed = result(wrong=wrong).experts_seen
    allowed = replace(TERMS, max_experts_seen_share=needed / SIZE)
    just_over = replace(TERMS, max_experts_seen_share=(needed - 1) / SIZE)
    assert result(allowed, wrong=wrong).status == "open"
    refused = result(just_over, wrong=wrong)
    assert refused.status == "refused"
    assert f"experts would have to see {percent(needed / SIZE)} of the items" in refused.reason
    assert refused.repaired == 0


def test_a_refusal_bounds_the_labels_as_they_were_frozen() -> None:
    wrong, contested = range(0, SIZE, 40), range(4, SIZE, 40)
    refused = result(wrong=wrong, contested=contested)
    assert (refused.status, refused.audit_wrong, refused.audit_contested) == ("refused", 50, 50)
    levels = attempt_levels(1)
    settled = SIZE - upper_count(SIZE, 500, 50, levels.contested)
    assert refused.error_bound == upper_count(SIZE, 500, 50, levels.wrong) / settled
    assert refused.error_bound_with_contested == upper_count(SIZE, 500, 100, attempt_alpha(1)) / SIZE


def test_where_experts_may_see_everything_they_may_decide_everything() -> None:
    terms = replace(TERMS, max_experts_seen_share=1.0)
    wrong = range(0, 200, 4)
    assert result(terms, wrong=wrong).status == "open"
    done = result(terms, wrong=wrong, adjudicated=range(SIZE))
    assert (done.status, done.accepted, done.error_bound) == ("certified", 0, 0.0)
    assert done.error_bound_with_contested == 0.0


def test_items_that_are_all_contested_cannot_be_certified() -> None:
    refused = result(replace(TERMS, max_experts_seen_share=1.0), contested=EVEN)
    assert (refused.status, refused.error_bound, refused.error_bound_with_contested) == ("refused", 1.0, 1.0)


def test_the_bound_with_contested_items_is_never_the_lower_one() -> None:
    for contested in ((), range(0, SIZE, 200), range(0, SIZE, 20)):
        judged = result(contested=contested)
        assert judged.error_bound is not None
        assert judged.error_bound_with_contested is not None
        assert judged.error_bound <= judged.error_bound_with_contested


def test_a_later_attempt_needs_more_proof() -> None:
    wrong = [place * 20 for place in range(4)]
    first, second = (assay(evidence(wrong=wrong), replace(TERMS, attempt=attempt)) for attempt in (1, 2))
    assert first.result.status == "certified"
    assert second.result.accepted < first.result.accepted
    assert second.result.alpha == 0.005


def every_audit(wrong: Flags, contested: Flags, drawn: int, terms: Terms) -> list[tuple[Assay, float, float]]:
    """Hold each possible audit of a small set; with it the true errors of what is released, or as frozen."""
    size, audits = len(wrong), []
    for places in combinations(range(size), drawn):
        audited = flags(size, places)
        cut = assay(Evidence(audited, audited, wrong & audited, contested & audited), terms)
        seen = audited | (np.arange(size) >= cut.result.accepted)
        judged = cut
        left = ~np.zeros(size, dtype=bool)
        if cut.result.status != "refused":
            judged = assay(Evidence(audited, seen, wrong & seen, contested & seen), terms)
            left = ~seen
        released = size - (contested & ~left).sum()
        without = (wrong & left).sum() / max(1, size - contested.sum())
        audits.append((judged, without, ((wrong | contested) & left).sum() / max(1, released)))
    return audits


@pytest.mark.parametrize(("wrong", "contested"), [(range(4), []), (range(8, 12), [1, 6, 7]), ([2, 5, 8, 11], [10])])
def test_of_all_possible_audits_no_more_deceive_than_alpha_allows(wrong: Iterable[int], contested: list[int]) -> None:
    # 9 of 12 items, every sample counted, so that the chances are exact.
    audits = every_audit(flags(12, wrong), flags(12, contested), 9, Terms(0.3, 1, 1.0))
    most = attempt_alpha(1) * comb(12, 9)
    assert all(judged.result.status != "open" for judged, *_ in audits)
    for bound, truth in (("error_bound", 1), ("error_bound_with_contested", 2)):
        for status in ("certified", "refused"):
            failed = sum(
                getattr(audit[0].result, bound) < audit[truth] - 1e-12  # type: ignore[operator]
                for audit in audits
                if audit[0].result.status == status
            )
            assert failed <= most, (bound, status)


def test_some_small_sets_are_certified_without_seeing_everything() -> None:
    # Without this the test above could pass because nothing is ever accepted.
    audits = every_audit(flags(12, [11]), flags(12, []), 9, Terms(0.3, 1, 1.0, can_be_contested=False))
    assert sum(judged.result.accepted == 12 for judged, *_ in audits) > comb(12, 9) / 2


def test_the_wording_of_a_certificate_says_what_it_means() -> None:
    text = wording(result(), "two linguists, blind to each other", are_auditors_independent=False)
    assert text.startswith(
        "Certified at 2%: a set left with more than 2% wrong labels, contested items aside, would be certified at most "
        "5 times in 100, however often it is put to an audit."
    )
    assert "differs from the judgement of two linguists, blind to each other." in text
    assert "one panel, so nobody has checked the adjudicators" in text
    assert "mistakes that these experts share" in text


def test_a_release_of_before_keeps_its_text() -> None:
    text = wording(result(), "the panel", are_auditors_independent=False, is_older=True)
    assert text.startswith("Certified at 2%: a set with more than 2% wrong labels, contested items aside, would be")


def test_independent_auditors_are_said_to_be_so() -> None:
    assert "different people" in wording(result(), "the panel", are_auditors_independent=True)


def test_the_wording_of_a_refusal_gives_the_reason() -> None:
    refused = result(wrong=range(0, SIZE, 40))
    text = wording(refused, "the panel.", are_auditors_independent=False)
    assert text.startswith(f"Not certified at 2%: {refused.reason}.")
    assert "would be certified" not in text


def test_an_open_result_has_no_wording() -> None:
    with pytest.raises(AuditError, match="found open"):
        wording(result(unsettled=[0]), "the panel", are_auditors_independent=False)


@pytest.mark.parametrize(
    ("verdicts", "message"),
    [({"wrong": [1]}, "risk rank 2, which has no verdict yet"),
     ({"contested": [1]}, "risk rank 2, which has no verdict yet"),
     ({"wrong": [4], "contested": [4]}, "risk rank 5: both wrong and contested")],
)  # fmt: skip
def test_verdicts_that_cannot_be_are_an_error(verdicts: dict[str, list[int]], message: str) -> None:
    with pytest.raises(AuditError, match=message):
        assay(evidence(**verdicts), TERMS)


@pytest.mark.parametrize(
    "terms", [replace(TERMS, error_budget=0.0), replace(TERMS, max_experts_seen_share=1.1), replace(TERMS, attempt=0)]
)
def test_impossible_terms_are_an_error(terms: Terms) -> None:
    with pytest.raises(AuditError, match="expected"):
        assay(evidence(), terms)


def test_contested_items_that_were_ruled_out_are_an_error() -> None:
    with pytest.raises(AuditError, match="leave no item contested"):
        result(replace(TERMS, can_be_contested=False), contested=[4])


UNDECIDED = range(SIZE - 100, SIZE)


def test_what_annotators_could_not_decide_goes_to_experts_however_clean_the_audit_is() -> None:
    left = [place for place in UNDECIDED if place % 4]
    said = evidence()._replace(undecided=100)
    waiting = assay(said, TERMS).result
    assert (waiting.status, waiting.accepted, waiting.to_adjudicate) == ("open", SIZE, len(left))
    settled = evidence(adjudicated=left, wrong=left[:50])._replace(undecided=100)
    certified = assay(settled, TERMS).result
    assert (certified.status, certified.adjudicated, certified.repaired) == ("certified", len(left), 50)
    assert "and 100 that are theirs whatever the audit says" in certified.reason
    # The proof speaks of the labels as they were frozen, so more repairs never make it weaker.
    assert certified.error_bound == result().error_bound
    assert certified.experts_seen == 500 + len(left)


def test_undecided_items_count_among_those_that_experts_may_see() -> None:
    terms = replace(TERMS, max_experts_seen_share=0.26)
    assert assay(evidence(), terms).result.status == "certified"
    assert assay(evidence()._replace(undecided=100), terms).result.status == "refused"
