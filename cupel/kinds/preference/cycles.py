"""Cycles: responses of which each is preferred to the next, and the last to the first."""

import numpy as np
from numpy.typing import NDArray

from cupel.kinds.preference.bradley_terry import FIRST, SECOND, Compared


def in_cycle(compared: Compared) -> NDArray[np.bool_]:
    """Tell which responses stand in a cycle of majorities.

    One response beats another where more of all answers on the two prefer it, in whichever order they stood; a
    response is in a cycle where a path of such victories leads from it back to itself.

    Args:
        compared: Comparisons and answers.

    Returns:
        Shape responses.

    >>> one, two = np.array([0, 1, 2]), np.array([1, 2, 0])
    >>> in_cycle(Compared(one, two, np.arange(3), np.zeros(3, int), np.zeros(3, int), 4, 1)).tolist()
    [True, True, True, False]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    first, second = compared.first[compared.comparison], compared.second[compared.comparison]
    ahead = (compared.answer == FIRST).astype(np.int64) - (compared.answer == SECOND)
    shape = (compared.responses, compared.responses)
    votes = coo_array((ahead, (first, second)), shape=shape).tocsr()
    lead = votes - votes.T
    lead.data = (lead.data > 0).astype(np.int8)
    lead.eliminate_zeros()
    parts, part = connected_components(lead, directed=True, connection="strong")
    return np.asarray(np.bincount(part, minlength=parts)[part] > 1)
