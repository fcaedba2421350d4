from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from contamination_designs import Items, settings
from cupel.certificate.hypergeometric import clopper_pearson_lower
from cupel.cleaning.contamination.audit_rule import AT_ONCE, IN_SEQUENCE, audit_seed
from cupel.cleaning.contamination.concluding import concluded
from cupel.cleaning.contamination.cutting import CUTS
from cupel.config.contamination import ContaminationAnswers
from cupel.contract.table import conform
from cupel.contract.tables.contamination import CONTAMINATION_ANSWERS, CONTAMINATION_ITEMS, CONTAMINATION_PLAN

SIZE, STRICTEST, LOOSEST, AUDITED, AT_MOST, ALPHA = 1_000, 500, 900, 200, 0.05, 0.05


def ranked(
    is_unwanted: np.ndarray, rng: np.random.Generator, rule: str = AT_ONCE
) -> tuple[dict[str, Any], pa.Table, pa.Table]:
    """Return plan, items and answers of an audit drawn of ranked items."""
    plan = dict.fromkeys(CONTAMINATION_PLAN.schema.names, 0) | {
        "batch": "one", "status": "frozen", "attempt": 1, "alpha": ALPHA, "confidence": 0.95, "at_most": AT_MOST,
        "good": "good", "what": "spam", "strictest": STRICTEST, "loosest": LOOSEST, "audit_size": AUDITED,
        "candidates": SIZE,
    }  # fmt: skip
    plan["seed"] = audit_seed(plan, rule)
    ids = [f"i{number:04}" for number in range(SIZE)]
    drawn = np.sort(rng.permutation(LOOSEST)[:AUDITED])
    use = np.full(SIZE, None, object)
    use[drawn] = "audit"
    items = pa.table(
        {
            "batch": ["one"] * SIZE, "item_id": ids, "source_file": ["a"] * SIZE, "use": use.tolist(),
            "score": np.arange(SIZE, dtype=float), "rank": np.arange(1, SIZE + 1),
        }
    )  # fmt: skip
    answers = pa.table(
        {
            "sequence": np.arange(1, AUDITED + 1), "batch": ["one"] * AUDITED, "item_id": [ids[k] for k in drawn],
            "purpose": ["contamination_audit"] * AUDITED, "annotator": ["eve"] * AUDITED,
            "label": ["spam" if is_unwanted[k] else "good" for k in drawn],
        }
    )  # fmt: skip
    return plan, conform(items, CONTAMINATION_ITEMS), conform(answers, CONTAMINATION_ANSWERS)


def over_at_every_cut() -> np.ndarray:
    """Return unwanted items so that each cut, as it comes, holds one more than its budget."""
    is_unwanted, there = np.zeros(SIZE, np.bool_), 0
    for cut in np.unique(np.linspace(STRICTEST, LOOSEST, CUTS).astype(np.int64)):
        more = int(AT_MOST * cut) + 1 - there
        is_unwanted[cut - more : cut] = True
        there += more
    return is_unwanted


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        ("at every cut", AT_ONCE),
        ("strict end", AT_ONCE),
        ("behind the first cut", AT_ONCE),
        ("anywhere", AT_ONCE),
        ("just over", AT_ONCE),
        ("at every cut", IN_SEQUENCE),
    ],
)
def test_the_bound_is_wrong_at_most_as_often_as_alpha_says(place: str, rule: str) -> None:
    rng, false, passed, times = np.random.default_rng(5), 0, 0, 300
    for _ in range(times):
        is_unwanted = np.zeros(SIZE, np.bool_)
        if place == "strict end":
            is_unwanted[: int(AT_MOST * STRICTEST) + 1] = True
        elif place == "just over":
            # What the audit takes out and what it adds behind the cut may bring it below.
            is_unwanted[: int(AT_MOST * (STRICTEST + 60)) + 8] = True
        elif place == "at every cut":
            is_unwanted = over_at_every_cut()
        elif place == "behind the first cut":
            is_unwanted[: int(AT_MOST * STRICTEST)] = True
            is_unwanted[STRICTEST : STRICTEST + 30] = True
        else:
            is_unwanted[rng.permutation(LOOSEST)[: int(1.1 * AT_MOST * LOOSEST)]] = True
        found = concluded(*ranked(is_unwanted, rng, rule))
        row = found.result.to_pylist()[0]
        left = int((found.is_kept & is_unwanted).sum())
        false += left > row["unwanted_at_most"]
        passed += row["status"] == "bounded" and left > AT_MOST * row["kept"]
        assert row["kept"] == found.is_kept.sum()
    assert clopper_pearson_lower(false, times, 0.99) <= ALPHA
    assert clopper_pearson_lower(passed, times, 0.99) <= ALPHA


def test_a_bound_that_is_wrong_more_often_would_be_caught() -> None:
    rng, false, times = np.random.default_rng(5), 0, 150
    is_unwanted = np.zeros(SIZE, np.bool_)
    # So many that a little more than the budget is left when the audit has found its part.
    is_unwanted[rng.permutation(LOOSEST)[: int(AT_MOST * LOOSEST / (1 - AUDITED / LOOSEST)) + 3]] = True
    for _ in range(times):
        plan, items, answers = ranked(is_unwanted, rng)
        found = concluded(plan | {"alpha": 0.6}, items, answers)
        false += int((found.is_kept & is_unwanted).sum()) > found.result["unwanted_at_most"][0].as_py()
    assert clopper_pearson_lower(false, times, 0.99) > ALPHA


def test_designs_followed_from_texts_to_the_cut_keep_their_bound() -> None:
    false, bounded, times = 0, 0, 40
    for seed in range(times):
        items = Items(400, blurred=0.06, seed=seed)
        found, row = items.conclude(items.follow(settings()))
        bounded += row["status"] == "bounded"
        false += row["bound"] is not None and items.unwanted_share(found) > row["bound"]
    assert bounded > times / 2
    assert clopper_pearson_lower(false, times, 0.99) <= 0.04


def test_what_people_said_stands() -> None:
    items = Items()
    found, _ = items.conclude(items.follow(settings()))
    said = dict(zip(items.answers["item_id"].to_pylist(), items.answers["label"].to_pylist(), strict=True))
    kept = dict(zip(items.ids, found.is_kept.tolist(), strict=True))
    assert all(kept[item] == (label == "good") for item, label in said.items())


def answered_unasked(plan: dict[str, Any], items: pa.Table, answers: pa.Table, label: str) -> tuple[Any, list[int]]:
    """Return what comes of a late answer on each third item that is kept and that nobody was asked about."""
    is_kept = concluded(plan, items, answers).is_kept & items["use"].is_null().to_numpy()
    late = np.flatnonzero(is_kept)[:30:3].tolist()
    more = answers.slice(0, len(late)).to_pydict() | {
        "sequence": [AUDITED + place for place in range(1, len(late) + 1)],
        "item_id": [items["item_id"][place].as_py() for place in late],
        "label": [label] * len(late),
    }
    both = pa.concat_tables([answers, conform(pa.table(more), CONTAMINATION_ANSWERS)])
    return concluded(plan, items, both), late


def test_what_somebody_who_was_not_asked_finds_good_stays_and_changes_no_bound() -> None:
    plan, items, answers = ranked(np.zeros(SIZE, np.bool_), np.random.default_rng(3))
    before = concluded(plan, items, answers)
    after, late = answered_unasked(plan, items, answers, "good")
    assert after.is_kept[late].all()
    assert after.result.equals(before.result)


def test_what_somebody_who_was_not_asked_finds_unwanted_is_out_of_what_is_kept_and_of_its_bound() -> None:
    plan, items, answers = ranked(np.zeros(SIZE, np.bool_), np.random.default_rng(3))
    before = concluded(plan, items, answers).result.to_pylist()[0]
    after, late = answered_unasked(plan, items, answers, "spam")
    row = after.result.to_pylist()[0]
    assert not after.is_kept[late].any()
    assert row["status"] == before["status"] == "bounded"
    assert row["unwanted_at_most"] == before["unwanted_at_most"] - len(late)
    assert row["kept"] == before["kept"] - len(late)


def test_audits_of_older_versions_drop_what_was_answered_unasked_as_they_did() -> None:
    plan, items, answers = ranked(np.zeros(SIZE, np.bool_), np.random.default_rng(3), IN_SEQUENCE)
    before = concluded(plan, items, answers).result.to_pylist()[0]
    after, late = answered_unasked(plan, items, answers, "good")
    assert not after.is_kept[late].any()
    assert after.result["unwanted_at_most"][0].as_py() == before["unwanted_at_most"]


def test_it_is_open_while_an_answer_is_awaited() -> None:
    items = Items()
    design = items.follow(settings())
    items.answers = items.answers.slice(0, items.answers.num_rows - 1)
    found, row = items.conclude(design)
    assert (row["status"], row["reason"]) == ("open", "1 answers of the audit are awaited")
    assert row["bound"] is None
    assert not found.is_kept.any()


def test_who_cannot_say_that_an_item_is_wanted_has_said_that_it_is_not() -> None:
    items = Items(share=0.0)
    design = items.follow(settings())
    asked = items.answers["item_id"].to_pylist()
    items.answers = items.answers.slice(0, 0)
    items.answer(design, dict.fromkeys(asked[-20:]))
    _, row = items.conclude(design)
    assert row["audit_unwanted"] == 20


def test_only_wanted_items_pass_and_the_reason_says_that_nothing_was_learned() -> None:
    items = Items(share=0.0, blurred=0.0)
    found, row = items.conclude(items.follow(settings()))
    assert row["status"] == "bounded"
    assert found.is_kept.all()
    assert "no answer says spam, so that nothing was learned" in row["reason"]


def test_only_unwanted_items_do_not_pass_and_the_reason_says_so() -> None:
    items = Items(share=1.0, blurred=0.0)
    _, row = items.conclude(items.follow(settings()))
    assert row["status"] == "unbounded"
    assert row["reason"].startswith("all 80 answers that the model could learn from say spam; ")
    assert row["answers_needed"] is None


def test_items_that_nothing_tells_apart_do_not_pass() -> None:
    items = Items(blurred=0.5)
    _, row = items.conclude(
        items.follow(settings(at_most=0.02, answers=ContaminationAnswers(train=80, audit=100, pilot=60, step=20)))
    )
    assert row["status"] == "unbounded"
    assert row["bound"] is None or row["bound"] > 0.02


def test_when_it_does_not_pass_it_says_how_many_answers_would_be_expected_to_do() -> None:
    is_unwanted = np.zeros(SIZE, np.bool_)
    is_unwanted[:STRICTEST:25] = True
    rng = np.random.default_rng(2)
    rows = [concluded(*ranked(is_unwanted, rng)).result.to_pylist()[0] for _ in range(20)]
    needed = [row["answers_needed"] for row in rows if row["status"] == "unbounded"]
    assert needed
    assert all(number is None or AUDITED < number <= LOOSEST for number in needed)
    assert all(number is not None for number in needed[:1]) or "would not show" in rows[0]["reason"]


def test_too_small_an_audit_says_so_before_anybody_is_asked() -> None:
    items = Items()
    design = items.follow(settings(at_most=0.01, answers=ContaminationAnswers(train=60, audit=20, pilot=60)))
    _, row = items.conclude(design)
    assert row["audited"] == 0
    assert "so none was asked for" in row["reason"]
