"""Carelessness: who guesses half of the time is told from the least skilled, and runs of one class are no habit."""

import numpy as np

from crowds import CLASSES, Crowd
from cupel.people.annotators.findings import findings
from cupel.people.annotators.study import Study

ITEMS, BLOCK = 600, 30


def in_blocks(seed: int, gold: int = 0) -> tuple[Study, dict[str, str]]:
    """Return a crowd whose items come in blocks of one class, twelve annotators on each, and what was found.

    One more annotator in each block guesses at random.
    """
    crowd = Crowd(items=ITEMS, accuracy=(), seed=seed)
    crowd.truth = np.repeat(np.arange(ITEMS // BLOCK) % len(CLASSES), BLOCK)
    hard = crowd.rng.random(ITEMS) < 0.15
    for block in range(ITEMS // BLOCK):
        items = np.arange(block * BLOCK, (block + 1) * BLOCK)
        for number in range(13):
            skill = crowd.rng.uniform(0.85, 0.99)
            said = crowd.guesses() if number == 12 else np.where(hard, crowd.honest(0.6), crowd.honest(skill))
            name = f"{'guesser' if number == 12 else 'honest'} {block} {number}"
            crowd.rows += [(int(item), name, int(said[item]), float(crowd.rng.random())) for item in items]
    measured = crowd.study(gold)
    return measured, {row["annotator"]: row["finding"] for row in findings(measured).to_pylist()}


def test_runs_of_one_class_make_no_guessers_of_who_answers_them_rightly() -> None:
    blamed, guessers = 0, 0
    for seed in range(3):
        measured, found = in_blocks(seed)
        coded, names = measured.coded, measured.coded.annotators.to_pylist()
        is_right = coded.label == (coded.item // BLOCK) % len(CLASSES)
        right = dict(zip(names, np.bincount(coded.annotator, is_right) / BLOCK, strict=True))
        honest = [name for name in found if name.startswith("honest")]
        assert all(right[name] < 0.9 for name in honest)
        blamed += len(honest)
        guessers += len(found) - len(honest)
    assert blamed <= 0.06 * 3 * 12 * ITEMS / BLOCK
    assert guessers >= 0.9 * 3 * ITEMS / BLOCK


def test_the_ratio_is_small_for_the_informed_and_large_for_who_guesses() -> None:
    measured, _ = in_blocks(9)
    is_honest = np.array([name.startswith("honest") for name in measured.coded.annotators.to_pylist()])
    ratio = np.exp(measured.guessing.careless)
    assert (ratio[is_honest] >= 20).mean() <= 2 / 20
    assert np.median(ratio[is_honest]) <= 1 < 20 < np.median(ratio[~is_honest])


def test_a_habit_that_suits_the_crowd_is_convicted_by_gold_alone() -> None:
    for gold, expected in ((0, set()), (40, {"same"})):
        crowd = Crowd(items=150, accuracy=(0.8,) * 8, seed=2)
        crowd.truth[:] = np.where(crowd.rng.random(150) < 0.7, 0, crowd.truth)
        crowd.rows = []
        for number in range(8):
            crowd.add(f"honest{number}", crowd.honest(0.65))
        crowd.add("same", np.zeros(150, np.int64))
        found = {row["annotator"] for row in findings(crowd.study(gold=gold)).to_pylist()}
        assert found - {"same"} == set()
        assert gold == 0 or found == expected
