"""The errors of a release part by part: only where experts are taken at their word."""

import pyarrow as pa

from cupel.contract.table import from_rows
from cupel.contract.tables.release import AUDIT
from cupel.kinds.multilabel import MULTILABEL
from cupel.release.part_errors import part_errors
from cupel.release.release_audit import ReleaseAudit
from made_releases import make_terms

NAME = {"release": "r", "batch": "one", "item_id": "x"}


def audit_of(**declared: int) -> ReleaseAudit:
    terms = make_terms(items=1, audit_size=1, kind="multilabel", max_experts_seen_share=1.0, **declared)
    judged = {"label": '["a"]', "answers": 1, "is_settled": True, "is_contested": False, "is_wrong": True}
    tables = {
        "release_items": pa.Table.from_pylist([{**NAME, "label": '["a"]', "risk_rank": 1, "is_audited": True}]),
        "audit": from_rows([{**NAME, **judged, "expert_label": '["a","b"]'}], AUDIT),
    }
    return ReleaseAudit.of(terms, tables, [MULTILABEL])


def test_a_label_is_wrong_in_the_part_that_experts_say_otherwise() -> None:
    assert [(row["part"], row["wrong"]) for row in part_errors(audit_of())] == [("a", 0), ("b", 1)]


def test_nothing_is_bounded_where_adjudicators_may_have_made_errors_of_their_own() -> None:
    assert part_errors(audit_of(adjudicators_audited=1)) == []
