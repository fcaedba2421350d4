"""Every threshold has a dataset that just passes it and one that just fails."""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
from pydantic import ValidationError

from cupel.certificate.hypergeometric import clopper_pearson_lower, upper_count
from cupel.consensus.agreement import krippendorff_alpha
from cupel.contract.tables import TABLES
from cupel.contract.tables.raw import RAW_ITEMS
from cupel.errors import ProjectError
from cupel.kinds.preference import PREFERENCE
from expectations import checking, cleaning, gold, labeling, raw, release
from expectations.gate import judge_stage
from expectations.kind_tables import kind_suite
from expectations.suite import Suite
from expectations.suites import all_suites
from expectations.thresholds import THRESHOLDS, limits, of_kind

PREFERENCE_SUITE = cast(Suite, kind_suite(PREFERENCE))
CHECKS = THRESHOLDS | of_kind(PREFERENCE)
GOLD = {"labeling": {"gold": "gold.csv"}}
E_MAIL = "write to jane.doe@example.org"
RELEASE = "first-r1"


class Pair(NamedTuple):
    """What makes a check of a suite just pass, and just fail."""

    suite: Suite
    passes: Callable[[Any], None]
    fails: Callable[[Any], None]


def _flip(found: Callable[[int], bool]) -> int:
    """Return the number before the first one, from 0 on, for which something no longer holds."""
    number = 0
    while found(number + 1):
        number += 1
    assert number > 0
    return number


def _votes(split: int, items: int = 200) -> list[str]:
    agreed = ["yy" if place % 2 else "nn" for place in range(items - split)]
    return agreed + ["yn"] * split


def _split_for(alpha: float) -> int:
    def is_above(split: int) -> bool:
        counts = np.array([[answers.count("n"), answers.count("y")] for answers in _votes(split)])
        lower = krippendorff_alpha(counts).lower
        return lower is not None and lower >= alpha

    return _flip(is_above)


_FLOOR = _split_for(0.2)
_CUSTOMARY = _split_for(0.667)
_GOLD_WRONG = _flip(lambda wrong: clopper_pearson_lower(60 - wrong, 60) >= 0.6)
_CONTESTED = _flip(lambda found: upper_count(1000, 200, found, 0.05) / 1000 <= 0.05)
# The strictest cut keeps 150, less what was found, and 25 that were audited behind it.
_UNWANTED = _flip(lambda found: (upper_count(150, 75, found, 0.04) - found) / (175 - found) <= 0.1)

PAIRS = {
    "rows_unaccounted": Pair(raw.SUITE, lambda w: w.raw(40, rows_in=40), lambda w: w.raw(40, rows_in=41)),
    "items_read": Pair(raw.SUITE, lambda w: w.raw(1), lambda w: w.raw(0)),
    "unreadable_row_share": Pair(raw.SUITE, lambda w: w.raw(19, rejected=1), lambda w: w.raw(18, rejected=1)),
    "ids_repeated": Pair(raw.SUITE, lambda w: w.raw(2), lambda w: _repeat_an_id(w)),
    "empty_files": Pair(raw.SUITE, lambda w: w.raw(), lambda w: w.raw(empty_files=1)),
    "items_unaccounted": Pair(cleaning.SUITE, lambda w: w.cleaning(39, 1), lambda w: _lose_an_item(w)),
    "kept_share": Pair(cleaning.SUITE, lambda w: w.cleaning(20, 20), lambda w: w.cleaning(19, 20)),
    "exact_duplicates_left": Pair(
        cleaning.SUITE, lambda w: w.cleaning(i001="b"), lambda w: w.cleaning(i001="b", i002="b")
    ),
    "near_duplicates_left": Pair(
        cleaning.SUITE,
        lambda w: (w.cleaning(), w.similar(0.7999)),
        lambda w: (w.cleaning(), w.similar(0.8)),
    ),
    "private_data_left": Pair(cleaning.SUITE, lambda w: w.cleaning(), lambda w: w.cleaning(i003=E_MAIL)),
    "contamination_bound": Pair(
        cleaning.SUITE,
        lambda w: w.contamination(_UNWANTED),
        lambda w: w.contamination(_UNWANTED + 1),
    ),
    "contaminated_items_left": Pair(
        cleaning.SUITE, lambda w: w.contamination(_UNWANTED), lambda w: w.contamination(_UNWANTED, strays=1)
    ),
    "unreadable_image_share": Pair(cleaning.SUITE, lambda w: w.images(unreadable=1), lambda w: w.images(unreadable=2)),
    "places_left": Pair(cleaning.SUITE, lambda w: w.images(), lambda w: w.images(placed=1)),
    "changed_share": Pair(cleaning.SUITE, lambda w: w.cleaning(changed=20), lambda w: w.cleaning(changed=21)),
    "declared_otherwise_share": Pair(
        cleaning.SUITE, lambda w: w.cleaning(declared_otherwise=8), lambda w: w.cleaning(declared_otherwise=9)
    ),
    "items_without_consensus": Pair(labeling.SUITE, lambda w: w.labeling(), lambda w: _forget_a_consensus(w)),
    "annotations_missing": Pair(
        labeling.SUITE, lambda w: w.labeling(["yy", "nn", "ny"]), lambda w: w.labeling(["yy", "nn", "n"])
    ),
    "rejected_answer_share": Pair(
        labeling.SUITE, lambda w: w.labeling(["yy"] * 19, rejected=2), lambda w: w.labeling(["yy"] * 19, rejected=3)
    ),
    "agreement": Pair(labeling.SUITE, lambda w: w.labeling(_votes(_FLOOR)), lambda w: w.labeling(_votes(_FLOOR + 1))),
    "agreement_customary": Pair(
        labeling.SUITE, lambda w: w.labeling(_votes(_CUSTOMARY)), lambda w: w.labeling(_votes(_CUSTOMARY + 1))
    ),
    "largest_answer_share": Pair(
        labeling.SUITE, lambda w: w.labeling(names="ab"), lambda w: w.labeling(["yy"] * 40 + ["yyy"], names="ab")
    ),
    "gold_accuracy": Pair(
        gold.SUITE, lambda w: w.gold(60, 60 - _GOLD_WRONG), lambda w: w.gold(60, 60 - _GOLD_WRONG - 1)
    ),
    "cyclic_share": Pair(PREFERENCE_SUITE, lambda w: w.responses(30, cyclic=3), lambda w: w.responses(29, cyclic=3)),
    "position_bias": Pair(
        PREFERENCE_SUITE, lambda w: w.responses(first_of_equals=0.6), lambda w: w.responses(first_of_equals=0.399)
    ),
    "items_without_label": Pair(checking.SUITE, lambda w: w.labels(), lambda w: _label_too_few(w)),
    "labels_outside_ontology": Pair(checking.SUITE, lambda w: w.labels(i000="no"), lambda w: w.labels(i000="maybe")),
    "checker_disagreement_share": Pair(
        checking.SUITE, lambda w: w.labels(differing=16), lambda w: w.labels(differing=17)
    ),
    "expected_expert_share": Pair(checking.SUITE, lambda w: w.labels(experts=12), lambda w: w.labels(experts=13)),
    "checker_abstention_share": Pair(checking.SUITE, lambda w: w.labels(abstained=8), lambda w: w.labels(abstained=9)),
    "release_certified": Pair(release.SUITE, lambda w: w.released(), lambda w: w.released(status="refused")),
    "certificate_differs": Pair(
        release.SUITE, lambda w: w.released(), lambda w: w.released(certificate={"items_sha256": "another"})
    ),
    "error_bound": Pair(
        release.SUITE, lambda w: w.released(error_bound=0.02), lambda w: w.released(error_bound=0.0200001)
    ),
    "experts_seen_share": Pair(
        release.SUITE, lambda w: w.released(experts_seen_share=0.3), lambda w: w.released(experts_seen_share=0.301)
    ),
    "adjudications_missing": Pair(
        release.SUITE,
        lambda w: w.released(to_adjudicate=5, adjudicated=5),
        lambda w: w.released(to_adjudicate=5, adjudicated=4),
    ),
    "contested_share": Pair(
        release.SUITE,
        lambda w: w.released(undecided_bound=0.05),
        lambda w: w.released(undecided_bound=0.0501),
    ),
    # One sided sign test of two experts, by Holm: 2 / 2^5 is over 5%, 2 / 2^6 is not.
    "undecided_experts": Pair(
        release.SUITE, lambda w: (w.released(), w.undecided(5)), lambda w: (w.released(), w.undecided(6))
    ),
    "error_bound_with_contested": Pair(
        release.SUITE,
        lambda w: w.released(error_bound_with_contested=0.2),
        lambda w: w.released(error_bound_with_contested=0.201),
    ),
    "budgets_broken": Pair(release.SUITE, lambda w: w.budgeted(is_kept=True), lambda w: w.budgeted(is_kept=False)),
    "promises_broken": Pair(release.SUITE, lambda w: w.promised(is_kept=True), lambda w: w.promised(is_kept=False)),
    "certificates_lapsed": Pair(release.SUITE, lambda w: w.guided(False), lambda w: w.guided(True)),
    "items_overlapping": Pair(release.SUITE, lambda w: w.overlapping(0), lambda w: w.overlapping(1)),
    "items_forbidden": Pair(release.SUITE, lambda w: w.licensed("2026-06-30"), lambda w: w.licensed("2026-07-01")),
}


def _repeat_an_id(world: Any) -> None:
    # The lake refuses such a table, so it is written under another key: as if somebody had altered it.
    world.raw(3)
    rows = world.lake.read("raw_items", "first").to_pylist()
    rows[2]["item_id"] = rows[1]["item_id"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TABLES, "raw_items", RAW_ITEMS._replace(key=("line",)))
        world.write("raw_items", rows)


def _lose_an_item(world: Any) -> None:
    world.cleaning()
    world.write("clean_items", world.clean[1:])


def _forget_a_consensus(world: Any) -> None:
    world.labeling()
    rows = world.lake.read("consensus", "first").to_pylist()
    world.write("consensus", rows[1:])


def _label_too_few(world: Any) -> None:
    world.labels()
    world.write("labels", world.lake.read("labels", "first").to_pylist()[1:])


def _outcomes(world: Any, suite: Suite) -> dict[str, dict[str, Any]]:
    rows = judge_stage(world.step(RELEASE if suite.stage == "release" else "first"), suite).to_pylist()
    return {row["check"]: row for row in rows}


def _settings(world: Any, check: str) -> dict[str, Any]:
    """Return the settings under which a check is asked."""
    labeling = world().project.labeling.model_dump() | GOLD["labeling"]
    if check.startswith("contaminat"):
        return {"cleaning": {"contamination": {"what": "spam", "at_most": 0.1}}}
    if check == "declared_otherwise_share":
        return {"raw": {"deliveries": {"first": {"files": ["a.jsonl"], "licence": "MIT", "language_field": "l"}}}}
    if check in ("unreadable_image_share", "places_left"):
        delivery = {"files": ["*.jpg"], "licence": "MIT"}
        return {"raw": {"modality": "image", "deliveries": {"first": delivery}}, "images": {"metadata": "keep"}}
    if check == "promises_broken":
        return {"release": world().project.release.model_dump() | {"languages": {"eng_Latn": {"least_items": 5}}}}
    if check == "budgets_broken":
        settings = world().project.release.model_dump()
        return {"release": settings | {"certificate": {"by": {"class": {"yes": {"wrong": 0.05}}}}}}
    if check == "certificates_lapsed":
        return {"labeling": labeling | {"guideline": "Say what it is."}}
    if check == "items_overlapping":
        return {"cleaning": {"overlap": [{"name": "sums", "path": "sums.jsonl"}]}}
    if check == "items_forbidden":
        return {"licences": [{"name": "MIT", "until": "2026-06-30"}]}
    if PAIRS[check].suite is not PREFERENCE_SUITE:
        return {"labeling": labeling}
    delivery = {"files": ["a.jsonl"], "licence": "MIT", "first_field": "a", "second_field": "b"}
    return {
        "labeling": labeling | {"kind": "preference", "classes": ("first", "second", "tie")},
        "raw": {"deliveries": {"first": delivery}},
        "cleaning": {"duplicate_similarity": None},
    }


def test_every_threshold_belongs_to_one_check_and_has_a_pair() -> None:
    checks = [check.name for suite in all_suites() for check in suite.checks]
    assert sorted(checks) == sorted(CHECKS) == sorted(PAIRS)


@pytest.mark.parametrize("check", CHECKS)
def test_a_dataset_just_passes(world: Any, check: str) -> None:
    made = world(**_settings(world, check))
    PAIRS[check].passes(made)
    assert _outcomes(made, PAIRS[check].suite)[check]["outcome"] == "pass"


@pytest.mark.parametrize("check", CHECKS)
def test_a_dataset_just_fails(world: Any, check: str) -> None:
    made = world(**_settings(world, check))
    PAIRS[check].fails(made)
    row = _outcomes(made, PAIRS[check].suite)[check]
    # Too few annotations are not wrong: the stage waits for them.
    assert row["outcome"] == ("open" if check == "annotations_missing" else "fail")
    assert row["severity"] == CHECKS[check].severity


def test_a_promised_language_of_which_nothing_is_known_has_broken_its_promise(world: Any) -> None:
    made = world(**_settings(world, "promises_broken"))
    made.promised(is_kept=True, language="deu_Latn")
    row = _outcomes(made, release.SUITE)["promises_broken"]
    assert (row["outcome"], row["observed"]) == ("fail", 1)


def test_a_broken_promise_says_how_many_items_stand_under_the_macrolanguage(world: Any) -> None:
    settings = world().project.release.model_dump()
    made = world(release=settings | {"languages": {"arb_Arab": {"least_items": 5}}})
    made.promised(is_kept=True, language="ara_Arab")
    row = _outcomes(made, release.SUITE)["promises_broken"]
    assert row["outcome"] == "fail"
    assert "5 items are ara_Arab" in str(row)


def test_languages_that_nobody_promised_are_not_asked_about(world: Any) -> None:
    made = world()
    made.released()
    assert "promises_broken" not in _outcomes(made, release.SUITE)


def test_a_release_that_was_frozen_without_terms_is_not_passed_where_the_project_names_licences(world: Any) -> None:
    made = world(**_settings(world, "items_forbidden"))
    made.released()
    row = _outcomes(made, release.SUITE)["items_forbidden"]
    assert (row["outcome"], row["observed"]) == ("fail", None)


@pytest.mark.parametrize("change", [{"items": 0}, {"items": 2}, None])
def test_a_release_that_was_not_held_whole_against_its_evaluation_sets_is_not_passed(
    world: Any, change: dict[str, Any] | None
) -> None:
    made = world(**_settings(world, "items_overlapping"))
    made.overlapping(0, change)
    row = _outcomes(made, release.SUITE)["items_overlapping"]
    assert (row["outcome"], row["observed"]) == ("fail", None)


def test_a_project_replaces_a_threshold_and_its_reason(world: Any) -> None:
    made = world(thresholds={"unreadable_row_share": {"value": 0.5, "reason": "scans"}})
    made.raw(10, rejected=9)
    row = _outcomes(made, raw.SUITE)["unreadable_row_share"]
    assert (row["outcome"], row["threshold"]) == ("pass", 0.5)
    assert row["reason"] == "scans (the project's own threshold)"


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        ("no_such_check", 1, "no check has this name; the checks are rows_unaccounted, "),
        ("error_bound", 0.5, "set release.error_budget instead"),
        ("kept_share", 50, "found 50.0, expected a share from 0 to 1"),
        ("items_read", -1, "found -1.0, expected a count from 0 to inf"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(world: Any, check: str, value: float, message: str) -> None:
    project = world(thresholds={check: {"value": value, "reason": "why"}}).project
    with pytest.raises(ProjectError, match=rf"project tiny: key thresholds\.{check}.*{message}"):
        limits(project)


def test_a_threshold_that_is_no_number_is_refused_with_the_project(world: Any) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        world(thresholds={"kept_share": {"value": float("nan"), "reason": "why"}})


def test_limits_name_the_setting_they_come_from(world: Any) -> None:
    limit = limits(world().project)["error_bound"]
    assert limit.value == 0.02
    assert limit.reason.endswith("(the project's release.error_budget)")
    assert limit.wording == "at most 0.02"


@pytest.mark.parametrize(("found", "outcome"), [(_CONTESTED, "pass"), (_CONTESTED + 1, "fail")])
def test_a_release_that_was_frozen_without_a_limit_is_held_to_the_bound_of_its_time(
    world: Any, found: int, outcome: str
) -> None:
    made = world()
    made.released(undecided_bound=None, audit_contested=found)
    assert _outcomes(made, release.SUITE)["contested_share"]["outcome"] == outcome
