"""Vendors on equal terms: hard items do not make a vendor worse, and intervals hold."""

from typing import Any

import numpy as np
import pytest

from crowds import Crowd
from cupel.errors import ProjectError
from cupel.people.annotators.annotators import annotators
from cupel.people.annotators.findings import findings
from cupel.people.annotators.vendors import vendor_of, vendors


def compared(crowd: Crowd, by_vendor: dict[str, tuple[str, ...]], gold: int = 20) -> dict[str, dict[str, Any]]:
    measured = crowd.study(gold)
    table = vendors(measured, by_vendor, findings(measured), annotators(measured))
    return {row["vendor"]: row for row in table.to_pylist()}


def test_the_better_vendor_is_better_by_both_measures() -> None:
    crowd = Crowd(items=300, accuracy=(0.95, 0.92, 0.9, 0.6, 0.65, 0.7))
    rows = compared(crowd, {"good": ("honest0", "honest1", "honest2"), "bad": ("honest3", "honest4", "honest5")})
    assert rows["good"]["standard_low"] > rows["bad"]["standard_high"]
    assert rows["good"]["difference_low"] > 0 > rows["bad"]["difference_high"]
    assert rows["good"]["gold_answers"] == 60


def test_vendors_who_share_no_item_have_no_difference_however_far_their_shares_are_apart() -> None:
    crowd = Crowd(items=400, accuracy=(0.8,) * 4)
    for name, items in (("easy", range(200)), ("hard", range(200, 400))):
        for number in range(2):
            share = np.where(np.arange(400) < 200, 0.9, 0.6)
            said = np.where(crowd.rng.random(400) < share, crowd.truth, (crowd.truth + 1) % 3)
            crowd.rows += [(item, f"{name}{number}", int(said[item]), float(crowd.rng.random())) for item in items]
    rows = compared(crowd, {"easy": ("easy0", "easy1"), "hard": ("hard0", "hard1")})
    apart = rows["easy"]["right_share"] - rows["hard"]["right_share"]
    assert apart > 0.2
    assert rows["easy"]["shared_items"] == 0
    assert rows["easy"]["difference"] is None


def test_the_interval_of_the_difference_holds_nearly_always_for_equal_vendors() -> None:
    held = 0
    for seed in range(40):
        crowd = Crowd(items=150, accuracy=(0.8,) * 8, seed=seed)
        row = compared(crowd, {"one": tuple(f"honest{n}" for n in range(4)),
                               "other": tuple(f"honest{n}" for n in range(4, 8))})["one"]  # fmt: skip
        held += row["difference_low"] <= 0 <= row["difference_high"]
    assert held >= 36


def test_a_vendor_with_one_annotator_has_an_interval_from_its_items() -> None:
    rows = compared(Crowd(), {"one": ("honest0",), "rest": ("honest1", "honest2")})
    assert rows["one"]["annotators"] == 1
    assert rows["one"]["standard_low"] < rows["one"]["standard_share"] < rows["one"]["standard_high"]


def test_without_vendors_there_is_no_row() -> None:
    assert compared(Crowd(), {}) == {}
    assert compared(Crowd(), {"absent": ("nobody",)}) == {}


def test_an_annotator_of_two_vendors_is_refused() -> None:
    with pytest.raises(ProjectError, match="stands under"):
        vendor_of({"one": ("ann",), "other": ("ann",)})
