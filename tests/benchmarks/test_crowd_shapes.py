"""Crowd shapes: each is what it says, and comes out the same from the same seed."""

from collections import Counter

import numpy as np
import pytest

from benchmarks.crowd_shapes import BLOCKS, PER_ITEM, SHAPES, make_crowd


def columns(shape: str, seed: int = 0) -> tuple[list[str], list[str], list[str], dict[str, str]]:
    crowd, gold = make_crowd(shape, seed)
    given = (crowd.annotations[name].to_pylist() for name in ("item_id", "annotator", "label"))
    item, who, label = given
    return item, who, label, gold.verdicts


@pytest.mark.parametrize("shape", SHAPES)
def test_a_seed_gives_one_crowd_whose_items_all_have_gold_and_different_annotators(shape: str) -> None:
    item, who, label, gold = columns(shape)
    assert (item, who, label, gold) == columns(shape)
    assert label != columns(shape, 1)[2]
    assert set(item) == set(gold)
    assert set(Counter(item).values()) == {PER_ITEM}
    assert len(set(zip(item, who, strict=True))) == len(item)


def right_by_annotator(shape: str) -> np.ndarray:
    item, who, label, gold = columns(shape)
    sums: dict[str, list[bool]] = {}
    for one, name, said in zip(item, who, label, strict=True):
        sums.setdefault(name, []).append(said == gold[one])
    return np.array([np.mean(sums[name]) for name in sorted(sums)])


def test_few_are_good_and_many_bad() -> None:
    right = right_by_annotator("few_good_many_bad")
    assert (right > 0.8).sum() == 10
    assert (right < 0.55).sum() == 50


def test_adversaries_are_worse_than_guesses() -> None:
    right = right_by_annotator("adversaries")
    assert (right < 0.3).sum() == 12
    assert (right > 0.45).sum() == 48


def test_nobody_answers_twice() -> None:
    assert set(Counter(columns("one_answer_each")[1]).values()) == {1}


def test_one_class_is_rare() -> None:
    counts = Counter(columns("rare_classes")[3].values())
    assert 0 < min(counts.values()) < 30
    assert max(counts.values()) > 700


def test_blocks_share_nobody() -> None:
    item, who, _, _ = columns("blocks_apart")
    found: dict[str, set[str]] = {}
    for one, name in zip(item, who, strict=True):
        found.setdefault(name, set()).add(one)
    groups = {frozenset(int(one[1:]) // (1000 // BLOCKS) for one in items) for items in found.values()}
    assert len(groups) == BLOCKS
    assert all(len(group) == 1 for group in groups)
