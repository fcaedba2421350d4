"""Figures over sets: Holm against the closed test, claims that must fail where evidence is missing, thinned classes."""

from collections import Counter
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.double_check.folder import Crowd, Gold
from benchmarks.double_check.over_sets import BUDGETS, compare_with_rivals, holm
from benchmarks.double_check.redraw import thin_class
from cupel.errors import SourceError


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_holm_rejects_what_the_closed_test_of_all_intersections_rejects(p_values: list[float]) -> None:
    places = range(len(p_values))
    corrected = holm(p_values)
    for own in places:
        # Closed testing with Bonferroni in every intersection that holds the hypothesis.
        worst = max(
            min(1.0, len(group) * min(p_values[place] for place in group))
            for size in range(1, len(p_values) + 1)
            for group in combinations(places, size)
            if own in group
        )
        assert corrected[own] == pytest.approx(worst)


def row(method: str, budget: float, difference: float, error: float = 0.001) -> dict[str, object]:
    return {"method": method, "budget": budget, "difference": difference, "standard_error": error}


def report(name: str, *rows: dict[str, object]) -> dict[str, object]:
    return {"dataset": name, "compared": list(rows)}


def test_ours_is_held_against_the_best_rival_of_each_set_and_budget() -> None:
    rows = [row(name, budget, less) for budget in BUDGETS for name, less in (("majority", -0.1), ("ebcc", 0.05))]
    found = compare_with_rivals([report("a", *rows)])
    assert [(one["rival"], one["budget"], one["is_within"], one["is_worse"]) for one in found] == [
        ("ebcc", budget, False, True) for budget in BUDGETS
    ]


def test_what_is_certain_in_one_set_alone_may_not_be_said_among_many() -> None:
    # 2.2 standard errors better than the margin: p = 0.014, which forty comparisons do not carry.
    rows = [row("majority", budget, 0.02 - 0.0022, 0.001) for budget in BUDGETS]
    alone = compare_with_rivals([report("a", *rows)])
    many = compare_with_rivals([report(str(place), *rows) for place in range(13)])
    assert all(one["is_within"] for one in alone)
    assert not any(one["is_within"] for one in many)


def test_sets_without_a_rival_are_left_out_and_a_difference_without_doubt_is_taken_as_it_is() -> None:
    assert compare_with_rivals([report("a", row("confidence", 0.01, -0.2))]) == []
    rows = [row("majority", budget, 0.0, 0.0) for budget in BUDGETS]
    found = compare_with_rivals([report("a", *rows)])
    assert all(one["is_within"] and not one["is_better"] for one in found)


def made_crowd(counts: dict[str, int]) -> tuple[Crowd, Gold]:
    truth = {f"{name}{place:03}": name for name, count in counts.items() for place in range(count)}
    ids = tuple(sorted(truth))
    annotations = pa.table(
        {"item_id": list(ids), "annotator": ["w"] * len(ids), "label": [truth[item] for item in ids]}
    )
    features = np.arange(len(ids), dtype=np.float64)[:, None]
    return Crowd("made", ids, tuple(counts), annotations, pa.array(ids), features, None), Gold(truth)


def test_thinning_drops_items_of_the_rarest_class_alone_until_it_has_its_share() -> None:
    crowd, gold = made_crowd({"x": 300, "y": 97})
    new, known, name = thin_class(crowd, gold, 0.03)
    assert name == "y"
    assert Counter(known.verdicts.values()) == {"x": 300, "y": 9}
    assert set(new.item_ids) == set(known.verdicts) == set(new.annotations["item_id"].to_pylist())
    assert new.texts is not None
    assert new.texts.to_pylist() == list(new.item_ids)
    assert new.features is not None
    assert [crowd.item_ids[int(place)] for place in new.features[:, 0]] == list(new.item_ids)
    assert thin_class(crowd, gold, 0.03)[0].item_ids == new.item_ids


def test_a_class_that_is_rare_already_stays_and_one_that_would_vanish_is_an_error() -> None:
    crowd, gold = made_crowd({"x": 300, "y": 9})
    assert thin_class(crowd, gold, 0.1)[1] == gold
    with pytest.raises(SourceError, match=r"class 'y' at a share of 0\.001 of 300 others has no item left"):
        thin_class(crowd, gold, 0.001)
