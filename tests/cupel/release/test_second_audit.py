from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from cupel.certificate.attempts import attempt_levels
from cupel.certificate.auditors import adjudicated_upper, share_alpha
from cupel.certificate.hypergeometric import tail, upper_count
from cupel.certificate.sequence import floor_share
from cupel.contract.table import from_rows
from cupel.contract.tables.release import EXPERT_ANSWERS
from cupel.errors import AuditError
from cupel.release.folder import write_release
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.release_audit import ReleaseAudit, read_release_audit
from cupel.release.second_audit import draw_again
from cupel.release.verify import verify_release
from cupel.show.release_documents import describe_release
from cupel.store.local import LocalStore
from made_releases import CLASSES, NONCE, PROVENANCE, Items, Made, expert_rows, judge, make_items, make_release

SIZE, AGAIN = 800, 120
SETTINGS = {"error_budget": 0.1, "max_experts_seen_share": 1.0, "certificate": {"adjudicators_audited": AGAIN}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_release(tmp_path_factory.mktemp("audited"), size=SIZE, wrong_share=0.25, **SETTINGS)


def answers(items: Items, wrong_every: int = 0, auditors: str = "all") -> pa.Table:
    """Return answers of auditors, who are right, and of adjudicators, who err on every so many items."""
    said = expert_rows(items, items.ids, "audit", 10_000) if auditors == "all" else []
    for place, answer in enumerate(expert_rows(items, items.ids, "expert", 20_000)):
        if wrong_every and place % wrong_every == 0 and answer["label"] is not None:
            answer["label"] = CLASSES[(CLASSES.index(answer["label"]) + 1) % 3]
        said.append(answer)
    return from_rows(said, EXPERT_ANSWERS)


def judged(made: Made, said: pa.Table) -> ReleaseAudit:
    return judge(replace(read_release_audit(made.lake, "movies-r1"), expert_answers=said))


def items_again(audit: ReleaseAudit) -> set[str]:
    """Return the adjudicated items that another expert judges again."""
    return set(audit.adjudications["item_id"].take(pa.array(audit.drawn_again)).to_pylist())


def the_items() -> Items:
    return make_items(SIZE, 0.25, 0.02)


def test_bounds_and_cuts_are_those_of_the_golden_functions(made: Made) -> None:
    found = judged(made, answers(the_items()))
    shared, result = share_alpha(attempt_levels(1, bounds_slices=True), 1 / 4), found.assay.result
    assert result.status == "certified", result.reason
    upper = upper_count(SIZE, 200, result.audit_contested, shared.levels.contested)
    tested = floor_share(0.075, SIZE - upper)
    for cut in found.assay.cuts:
        assert cut.alpha == shared.levels.wrong == 0.025
        assert cut.p_value == float(tail(cut.wrong, cut.accepted, tested + 1, cut.audited))
    behind = found.adjudications.num_rows
    assert behind == result.to_adjudicate > AGAIN
    left = adjudicated_upper(behind, AGAIN, 0, shared.other)
    assert left > 0
    accepted = [cut for cut in found.assay.cuts if cut.is_passed][-1]
    unseen = result.accepted - accepted.audited
    settled = max(SIZE - upper, 200 + behind - result.contested - left)
    assert result.error_bound == (min(tested - accepted.wrong, unseen) + left) / settled
    assert f"up to {left} other verdicts may be wrong" in result.reason


def test_the_sample_is_drawn_once_all_is_adjudicated_by_the_verdicts_and_a_number_that_comes_after(made: Made) -> None:
    found, other = judged(made, answers(the_items())), judged(made, answers(the_items(), wrong_every=50))
    one, two = items_again(found), items_again(other)
    assert len(one) == len(two) == AGAIN
    assert one != two
    first = found.adjudications.slice(1)
    unsettled = pa.concat_tables([first, _unsettled(found.adjudications.slice(0, 1))])
    assert len(draw_again(found.terms, unsettled, NONCE)) == 0
    assert draw_again(found.terms, found.adjudications, "another").tolist() != found.drawn_again.tolist()
    assert len(draw_again(found.terms, found.adjudications, None)) == 0
    assert set(found.audit["item_id"].to_pylist()) >= one
    assert found.audit.num_rows == 200 + AGAIN


def _unsettled(row: pa.Table) -> pa.Table:
    place = row.column_names.index("is_settled")
    return row.set_column(place, row.schema.field(place), pa.array([False]))


def test_an_adjudicators_answer_never_stands_for_an_auditors(made: Made) -> None:
    found = judged(made, answers(the_items(), auditors="none"))
    assert found.assay.result.status == "open"
    assert not any(found.audit["is_settled"].to_pylist())


def test_while_the_other_expert_is_awaited_the_release_is_open(made: Made) -> None:
    said = answers(the_items())
    again = items_again(judged(made, said))
    is_left_out = [row["purpose"] == "audit" and row["item_id"] in again for row in said.to_pylist()]
    result = judged(made, said.filter(pa.array([not flag for flag in is_left_out]))).assay.result
    assert (result.status, result.error_bound) == ("open", None)
    assert result.reason == f"{AGAIN} of {AGAIN} adjudicated items await another expert"


def test_adjudicators_who_err_too_often_cost_the_certificate(made: Made) -> None:
    careful, careless = (judged(made, answers(the_items(), wrong_every=every)).assay.result for every in (200, 4))
    assert careful.status == "certified", careful.reason
    assert careless.status == "refused"
    assert "differed on" in careless.reason
    assert careless.accepted == careful.accepted


def test_the_other_experts_verdict_is_released_and_verified(made: Made, tmp_path: Path) -> None:
    assert made.tables is not None
    write_release(LocalStore(tmp_path), "whole", made.facts, made.tables, PROVENANCE, describe_release)
    verification = verify_release(tmp_path / "whole")
    assert [check for check in verification.checks if not check.is_passed] == []
    again = pa.array(sorted(items_again(read_release_audit(made.lake, "movies-r1", "audit", "adjudications"))))
    training = made.tables.training_set
    decided = training.filter(pa.compute.is_in(training["item_id"], value_set=again))["decided_by"]
    assert set(decided.to_pylist()) == {"audit"}


def test_a_release_that_hides_part_of_the_second_audit_is_not_verified(made: Made, tmp_path: Path) -> None:
    assert made.tables is not None
    gone = sorted(items_again(read_release_audit(made.lake, "movies-r1", "audit", "adjudications")))[0]
    audit = made.tables.audit.filter(pa.compute.not_equal(made.tables.audit["item_id"], gone))
    write_release(
        LocalStore(tmp_path), "cut", made.facts, replace(made.tables, audit=audit), PROVENANCE, describe_release
    )
    problems = {check.name: check.problem for check in verify_release(tmp_path / "cut").checks if check.problem}
    assert gone in problems["the audit is the sample that its seed draws"]
    assert "not certified" in problems["the certificate, recomputed, is the same"]


def test_the_certificate_says_where_the_second_draw_is_from(made: Made) -> None:
    assert made.facts.certificate is not None
    assert "judged again stood in the project file before the last verdict" in made.facts.certificate["wording"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"nonce": "another"}, "the audit holds other items than those drawn"),
        ({"source": "operating system"}, "which gives 64 hexadecimal digits"),
        ({"source": "public dice"}, "which gives none"),
        ({"source": "witness"}, "but there is no receipt"),
        ({"frozen_sha256": "0" * 64}, "the second draw: frozen_sha256"),
        ({"release": "movies-r2"}, "the second draw: release"),
    ],
)
def test_a_second_draw_that_is_not_of_these_verdicts_is_not_verified(
    made: Made, tmp_path: Path, values: dict[str, str], problem: str
) -> None:
    assert made.tables is not None
    assert made.facts.second_draw is not None
    facts = replace(made.facts, second_draw={**made.facts.second_draw, **values})
    write_release(LocalStore(tmp_path), "forged", facts, made.tables, PROVENANCE, describe_release)
    found = {check.name: check.problem for check in verify_release(tmp_path / "forged").checks}
    assert problem in found["the audit is the sample that its seed draws"]


def test_a_plan_that_declares_nonsense_is_an_error(made: Made) -> None:
    design = '{"adjudicators_audited":0,"method":"fixed_sequence","size":9}'
    with pytest.raises(AuditError, match="adjudicators_audited: found 0"):
        FrozenTerms.from_plan({**made.facts.terms.to_plan(), "design": design})
