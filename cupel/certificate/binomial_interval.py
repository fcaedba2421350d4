"""The exact interval of an error rate, by sums that need no library but NumPy; scipy takes 140 MB to install."""

import math

import numpy as np

from cupel.errors import AuditError


def binomial_interval(wrong: int, audited: int, side_confidence: float) -> tuple[float, float]:
    """Return the lowest and highest error rate that an audit cannot rule out.

    It is that of `clopper_pearson_lower` and `clopper_pearson_upper`, to within 1e-12.

    Args:
        wrong: Wrong labels found, 0 <= wrong <= audited.
        audited: Labels drawn at random and checked, at least 1.
        side_confidence: Confidence of each of the two sides, between 0 and 1.

    Raises:
        AuditError: The counts are impossible.

    Source: Clopper and Pearson (1934), Biometrika 26(4).

    >>> tuple(round(side, 5) for side in binomial_interval(20, 500, 0.975))
    (0.0246, 0.0611)
    """
    if not 0 <= wrong <= audited or audited < 1:
        raise AuditError(f"wrong: found {wrong} of {audited}; expected 0 to the labels audited, and those at least 1")
    if not 0 < side_confidence < 1:
        raise AuditError(f"side_confidence: found {side_confidence}; expected a share between 0 and 1, such as 0.975")
    # The fewest wrong labels are the most right ones.
    right = _upper(audited - wrong, audited, 1 - side_confidence)
    return 1 - right, _upper(wrong, audited, 1 - side_confidence)


def _upper(found: int, drawn: int, alpha: float) -> float:
    """Return the rate at which so few finds have just the chance alpha, by halving to the last digit."""
    if found == drawn:
        return 1.0
    places = np.arange(1, found + 1, dtype=np.float64)
    log_choices = np.concatenate([[0.0], np.cumsum(np.log((drawn - places + 1) / places))])
    counts = np.arange(found + 1, dtype=np.float64)
    low, high = found / drawn, 1.0
    while low < (middle := (low + high) / 2) < high:
        logs = log_choices + counts * (math.log(middle) - math.log1p(-middle)) + drawn * math.log1p(-middle)
        highest = float(logs.max())
        is_held = highest + math.log(float(np.exp(logs - highest).sum())) > math.log(alpha)
        low, high = (middle, high) if is_held else (low, middle)
    return low
