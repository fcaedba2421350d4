import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import hypergeom

from cupel.certificate.hypergeometric import clopper_pearson_lower
from cupel.cleaning.contamination.cutting import (
    CUTS,
    PASS_SHARE,
    Kept,
    Range,
    cut_range,
    keep,
    keep_by_sequence,
    place_cuts,
)
from cupel.cleaning.contamination.learning import Learned
from cupel.cleaning.contamination.unseen_junk import bound_cuts

DOCUMENTS, AUDITED, BUDGET, ALPHA = 2_000, 300, 0.02, 0.05


def audited(rng: np.random.Generator, loosest: int) -> np.ndarray:
    flags = np.zeros(DOCUMENTS, np.bool_)
    flags[rng.permutation(loosest)[:AUDITED]] = True
    return flags


def is_false(found: Kept, is_audited: np.ndarray, junk: np.ndarray, good: int) -> bool:
    """Tell whether more than the budget is left of junk among what is kept, the audit's finds taken out."""
    left = junk[: found.kept] & ~is_audited[: found.kept]
    finds = int((junk & is_audited)[: found.kept].sum())
    return found.kept > 0 and bool(left.sum() > BUDGET * (found.kept + good - finds))


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
        is_audited = audited(rng, between.loosest)
        found = keep(is_audited, junk, good, between, BUDGET, ALPHA)
        false += is_false(found, is_audited, junk, good)
    assert clopper_pearson_lower(false, 2_000, 0.99) <= ALPHA


def test_what_is_clean_passes_whole() -> None:
    found = keep(
        audited(np.random.default_rng(1), 1_800), np.zeros(DOCUMENTS, np.bool_), 0, Range(1_000, 1_800), 0.02, 0.05
    )
    assert found.kept == 1_800
    assert found.bound is not None
    assert 34 / 1_800 <= found.bound <= 36 / 1_800


def test_a_strict_cut_that_fails_does_not_stop_a_looser_one() -> None:
    is_audited = audited(np.random.default_rng(1), 1_800)
    junk = np.zeros(DOCUMENTS, np.bool_)
    junk[np.flatnonzero(is_audited)[0]] = True
    found = keep(is_audited, junk, 0, Range(400, 1_800), BUDGET, ALPHA)
    assert found.kept > 400
    assert found.p_values[0] > found.level


def test_the_first_cut_that_fails_ends_the_sequence_of_older_audits() -> None:
    junk = np.zeros(DOCUMENTS, np.bool_)
    junk[1_400:1_500] = True
    found = keep_by_sequence(audited(np.random.default_rng(1), 1_800), junk, 0, Range(1_000, 1_800), 0.02, 0.05)
    assert 1_000 <= found.kept < 1_500
    assert list(found.p_values <= 0.05) == [True] * (len(found.cuts) - 1) + [False]


@pytest.mark.parametrize("drawn", [60, 300, 1_500])
def test_lines_are_crossed_as_often_as_a_walk_that_is_drawn_crosses_them(drawn: int) -> None:
    between, good, times = Range(400, 1_800), 100, 4_000
    bounds = bound_cuts(tuple(place_cuts(between).tolist()), between.loosest, drawn, good, BUDGET, PASS_SHARE * ALPHA)
    rng, crossed = np.random.default_rng(11), 0
    for _ in range(times):
        is_seen = np.zeros(between.loosest, np.bool_)
        is_seen[rng.permutation(between.loosest)[:drawn]] = True
        unseen = np.flatnonzero(~is_seen)
        # The worst there is: all that is ranked is junk, met piece by piece; finds before each unseen piece.
        finds = (unseen - np.arange(len(unseen)))[bounds.allowed]
        crossed += bool((finds <= bounds.most_found).any())
    assert clopper_pearson_lower(crossed, times, 0.999) <= PASS_SHARE * ALPHA
    assert drawn == 60 or crossed > 0.5 * PASS_SHARE * ALPHA * times  # no more cautious than counts are coarse


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.integers(0, 400), st.integers(0, 200), st.floats(0.001, 0.5), st.floats(0.001, 0.4))
def test_bounds_rise_with_cuts_and_no_cut_is_held_to_more_than_alpha(
    documents: int, drawn: int, good: int, budget: float, alpha: float
) -> None:
    cuts = place_cuts(Range(max(1, documents // 3), documents))
    bounds = bound_cuts(tuple(cuts.tolist()), documents, min(drawn, documents), good, budget, alpha)
    assert (np.diff(bounds.allowed) >= 0).all()
    assert (np.diff(bounds.most_found) >= 0).all()
    assert 0 <= bounds.level <= alpha
    for allowed, most in zip(bounds.allowed, bounds.most_found, strict=True):
        if most >= 0:
            oracle = hypergeom.cdf(most, documents, min(documents, allowed + 1 + most), min(drawn, documents))
            assert allowed + 1 + most > documents or oracle <= alpha * (1 + 1e-9)


def count_false_passes(documents: int, drawn: int, between: Range, good: int, budget: float, alpha: float) -> int:
    """Return how many of all samples pass a cut falsely, at most, for any places of junk among a few documents."""
    cuts = place_cuts(between)
    bounds = bound_cuts(tuple(cuts.tolist()), documents, drawn, good, budget, alpha)
    places = np.array(list(itertools.combinations(range(documents), drawn)))
    is_seen = np.zeros((len(places), documents), np.bool_)
    np.put_along_axis(is_seen, places, True, axis=1)
    worst = 0
    for bits in range(2**documents):
        is_junk = (bits >> np.arange(documents) & 1).astype(np.bool_)
        found = np.cumsum(is_seen & is_junk, axis=1)[:, cuts - 1]
        unseen = np.cumsum(is_junk)[cuts - 1] - found
        is_over = unseen > budget * (cuts + good - found)
        worst = max(worst, int(((found <= bounds.most_found) & is_over).any(axis=1).sum()))
    return worst


@pytest.mark.parametrize(
    ("documents", "drawn", "between", "good", "budget", "alpha"),
    [
        (9, 4, Range(2, 9), 0, 0.3, 0.3),
        (10, 5, Range(3, 10), 4, 0.125, 0.2),
        (10, 7, Range(2, 10), 2, 0.25, 0.05),
        (10, 10, Range(4, 10), 0, 0.25, 0.05),
    ],
)
def test_of_all_samples_and_all_places_of_junk_no_more_pass_falsely_than_alpha_says(
    documents: int, drawn: int, between: Range, good: int, budget: float, alpha: float
) -> None:
    worst = count_false_passes(documents, drawn, between, good, budget, alpha)
    assert worst <= alpha * math.comb(documents, drawn)


def test_an_audit_of_half_of_many_documents_is_bounded_in_seconds() -> None:
    start = time.process_time()
    bounds = bound_cuts(tuple(place_cuts(Range(40_000, 100_000)).tolist()), 100_000, 50_000, 300, BUDGET, 0.036)
    # Half of the junk is seen: as many finds as are allowed to be unseen, less what chance asks for.
    assert (bounds.most_found < bounds.allowed).all()
    assert (bounds.most_found > 0.85 * bounds.allowed).all()
    assert time.process_time() - start < 10


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
    assert cut_range(learned, scores, 2_000, 0.02) == cut_range(other, scores, 2_000, 0.02)
