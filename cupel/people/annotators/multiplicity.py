"""Multiplicity: which of many tests count, so that few of those that count are false."""

import numpy as np
from numpy.typing import NDArray


def passes(p_values: NDArray[np.float64], false_share: float) -> NDArray[np.bool_]:
    """Tell which tests pass by the step-up procedure of Benjamini and Hochberg.

    Args:
        p_values: Of all tests that were made; none left out because it looked hopeless.
        false_share: Share of false ones among those that pass, at most, in expectation.

    Source: Benjamini and Hochberg (1995), Journal of the Royal Statistical Society B 57(1).

    >>> passes(np.array([0.001, 0.9, 0.02, 0.8]), 0.05).tolist()
    [True, False, True, False]
    """
    ordered = np.sort(p_values)
    below = np.flatnonzero(ordered <= false_share * np.arange(1, len(ordered) + 1) / max(1, len(ordered)))
    return p_values <= (ordered[below[-1]] if len(below) else -1.0)
