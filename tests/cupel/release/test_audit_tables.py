import pyarrow as pa
import pytest

from cupel.contract.table import from_rows
from cupel.contract.tables.release import EXPERT_ANSWERS
from cupel.release.audit_tables import were_auditors_independent


def answers(*people: tuple[str, str]) -> pa.Table:
    return from_rows(
        [
            {"sequence": n, "batch": "one", "item_id": f"i{n}", "purpose": purpose, "annotator": who, "label": "a"}
            for n, (purpose, who) in enumerate(people)
        ],
        EXPERT_ANSWERS,
    )


@pytest.mark.parametrize(
    ("people", "is_independent"),
    [
        ((("audit", "ann"), ("expert", "eve")), True),
        ((("audit", "ann"), ("expert", "eve"), ("expert", "ann")), False),
        ((("audit", "eve"), ("expert", "eve")), False),
        ((("audit", "ann"),), False),
        ((), False),
    ],
)
def test_auditors_are_independent_only_where_the_answers_show_it(
    people: tuple[tuple[str, str], ...], is_independent: bool
) -> None:
    assert were_auditors_independent(answers(*people)) is is_independent
