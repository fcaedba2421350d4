from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cupel.certificate.design import FixedSequence
from cupel.config.release import Certificate
from cupel.lake.lake import Lake
from cupel.release.frozen_terms import FrozenTerms
from cupel.release.nonces import draw_nonce, make_seed, nonce_sentence
from made_releases import make_terms

FROZEN = "a" * 64
CHANGES: dict[str, Any] = {
    "attempt": 2, "alpha": 0.005, "error_budget": 0.03, "answers_until": 9, "items_sha256": "g", "items": 8,
    "classes": ("a",), "expert_answers": 2, "experts_description": "x", "max_experts_seen_share": 0.8,
    "are_auditors_independent": True, "batches": ("two",), "release": "s", "max_undecided_share": 0.1,
    "design": FixedSequence(51), "planted_errors": 3, "adjudicators_audited": 3, "undecided": 1, "guideline": "v",
    "known_items_sha256": "k", "models": ("gpt",),
}  # fmt: skip


def test_the_operating_system_gives_another_nonce_to_every_release(tmp_path: Path) -> None:
    lake = Lake(tmp_path, "small")
    found = [draw_nonce(lake, f"one-r{number}", "audit", FROZEN, Certificate()) for number in (1, 2, 1)]
    assert found[0] == found[2] != found[1]
    assert {one.source for one in found} == {"operating system"}
    assert len(bytes.fromhex(found[0].nonce)) == 32


def test_a_nonce_of_the_project_file_is_taken_and_said(tmp_path: Path) -> None:
    found = draw_nonce(Lake(tmp_path, "small"), "one-r1", "audit", FROZEN, Certificate(nonce="known"))
    assert (found.nonce, found.source) == ("known", "project file")
    assert "stood in the project file before the freeze" in nonce_sentence(found.source)
    assert nonce_sentence(None) == ""


def test_where_the_second_draw_is_from_is_said_beside_the_first() -> None:
    both = nonce_sentence("operating system", {}, "project file")
    assert "The audit was drawn by a number that the operating system gave" in both
    assert "judged again stood in the project file before the last verdict" in both
    assert "judged again was drawn by a number that the operating system gave" in nonce_sentence(
        "project file", {}, "operating system"
    )
    assert "judged again" not in nonce_sentence("operating system", {}, None)


@pytest.mark.parametrize("name", CHANGES)
def test_each_term_is_in_the_hash_of_the_freeze(name: str) -> None:
    terms = make_terms(10, design=FixedSequence(50))
    assert replace(terms, **{name: CHANGES[name]}).hash_freeze() != terms.hash_freeze()


def test_what_follows_from_the_draw_is_not_in_the_hash_of_the_freeze() -> None:
    terms = make_terms(10, design=FixedSequence(7))
    drawn = replace(terms, seed=5, nonce="n", nonce_source="witness", freeze_sha256=FROZEN, audit_size=7)
    assert drawn.hash_freeze() == terms.hash_freeze()
    assert FrozenTerms.from_plan(drawn.to_plan()) == drawn


@given(st.text(max_size=20), st.text(max_size=20))
def test_another_nonce_gives_another_seed(one: str, other: str) -> None:
    assert (make_seed(FROZEN, one) == make_seed(FROZEN, other)) == (one == other)
    assert make_seed(FROZEN, one) != make_seed(FROZEN, one, "adjudicators")
    assert 0 <= make_seed(FROZEN, one) < 1 << 63
