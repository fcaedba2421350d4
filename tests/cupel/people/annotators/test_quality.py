"""Quality: intervals that hold, and nobody judged by the own answer."""

import numpy as np

from crowds import Crowd


def test_intervals_hold_the_true_accuracy_nearly_always() -> None:
    held = []
    for seed in range(40):
        measured = Crowd(items=200, accuracy=(0.9, 0.8, 0.7, 0.6, 0.85), seed=seed).study()
        true = np.array([0.9, 0.8, 0.7, 0.6, 0.85])
        held.append((measured.quality.low <= true) & (true <= measured.quality.high))
    assert np.mean(held) >= 0.9


def test_an_annotator_alone_is_no_better_than_the_prior_whatever_the_own_answers() -> None:
    crowd = Crowd(accuracy=())
    crowd.add("alone", np.zeros(150, np.int64))
    measured = crowd.study(0)
    assert measured.quality.high[0] - measured.quality.low[0] > 0.5


def test_gold_alone_gives_the_exact_interval() -> None:
    crowd = Crowd()
    measured = crowd.study(10)
    right = (crowd.said("honest0")[:10] == crowd.truth[:10]).sum()
    assert measured.quality.gold_low[0] <= right / 10 <= measured.quality.gold_high[0]
