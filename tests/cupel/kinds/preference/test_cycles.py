import numpy as np

from cupel.kinds.preference.bradley_terry import FIRST, SECOND, TIE, Compared
from cupel.kinds.preference.cycles import in_cycle


def of(sides: list[tuple[int, int]], answers: list[int], responses: int) -> list[bool]:
    first, second = np.array(sides).T
    count = np.arange(len(sides))
    return in_cycle(
        Compared(first, second, count, np.zeros(len(sides), int), np.array(answers), responses, 1)
    ).tolist()  # fmt: skip


def test_a_chain_is_no_cycle() -> None:
    assert of([(0, 1), (1, 2), (0, 2)], [FIRST, FIRST, FIRST], 3) == [False] * 3


def test_the_last_over_the_first_closes_the_cycle() -> None:
    assert of([(0, 1), (1, 2), (0, 2)], [FIRST, FIRST, SECOND], 3) == [True] * 3


def test_a_tie_and_a_draw_of_answers_lead_nowhere() -> None:
    assert of([(0, 1), (1, 2), (0, 2)], [FIRST, FIRST, TIE], 3) == [False] * 3
    # Two answers on the same two responses, in either order, that speak against each other.
    assert of([(0, 1), (1, 0)], [FIRST, FIRST], 2) == [False] * 2


def test_answers_in_either_order_count_together() -> None:
    sides, answers = [(0, 1), (1, 0), (1, 2), (2, 0), (3, 0)], [FIRST, SECOND, FIRST, FIRST, FIRST]
    assert of(sides, answers, 4) == [True, True, True, False]
