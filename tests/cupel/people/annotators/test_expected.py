"""Expected answers: chances that are right on average, and that do not know the answer itself."""

import numpy as np

from crowds import Crowd
from cupel.people.annotators.expected import log_chances


def test_chances_add_up_and_are_right_on_average() -> None:
    crowd = Crowd(items=400, accuracy=(0.9, 0.8, 0.7, 0.6, 0.8, 0.75))
    measured = crowd.study()
    chances = np.exp(log_chances(measured.coded, measured.beliefs, np.ones(6, dtype=np.bool_)))
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    given = np.eye(3)[measured.coded.label]
    for low, high in ((0.0, 0.1), (0.1, 0.4), (0.4, 0.8), (0.8, 1.0)):
        some = (chances >= low) & (chances < high)
        assert abs(chances[some].mean() - given[some].mean()) < 0.04


def test_the_answer_itself_has_next_to_no_part() -> None:
    crowd = Crowd(items=60)
    measured = crowd.study()
    heard = np.ones(6, dtype=np.bool_)
    before = np.exp(log_chances(measured.coded, measured.beliefs, heard))
    for row in (0, 100, 200):
        label = measured.coded.label.copy()
        label[row] = (label[row] + 1) % 3
        after = np.exp(log_chances(measured.coded._replace(label=label), measured.beliefs, heard))
        np.testing.assert_allclose(after[row], before[row], atol=0.02)


def test_who_is_not_heard_has_no_part_in_what_is_expected_of_others() -> None:
    crowd = Crowd(items=60)
    crowd.add("loud", (crowd.truth + 1) % 3)
    measured = crowd.study()
    is_loud = measured.coded.annotator == measured.coded.annotators.to_pylist().index("loud")
    other = measured.coded._replace(label=np.where(is_loud, 2, measured.coded.label))
    for is_heard in (True, False):
        heard = np.array([is_heard or name != "loud" for name in measured.coded.annotators.to_pylist()])
        one, two = (log_chances(coded, measured.beliefs, heard)[~is_loud] for coded in (measured.coded, other))
        assert np.array_equal(one, two) is not is_heard
