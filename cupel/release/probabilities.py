"""The probability of a released label: what people and checker together gave it when it was frozen.

It is a belief by which labels are ordered, not a measurement: the certificate rests on the audit alone. Where an expert
judged a label it is null, for then the label is the expert's word; so it is where annotators could not decide.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cupel.checking.labels import LAST_LOG_ODDS
from cupel.contract.columns import REAL

DECIMALS = 6
# Nothing is told as certain: what is nearer to 0 or 1 than the last decimal is told as that.
_LEAST = 10.0**-DECIMALS


def find_probabilities(log_odds: pa.ChunkedArray, is_judged: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return the probability of frozen labels, rounded to 6 decimals; null where there is none.

    Args:
        log_odds: Of RELEASE_ITEMS.
        is_judged: Whether an expert has judged the label since.

    >>> find_probabilities(pa.chunked_array([[0.0, 40.0, 2.0, -1000.0]]), pa.array([False, False, True, None])).tolist()
    [0.5, 0.999999, None, None]
    """
    odds = log_odds.to_numpy()
    chance = 1 / (1 + np.exp(-np.clip(odds, -700.0, 700.0)))
    is_none = (odds <= LAST_LOG_ODDS) | np.asarray(pc.fill_null(is_judged, False), np.bool_)
    return pa.array(np.clip(np.round(chance, DECIMALS), _LEAST, 1 - _LEAST), REAL, mask=is_none)
