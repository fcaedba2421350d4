"""Planted items where labels may be the same although their texts differ: who finds a wrong label right missed it."""

import pyarrow as pa
import pytest

from cupel.contract.table import from_rows
from cupel.contract.tables.release import EXPERT_ANSWERS, PLANTED_ITEMS
from cupel.release.audit_tables import draw_audit, judge_planted_items
from cupel.release.release_audit import ReleaseAudit
from made_releases import make_terms
from toy_kind import NUMBER

NAME = {"release": "r", "batch": "one", "item_id": "x"}


def audit_of(frozen: str, known: str, *said: str) -> ReleaseAudit:
    terms = make_terms(
        items=1, audit_size=1, kind="number", classes=tuple("0123456789"), planted_errors=1, expert_answers=len(said)
    )
    answers = [
        {**NAME, "sequence": n, "purpose": "audit", "annotator": f"e{n}", "label": label}
        for n, label in enumerate(said)
    ]
    tables = {
        "release_items": pa.Table.from_pylist([{**NAME, "label": frozen, "risk_rank": 1, "is_audited": True}]),
        "planted_items": from_rows([{**NAME, "known_label": known, "is_planted": True}], PLANTED_ITEMS),
        "expert_answers": pa.Table.from_pylist(answers, schema=EXPERT_ANSWERS.schema),
    }
    return ReleaseAudit.of(terms, tables, [NUMBER])


@pytest.mark.parametrize(
    ("frozen", "known", "said", "is_caught"),
    [
        # 2 is the same as the known 3, and as the frozen 1: the audit would find nothing wrong.
        ("1", "3", ["2"], False),
        ("1", "3", ["2", "2"], False),
        ("1", "3", ["3"], True),
        ("1", "3", ["4"], True),
        # A label that is right as frozen cannot be overlooked.
        ("2", "3", ["2"], True),
        ("9", "3", ["2"], True),
    ],
)
def test_an_answer_that_the_audit_takes_for_a_wrong_label_has_not_caught_it(
    frozen: str, known: str, said: list[str], is_caught: bool
) -> None:
    audit = audit_of(frozen, known, *said)
    verdicts = judge_planted_items(audit)
    judged = ReleaseAudit.of(
        audit.terms,
        {"release_items": audit.items, "planted_items": audit.planted_items, "planted_verdicts": verdicts},
        [NUMBER],
    )
    assert judged.plants is not None
    assert judged.plants.is_caught.tolist() == [is_caught]
    (row,) = draw_audit(audit).to_pylist()
    is_right = abs(int(frozen) - int(known)) <= 1
    assert is_right or row["is_wrong"] == is_caught
    assert judged.plants.is_overlooked.tolist() == [not is_caught and not is_right]
