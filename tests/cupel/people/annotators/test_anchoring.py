from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from cupel.contract.table import conform, empty
from cupel.contract.tables.crew import SHOWN_ANSWERS
from cupel.people.annotators.anchoring import MEASURES, compare_shares, measure_anchoring, summarise_anchoring


def answers(rows: list[dict[str, Any]]) -> pa.Table:
    whole = [{"sequence": number, "annotator": "ann", "known_label": None, **row} for number, row in enumerate(rows)]
    return conform(pa.Table.from_pylist(whole, schema=SHOWN_ANSWERS.schema), SHOWN_ANSWERS)


def made(shown: tuple[int, int], blind: tuple[int, int], **more: Any) -> pa.Table:
    """Return so many answers beside a label, of which so many follow it, and blind ones likewise; one an item."""
    rows = []
    for is_shown, (count, follow) in ((True, shown), (False, blind)):
        for number in range(count):
            label = "a" if number < follow else "b"
            rows.append(
                {"item_id": f"{is_shown}{number}", "label": label, "is_shown": is_shown, "pre_label": "a", **more}
            )
    return answers(rows)


def row_of(table: pa.Table, measure: str = "following", group: str = "all") -> dict[str, Any]:
    (row,) = [row for row in table.to_pylist() if (row["group"], row["measure"]) == (group, measure)]
    return dict(row)


@pytest.mark.parametrize(("shown", "blind"), [((100, 80), (100, 50)), ((40, 40), (60, 30)), ((50, 1), (50, 2))])
def test_with_one_answer_an_item_it_is_newcombes_interval(shown: tuple[int, int], blind: tuple[int, int]) -> None:
    row = row_of(measure_anchoring(made(shown, blind)))
    assert row["difference"] == pytest.approx(shown[1] / shown[0] - blind[1] / blind[0])
    (one_low, one_high), (two_low, two_high) = (
        binomtest(follow, count).proportion_ci(method="wilson") for count, follow in (shown, blind)
    )
    one, two = shown[1] / shown[0], blind[1] / blind[0]
    # A variance is estimated from one item fewer than there are.
    assert row["difference_low"] == pytest.approx(one - two - np.hypot(one - one_low, two_high - two), abs=0.004)
    assert row["difference_high"] == pytest.approx(one - two + np.hypot(one_high - one, two - two_low), abs=0.004)


def test_people_who_follow_are_told_with_their_share() -> None:
    found = measure_anchoring(made((100, 90), (100, 60)))
    row = row_of(found)
    assert (row["shown_share"], row["blind_share"], row["verdict"]) == (90 / 100, 60 / 100, "more")
    assert summarise_anchoring(found.to_pylist()).startswith("90.0% of 100 answers follow the label shown, +30.0% (")


def test_without_blind_answers_anchoring_is_unproven() -> None:
    found = measure_anchoring(made((100, 90), (0, 0)))
    row = row_of(found)
    assert (row["verdict"], row["reason"], row["difference"]) == ("unproven", "no blind answers", None)
    assert summarise_anchoring(found.to_pylist()).endswith("anchoring is unproven: no blind answers")


def test_few_items_prove_nothing_however_many_answers_they_have() -> None:
    rows = [
        {"item_id": f"{is_shown}{n % 10}", "label": "a" if is_shown else "b", "is_shown": is_shown, "pre_label": "a"}
        for is_shown in (True, False) for n in range(500)
    ]  # fmt: skip
    row = row_of(measure_anchoring(answers(rows)))
    assert (row["verdict"], row["reason"]) == ("unproven", "fewer than 20 comparable items on either side")


def test_many_answers_that_hardly_differ_are_alike() -> None:
    row = row_of(measure_anchoring(made((5_000, 3_500), (5_000, 3_490))))
    assert row["verdict"] == "alike"


def test_several_answers_on_an_item_are_worth_less_than_as_many_items() -> None:
    value = np.repeat(np.arange(200) % 2 == 0, 5)
    item, is_shown = np.repeat(np.arange(200), 5), np.repeat(np.arange(200) % 4 < 2, 5)
    none = np.zeros(1000, np.int64)
    clustered = compare_shares(value, is_shown, item, none)
    single = compare_shares(value, is_shown, np.arange(1000), none)
    assert clustered.high - clustered.low > 2 * (single.high - single.low)


def test_classes_that_are_shown_more_often_do_not_look_like_following() -> None:
    # Of class a 90% are given anyway and 9 of 10 tasks show it; of class b 50% and 1 of 10.
    rng = np.random.default_rng(0)
    stratum = rng.integers(0, 2, 4000)
    is_shown = rng.random(4000) < np.where(stratum == 0, 0.9, 0.1)
    value = rng.random(4000) < np.where(stratum == 0, 0.9, 0.5)
    found = compare_shares(value, is_shown, np.arange(4000), stratum)
    assert found.low < 0 < found.high
    assert found.shown_count / found.shown - found.blind_count / found.blind > 0.2


def test_what_following_does_to_the_error_is_judged_by_known_labels() -> None:
    table = made((100, 90), (100, 30), known_label="b")
    found = measure_anchoring(table)
    assert row_of(found, "error")["verdict"] == "more"
    assert row_of(found, "misled")["shown_count"] == 90
    assert row_of(found, "error_of_followed")["shown_share"] == 1.0


def test_who_gave_answers_of_one_sort_only_is_not_judged_alone() -> None:
    one, other = made((40, 30), (40, 20)), made((40, 30), (0, 0))
    other = other.set_column(other.column_names.index("annotator"), "annotator", pa.array(["bob"] * 40))
    found = measure_anchoring(pa.concat_tables([one, other]))
    assert {row["group"] for row in found.to_pylist()} == {"all", "annotator ann"}


def test_no_answers_are_no_error() -> None:
    found = measure_anchoring(empty(SHOWN_ANSWERS))
    assert {row["measure"] for row in found.to_pylist()} == set(MEASURES)
    assert {row["verdict"] for row in found.to_pylist()} == {"unproven"}


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_the_order_of_rows_and_the_names_of_items_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = 200
    value, is_shown = rng.random(size) < 0.6, rng.random(size) < 0.5
    item, stratum = rng.integers(0, 80, size), rng.integers(0, 3, size)
    order = rng.permutation(size)
    one = compare_shares(value, is_shown, item, stratum)
    other = compare_shares(value[order], is_shown[order], 1000 - item[order], (stratum[order] + 1) % 3)
    assert one[:4] == other[:4]
    np.testing.assert_allclose(one[4:7], other[4:7], atol=1e-9)
