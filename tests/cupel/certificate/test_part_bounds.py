"""Bounds of parts: they hold all together, and what experts repaired is taken off."""

import numpy as np
import pytest

from cupel.certificate.design import FixedSequence
from cupel.certificate.evidence import Evidence
from cupel.certificate.hypergeometric import upper_count
from cupel.certificate.part_bounds import bound_parts
from cupel.certificate.result import Terms

SIZE, DRAWN = 1_000, 200
TERMS = Terms(0.1, 1, 1.0, design=FixedSequence(DRAWN))


def evidence(wrong: np.ndarray, audited: np.ndarray) -> Evidence:
    none = np.zeros(SIZE, np.bool_)
    return Evidence(audited, audited, wrong.any(axis=1) & audited, none)


def draw(rng: np.random.Generator) -> np.ndarray:
    flags = np.zeros(SIZE, np.bool_)
    flags[rng.choice(SIZE, DRAWN, replace=False)] = True
    return flags


def test_a_part_is_bounded_by_the_exact_tail_with_its_share_of_the_chance() -> None:
    rng = np.random.default_rng(1)
    audited = draw(rng)
    wrong = np.column_stack([np.arange(SIZE) % 20 == 0, np.zeros(SIZE, np.bool_)])
    first, second = bound_parts(evidence(wrong, audited), TERMS, wrong & audited[:, None])
    found = int((wrong[:, 0] & audited).sum())
    assert (first.audited, first.wrong) == (DRAWN, found)
    assert first.frozen_upper == upper_count(SIZE, DRAWN, found, 0.04 / 2)
    assert first.left_upper == first.frozen_upper - found
    assert (second.wrong, second.frozen_upper) == (0, upper_count(SIZE, DRAWN, 0, 0.04 / 2))


def test_what_experts_repair_behind_the_cut_is_taken_off_too() -> None:
    audited = draw(np.random.default_rng(2))
    wrong = np.column_stack([np.arange(SIZE) % 20 == 0] * 2)
    behind = np.arange(SIZE) >= 900
    seen = audited | behind
    first, _ = bound_parts(evidence(wrong, audited), TERMS, wrong & seen[:, None])
    assert first.left_upper == first.frozen_upper - int((wrong[:, 0] & seen).sum())


@pytest.mark.parametrize("rates", [(0.005, 0.02, 0.05), (0.03, 0.03, 0.03)])
def test_all_bounds_hold_together_in_at_least_95_of_100_audits(rates: tuple[float, ...]) -> None:
    rng = np.random.default_rng(3)
    wrong = np.column_stack([np.arange(SIZE) < round(rate * SIZE) for rate in rates])
    missed = 0
    for _ in range(2_000):
        audited = draw(rng)
        bounds = bound_parts(evidence(wrong, audited), TERMS, wrong & audited[:, None])
        left = (wrong & ~audited[:, None]).sum(axis=0)
        missed += any(bound.left_upper < number for bound, number in zip(bounds, left, strict=True))
    assert missed <= 0.05 * 2_000


def test_a_further_attempt_has_its_own_smaller_share_of_the_chance() -> None:
    audited = draw(np.random.default_rng(4))
    wrong = np.zeros((SIZE, 2), np.bool_)
    second = Terms(0.1, 2, 1.0, design=FixedSequence(DRAWN))
    (found, _) = bound_parts(evidence(wrong, audited), second, wrong)
    assert found.frozen_upper == upper_count(SIZE, DRAWN, 0, 0.005 / 2)
