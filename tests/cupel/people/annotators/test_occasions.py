"""Occasions: which answers may judge which, and that nobody is blamed for how he came to be asked."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from cupel.consensus.coding import Coded, Reals, code
from cupel.people.annotators.beliefs import beliefs
from cupel.people.annotators.findings import findings
from cupel.people.annotators.occasions import find_occasions, sum_judges
from cupel.people.annotators.study import Study, study

CLASSES = ("w", "x", "y", "z")
NOBODY = -np.ones(1, np.int64)


def coded_of(*answers: tuple[str, str]) -> Coded:
    """Return the answers of one item, coded; annotators in ascending order."""
    who, said = zip(*answers, strict=True)
    return code(pa.table({"item_id": ["i"] * len(who), "annotator": who, "label": said}), ["i"], CLASSES)


def asked_again(
    items: int, people: int = 12, seed: int = 1, late: Reals | None = None, seniors: int = 0, hard: float = 0.0
) -> pa.Table:
    """Return answers as the chain asks for them: two of each item, then a third where these differ.

    Args:
        items: Number of items.
        people: Annotators, all honest, who are right on 80 to 96 of 100 items.
        seed: Of everything.
        late: How often each is right in the second half of the first answers, where that is something else.
        seniors: So many of them are asked for third answers only, and nobody else is.
        hard: Share of the items on which everybody is right three times in ten.
    """
    rng = np.random.default_rng(seed)
    skill, truth = np.linspace(0.8, 0.96, people), rng.integers(0, 4, items)
    who = np.stack([rng.permutation(people - seniors)[:3] for _ in range(items)])
    if seniors:
        who[:, 2] = rng.integers(people - seniors, people, items)
    is_hard = rng.random(items) < hard
    is_late = np.arange(items) >= items // 2

    def say(place: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        own = skill[who[:, place]] if late is None else np.where(is_late, late[who[:, place]], skill[who[:, place]])
        own = np.where(is_hard, 0.3, own)
        return np.where(rng.random(items) < own, truth, (truth + rng.integers(1, 4, items)) % 4)

    said = np.stack([say(place) for place in range(3)], axis=1)
    again = np.flatnonzero(said[:, 0] != said[:, 1])
    # Both first answers of an item come together, all third ones at the end.
    item = np.concatenate([np.repeat(np.arange(items), 2), again])
    place = np.concatenate([np.tile([0, 1], items), np.full(len(again), 2)])
    return pa.table({
        "item_id": [f"{number:06d}" for number in item],
        "annotator": [f"p{number:02d}" for number in who[item, place]],
        "label": np.array(CLASSES)[said[item, place]],
        "sequence": np.arange(1, len(item) + 1),
    })  # fmt: skip


def measured(answers: pa.Table, first: int | None) -> Study:
    return study(answers, sorted(set(answers["item_id"].to_pylist())), CLASSES, first=first)


def test_an_answer_is_judged_by_those_before_it_and_by_those_asked_with_it() -> None:
    coded = coded_of(("a", "w"), ("b", "x"), ("c", "w"), ("d", "x"))
    found = find_occasions(coded, np.array([2, 0, 1, 3]), first=2)  # b, c, a, d
    assert found.rank.tolist() == [2, 0, 1, 3]
    assert found.is_first.tolist() == [False, True, True, False]
    worth = np.array([[1.0], [10.0], [100.0], [1000.0]])
    assert sum_judges(coded, found, worth)[:, 0].tolist() == [110.0, 100.0, 10.0, 111.0]


def test_all_others_judge_where_all_were_asked_at_once() -> None:
    coded = coded_of(("a", "w"), ("b", "x"), ("c", "w"))
    found = find_occasions(coded, np.arange(3), first=None)
    assert sum_judges(coded, found, np.array([[1.0], [10.0], [100.0]]))[:, 0].tolist() == [110.0, 101.0, 11.0]
    assert found.strata == 1


def test_later_answers_are_told_apart_by_whether_the_earlier_ones_agreed() -> None:
    agreed, split = (
        find_occasions(coded_of(("a", "w"), ("b", label), ("c", "w")), np.arange(3), first=2).stratum.tolist()
        for label in ("w", "x")
    )
    assert agreed[:2] == split[:2] == [0, 0]
    assert agreed[2] != split[2]
    assert 0 not in (agreed[2], split[2])


@pytest.mark.parametrize("first", [None, 1, 2, 3])
def test_the_sums_are_those_of_a_count_by_hand(first: int | None) -> None:
    rng = np.random.default_rng(3)
    rows = [(f"i{item}", f"p{who}") for item in range(20) for who in rng.permutation(9)[: rng.integers(1, 7)]]
    table = pa.table({"item_id": [item for item, _ in rows], "annotator": [who for _, who in rows],
                      "label": rng.choice(CLASSES, len(rows))})  # fmt: skip
    coded, sequence = code(table, None, CLASSES), rng.permutation(len(rows))
    found, worth = find_occasions(coded, sequence, first), rng.random((len(rows), 2))
    for row in range(len(rows)):
        others = [other for other in np.flatnonzero(coded.item == coded.item[row]) if other != row]
        before = [other for other in others if sequence[other] < sequence[row]]
        together = [other for other in others if found.is_first[other]] if found.is_first[row] else []
        expected = worth[sorted({*(before if not found.is_first[row] else []), *together})].sum(axis=0)
        np.testing.assert_allclose(sum_judges(coded, found, worth)[row], expected, atol=1e-9)


def test_what_is_believed_of_an_item_does_not_know_who_was_asked_because_of_the_answer() -> None:
    answers = [("a", "w"), ("b", "w"), ("c", "x"), ("d", "x")]
    coded = coded_of(*answers)
    alone, asked = (
        beliefs(coded, NOBODY, occasions=find_occasions(coded, np.arange(4), first)).others for first in (None, 2)
    )
    assert asked[0].argmax() == CLASSES.index("w")  # b agreed, and nobody else was there
    assert alone[0].argmax() == CLASSES.index("x")


def test_nobody_is_blamed_for_third_answers_on_items_in_dispute() -> None:
    answers = asked_again(6_000)
    assert findings(measured(answers, first=2)).num_rows == 0
    # Taken for answers that were asked at once, the same ones blame honest people.
    assert findings(measured(answers, first=None)).num_rows > 0


def test_who_gets_worse_is_found_where_third_answers_are_asked_for_too() -> None:
    late = np.linspace(0.8, 0.96, 12)
    late[[3, 8]] = 0.55
    found = findings(measured(asked_again(6_000, late=late), first=2)).to_pylist()
    assert {(row["annotator"], row["finding"]) for row in found} == {("p03", "worsening"), ("p08", "worsening")}


@pytest.mark.parametrize(("people", "seniors"), [(4, 0), (5, 1), (8, 2)])
def test_two_agree_as_often_as_expected_however_they_met(people: int, seniors: int) -> None:
    met = measured(asked_again(6_000, people, seniors=seniors), first=2).pairs
    chance = met.expected / met.shared
    deviation = np.sqrt(met.shared * chance * (1 - chance))
    assert met.shared.min() > 20
    assert np.abs((met.equal - met.expected) / deviation).max() < 3


def test_nobody_copies_where_two_answers_of_each_item_are_all_there_are() -> None:
    answers = asked_again(20_000)
    first = answers.filter(pc.less_equal(answers["sequence"], 40_000))
    found = measured(first, first=2)
    assert findings(found).num_rows == 0
    assert found.pairs.evidence.max() < 0


def test_gold_that_is_asked_again_does_not_count_against_the_bar() -> None:
    answers = asked_again(4_000, people=6, seniors=2, hard=0.5)
    truth = np.random.default_rng(1).integers(0, 4, 4_000)
    gold = pa.table({"item_id": [f"{item:06d}" for item in range(4_000)], "label": np.array(CLASSES)[truth]})
    items = gold["item_id"].to_pylist()
    for first, blamed in ((2, set()), (None, {"p04", "p05"})):
        found = findings(study(answers, items, CLASSES, gold, first), least_right=0.52).to_pylist()
        assert {row["annotator"] for row in found if row["finding"] == "below_bar"} == blamed
