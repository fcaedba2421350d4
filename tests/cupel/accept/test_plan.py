from collections.abc import Callable
from typing import Any

import pytest
from scipy.stats import hypergeom

from cupel.accept.delivery import read_delivery
from cupel.accept.plan import LaterLook, Plan, Settings, choose_size, hash_terms, make_plan, seed_plan
from cupel.certificate.acceptance_plan import Terms
from cupel.errors import AuditError

SETTINGS = Settings(error_budget=0.05, label_column="label", id_column="id", text_column="text",
                    annotator_column=None, classes=("bad", "good"))  # fmt: skip


def test_the_chosen_audit_passes_a_third_of_the_budget_nine_times_in_ten_and_no_smaller_one_does() -> None:
    choice = choose_size(Terms(10_000, 0.01, can_be_contested=False))
    row = next(row for row in choice.table if row.drawn == choice.size)
    wrong = 34  # a third of 100, rounded up
    assert row.most_wrong is not None
    assert hypergeom.cdf(row.most_wrong, 10_000, wrong, choice.size) >= 0.9
    assert hypergeom.cdf(row.most_wrong, 10_000, 101, choice.size) <= 0.04
    assert hypergeom.cdf(row.most_wrong, 10_000, 101, choice.size - 1) > 0.04


def test_a_handful_of_labels_is_audited_whole() -> None:
    assert choose_size(Terms(10, 0.01)).size == 10


def test_an_audit_larger_than_the_delivery_is_refused() -> None:
    with pytest.raises(AuditError, match="--audit 11"):
        choose_size(Terms(10, 0.01), 11)


def plan_of(make_buyer: Callable[..., Any], nonce: str) -> tuple[Plan, list[str]]:
    delivery = read_delivery(make_buyer(0).delivery)
    plan = seed_plan(make_plan(delivery, "a", SETTINGS, 50, None, ()), nonce, "option")
    return plan, [one.item_id for one in delivery.labels]


@pytest.mark.parametrize("change", [{"attempt": 2}, {"delivery_sha256": "b"}, {"sizes": (60,)},
                                    {"settings": SETTINGS.model_copy(update={"error_budget": 0.04})}])  # fmt: skip
def test_the_seed_follows_from_all_that_was_frozen(make_buyer: Callable[..., Any], change: dict[str, Any]) -> None:
    plan, _ = plan_of(make_buyer, "7")
    assert seed_plan(plan.model_copy(update=change), "7", "option").seed != plan.seed


# As version 2 wrote them, with the hashes that it gave them.
PLAN_2 = """
{"version": 2, "delivery": "mail.csv",
 "delivery_sha256": "54e00864685bbf887baea3219458fcbafb46714e2109f613288ff7094de45967",
 "file_sha256": "bb2bbe4421300913b2c52cae0d5b62b6fa72fa70167f04795121ad49334dce68", "labels": 6000, "rejected": 0,
 "settings": {"error_budget": 0.05, "contested": "aside", "max_undecided": 0.05, "label_column": "label",
 "id_column": "id", "text_column": "text", "annotator_column": null, "classes": ["ham", "news", "spam"]},
 "attempt": 1, "earlier": null, "sizes": [200, 400, 800, 1600, 3200, 6000], "look": 1, "size": 200, "alpha": 0.04,
 "shown": ["language"]}
"""
LOOK_2 = """
{"plan": "59e11e1d13ba", "look": 4, "size": 1600, "alpha": 0.005, "attempt": 2, "before": 200, "drawn": []}
"""


def test_plans_of_version_2_keep_their_hash_and_spend_nothing_on_parts() -> None:
    plan = seed_plan(Plan.model_validate_json(PLAN_2), "3", "option")
    assert plan.freeze_sha256 == "e53be15c20ff1c80be7bed5ad479129e405b1271abe64ae59ea1920e7d49848c"
    assert (plan.seed, plan.key) == (8472037346145862, "59e11e1d13ba")
    later = LaterLook.model_validate_json(LOOK_2)
    assert hash_terms(later) == "b418a7543f4517c4449ad5ec4fd9a7b3db23a4114fdae92e6f389cbe041f8ca6"
    assert (plan.fixed.bounds_slices, plan.fixed.budgets, plan.parts) == (False, 0, ())
    assert "parts" not in plan.model_dump_json() + later.model_dump_json()
