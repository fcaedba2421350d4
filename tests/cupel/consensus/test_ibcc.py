"""IBCC: its laws, and a case worked out from the definition."""

import numpy as np
import pyarrow as pa
from scipy.special import digamma

from cupel.consensus.coding import code
from cupel.consensus.ibcc import IbccSettings, ibcc
from cupel.consensus.passes import softmax


def test_one_round_is_what_the_definition_says() -> None:
    table = pa.table({"item_id": ["a", "a", "b"], "annotator": ["p", "q", "p"], "label": ["x", "y", "x"]})
    found = ibcc(code(table, ["a", "b"], ("x", "y")), IbccSettings(right=4, wrong=1, max_iterations=1))
    # Item a starts at 1/2, 1/2; item b at 1, 0. Prior weights: 1 + 3/2 and 1 + 1/2.
    prior = digamma([2.5, 1.5]) - digamma(4)
    # What p's answer x says of x (weights 4 + 3/2 of 6.5) and of y (1 + 1/2 of 5.5); q's answer y likewise.
    p_said_x = digamma([5.5, 1.5]) - digamma([6.5, 5.5])
    q_said_y = digamma([1.5, 4.5]) - digamma([5.5, 5.5])
    expected = softmax(np.array([prior + p_said_x + q_said_y, prior + p_said_x]))
    np.testing.assert_allclose(found.posterior, expected, rtol=1e-12)


def test_an_annotator_of_few_answers_stays_near_what_is_believed_of_everybody() -> None:
    rows = [(f"{item:03}", name, "xy"[item % 2]) for item in range(100) for name in ("p", "q")]
    rows.append(("000", "new", "y"))
    table = pa.table(
        {
            name: list(column)
            for name, column in zip(("item_id", "annotator", "label"), zip(*rows, strict=True), strict=True)
        }
    )
    found = ibcc(code(table, [f"{item:03}" for item in range(100)], ("x", "y")))
    assert found.posterior.argmax(axis=1).tolist() == [0, 1] * 50
    new, p = found.confusion[0], found.confusion[1]
    np.testing.assert_allclose(p, np.array([[54, 1], [1, 54]]) / 55, atol=1e-3)
    np.testing.assert_allclose(new, [[4 / 6, 2 / 6], [1 / 5, 4 / 5]], atol=1e-3)
