import itertools

import numpy as np
import pytest

from cupel.certificate.hypergeometric import clopper_pearson_lower
from cupel.cleaning.contamination.cutting import CUTS, Range, cut_range, keep
from cupel.cleaning.contamination.learning import Learned

DOCUMENTS, AUDITED, BUDGET, ALPHA = 2_000, 300, 0.02, 0.05


def audited(rng: np.random.Generator, loosest: int) -> np.ndarray:
    flags = np.zeros(DOCUMENTS, np.bool_)
    flags[rng.permutation(loosest)[:AUDITED]] = True
    return flags


@pytest.mark.parametrize("place", ["strict end", "behind each cut", "anywhere"])
def test_a_set_over_its_budget_passes_at_most_as_often_as_alpha_says(place: str) -> None:
    between, good = Range(1_000, 1_800), 100
    cuts = np.linspace(between.strictest, between.loosest, CUTS).astype(int)
    over = int(BUDGET * (between.strictest + good)) + 1
    junk = np.zeros(DOCUMENTS, np.bool_)
    rng = np.random.default_rng(7)
    if place == "strict end":
        junk[:over] = True
    elif place == "behind each cut":
        # Each cut as it comes is one piece of junk over its budget.
        junk[:over] = True
        for before, cut in itertools.pairwise(cuts):
            junk[before : before + int(BUDGET * (cut + good)) - int(BUDGET * (before + good))] = True
    else:
        junk[rng.permutation(between.loosest)[: int(BUDGET * (between.loosest + good)) + 1]] = True
    false = 0
    for _ in range(2_000):
        found = keep(audited(rng, between.loosest), junk, good, between, BUDGET, ALPHA)
        false += found.kept > 0 and junk[: found.kept].sum() > BUDGET * (found.kept + good)
    assert clopper_pearson_lower(false, 2_000, 0.99) <= ALPHA


def test_what_is_clean_passes_whole() -> None:
    found = keep(
        audited(np.random.default_rng(1), 1_800), np.zeros(DOCUMENTS, np.bool_), 0, Range(1_000, 1_800), 0.02, 0.05
    )
    assert found.kept == 1_800
    assert found.bound == 36 / 1_800


def test_the_first_cut_that_fails_ends_the_sequence() -> None:
    junk = np.zeros(DOCUMENTS, np.bool_)
    junk[1_400:1_500] = True
    found = keep(audited(np.random.default_rng(1), 1_800), junk, 0, Range(1_000, 1_800), 0.02, 0.05)
    assert 1_000 <= found.kept < 1_500
    assert list(found.p_values <= 0.05) == [True] * (len(found.cuts) - 1) + [False]


def test_an_audit_of_nothing_shows_nothing() -> None:
    none = np.zeros(DOCUMENTS, np.bool_)
    assert keep(none, none, 0, Range(1_000, 1_800), 0.02, 0.05).bound is None


def test_cuts_are_chosen_by_the_pilot_alone() -> None:
    rng = np.random.default_rng(3)
    asked = np.arange(250)
    junk = np.concatenate([rng.random(150) < 0.15, np.ones(100, np.bool_)])
    learned = Learned(asked, junk, 150, np.zeros(2_250))
    other = learned._replace(is_junk=np.concatenate([junk[:150], np.ones(100, np.bool_)]))
    scores = rng.normal(size=150)
    assert cut_range(learned, scores, 2_000) == cut_range(other, scores, 2_000)
