"""Copying: the weight of the evidence, whose it is, and how seldom the honest carry any."""

import numpy as np
import pytest
from numpy.typing import NDArray

from crowds import Crowd
from cupel.people.annotators.copying import TIMES_LIKELIER, comparable, copiers, groups, pairs
from cupel.people.annotators.study import Study

FEW = 30


def evidence(measured: Study, name: str) -> float:
    return float(np.exp(measured.pairs.evidence[measured.coded.annotators.to_pylist().index(name)]))


def crowd_of(seed: int, accuracy: float = 0.75, people: int = 8) -> Crowd:
    return Crowd(items=FEW, accuracy=(accuracy,) * people, seed=seed)


def slipped(crowd: Crowd, name: str, slips: float = 0.05) -> NDArray[np.int64]:
    return np.where(crowd.rng.random(FEW) < slips, crowd.guesses(), crowd.said(name))


@pytest.mark.parametrize("accuracy", [0.6, 0.75, 0.9])
def test_evidence_against_the_honest_is_a_fair_bet(accuracy: float) -> None:
    found = [np.exp(crowd_of(seed, accuracy).study().pairs.evidence) for seed in range(40)]
    told = np.concatenate(found)
    assert (told >= TIMES_LIKELIER).mean() <= 1 / TIMES_LIKELIER
    assert np.minimum(told, 1_000).mean() <= 1.5


def test_a_copier_with_thirty_answers_is_found_nine_times_in_ten_and_the_source_is_not() -> None:
    found, blamed = 0, 0
    for seed in range(30):
        crowd = crowd_of(seed)
        crowd.add("copier", slipped(crowd, "honest2"), after="honest2")
        measured = crowd.study()
        who = dict(zip(measured.coded.annotators.to_pylist(), copiers(measured.pairs).tolist(), strict=True))
        found += who.pop("copier")
        blamed += sum(who.values())
    assert found >= 27
    assert blamed <= 30 * 8 / TIMES_LIKELIER


def test_who_was_always_later_needs_a_smaller_case() -> None:
    crowd = crowd_of(3)
    crowd.add("copier", slipped(crowd, "honest2"), after="honest2")
    measured = crowd.study()
    coded, heard = measured.coded, measured.is_named
    who = coded.annotators.to_pylist().index("copier")
    in_turns = np.random.default_rng(0).permutation(len(coded.item))
    later, mixed = (
        pairs(coded, measured.beliefs, sequence, heard, heard).evidence[who]
        for sequence in (measured.sequence, in_turns)
    )
    assert 5 < np.exp(later - mixed) < 100


def test_equal_wrong_answers_weigh_more_than_equal_right_ones() -> None:
    def told(share_wrong: float) -> float:
        crowd = crowd_of(5, accuracy=0.9)
        is_wrong = np.arange(FEW) < share_wrong * FEW
        said = np.where(is_wrong, (crowd.truth + 1) % 3, crowd.truth)
        crowd.add("source", said)
        crowd.add("copier", said, after="source")
        return evidence(crowd.study(), "copier")

    assert told(0.0) < TIMES_LIKELIER < told(0.2) < told(0.4)


def test_who_always_says_the_same_is_nobodys_source() -> None:
    crowd = crowd_of(1)
    crowd.add("same", np.full(FEW, 2))
    measured = crowd.study()
    pairs, same = measured.pairs, measured.coded.annotators.to_pylist().index("same")
    assert np.isneginf(pairs.one_copies[pairs.other == same]).all()
    assert np.isneginf(pairs.other_copies[pairs.one == same]).all()


def test_who_shares_no_five_items_has_no_evidence_and_no_group() -> None:
    crowd = Crowd(items=4, accuracy=(0.8,) * 4)
    measured = crowd.study(gold=0)
    assert (measured.pairs.evidence < -100).all()
    assert comparable(measured.pairs).tolist() == [0] * 4
    assert groups(measured.pairs).tolist() == [-1] * 4


def test_who_copies_one_another_forms_a_group() -> None:
    crowd = Crowd(items=100, accuracy=(0.75,) * 8)
    for source in ("honest1", "honest5"):
        for number in range(2):
            crowd.add(f"copier {source} {number}", crowd.said(source), after=source)
    measured = crowd.study()
    group = dict(zip(measured.coded.annotators.to_pylist(), groups(measured.pairs).tolist(), strict=True))
    for source in ("honest1", "honest5"):
        assert group[source] == group[f"copier {source} 0"] == group[f"copier {source} 1"] >= 0
    assert group["honest1"] != group["honest5"]
    assert {group[f"honest{number}"] for number in (0, 2, 3, 4, 6, 7)} == {-1}
